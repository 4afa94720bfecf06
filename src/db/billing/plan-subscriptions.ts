import { rows, sql, type Tx } from "../database.ts";

/** How many subscriptions that have not ended are on a version of a plan, as the plan itself or as an add-on. */
export interface VersionSubscriptions {
  readonly planKey: string;
  readonly version: number;
  readonly count: number;
}

/** By plan and version, the newest version first. What was agreed last counts. */
export async function subscriptionsByVersion(tx: Tx): Promise<VersionSubscriptions[]> {
  return await rows<VersionSubscriptions>(
    tx,
    sql`select item ->> 'planKey' as "planKey", (item ->> 'planVersion')::int as version,
        count(distinct subscription.id)::int as count
      from billing.subscription
      cross join lateral (
        select items from billing.subscription_terms
        where subscription_terms.subscription_id = subscription.id
        order by effective_at desc limit 1
      ) as agreed
      cross join jsonb_array_elements(agreed.items) as item
      where subscription.status not in ('canceled', 'incomplete_expired')
      group by 1, 2 order by 1, 2 desc`,
  );
}

import { and, eq } from "drizzle-orm";
import type { Instant } from "../../domain/calendar/index.ts";
import { invariant } from "../../domain/errors.ts";
import { sql, type Tx } from "../database.ts";
import { subscription, subscriptionChange, subscriptionTerms } from "../schema/billing.ts";
import { advanceLinesAmong, invoicedInAdvance } from "./advance-lines.ts";
import { chargingInvoices } from "./charging-invoices.ts";
import type { ChangeStanding } from "./planned-change.ts";
import { linesAmong, type StoredSubscription } from "./subscriptions.ts";
import { type KnownPlans, termsOfRows } from "./terms-histories.ts";

/** All that a change finds, whatever it comes to. */
export interface FoundByChange {
  readonly row: StoredSubscription;
  /** The change itself, where it was made before. */
  readonly known: { readonly effectiveAt: Instant; readonly invoiceId: string | null } | null;
  readonly standing: ChangeStanding;
}

const newest = sql`(select max(effective_at) from billing.subscription_terms where subscription_id = ${subscription.id})`;
const changes = sql<Parameters<typeof linesAmong>[0]>`(
  select coalesce(json_agg(json_build_object('invoiceId', invoice_id, 'lines', lines, 'returned', returned) order by effective_at), '[]')
  from billing.subscription_change where subscription_id = ${subscription.id} and (invoice_id is null or returned <> '[]'))`;
const isAlone = sql<boolean>`not exists (
  select from billing.subscription other where other.customer_id = ${subscription.customerId}
    and other.id <> ${subscription.id} and other.status not in ('canceled', 'incomplete_expired'))`;

/**
 * Reads it in one statement, after the customer's lock was taken: what each statement costs is most of what a change does.
 * Undefined when there is no such subscription.
 */
export async function foundByChange(
  tx: Tx,
  { subscriptionId, changeId }: { readonly subscriptionId: string; readonly changeId: string },
  plans: KnownPlans,
): Promise<FoundByChange | undefined> {
  const { effectiveAt, invoiceId } = subscriptionChange;
  const [found] = await tx
    .select({
      row: subscription,
      agreed: subscriptionTerms,
      known: { effectiveAt, invoiceId },
      ...{ changes, isAlone },
    })
    .from(subscription)
    .innerJoin(
      subscriptionTerms,
      and(eq(subscriptionTerms.subscriptionId, subscription.id), eq(subscriptionTerms.effectiveAt, newest)),
    )
    .leftJoin(
      subscriptionChange,
      and(eq(subscriptionChange.subscriptionId, subscription.id), eq(subscriptionChange.changeId, changeId)),
    )
    .where(eq(subscription.id, subscriptionId));
  if (found === undefined) return undefined;
  const { row, agreed, known } = found;
  const [terms] = await termsOfRows(tx, [agreed], plans);
  invariant(terms, "a subscription has terms");
  const ofChanges = linesAmong(found.changes);
  const standing: ChangeStanding = {
    terms,
    waiting: ofChanges.waiting,
    advanceIn: async (period) =>
      advanceLinesAmong(await invoicedInAdvance(tx, row.id, period), ofChanges, period),
    chargedOn: (period) => chargingInvoices(tx, row.id, period),
    ...{ isAlone: found.isAlone, plans },
  };
  return { row, known, standing };
}

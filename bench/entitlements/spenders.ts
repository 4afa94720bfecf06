import postgres from "postgres";
import type { IngestUnderTest } from "../ingest/ingest-under-test.ts";
import { customerId } from "../ingest/workload.ts";

/** How many customers share a pool, and how many users a customer has. */
export const treeShape = { customersOfPool: 10, usersOfCustomer: 10 };

export const userOf = (number: number) => `user_${number}`;

const price = (token: string, unitPriceMinor: string) => ({
  ...{ key: token, type: "usage", name: token, product: "tokens", meter: `${token}_tokens` },
  model: { type: "per_unit", unit_price_minor: unitPriceMinor },
});

/**
 * Gives every customer a plan that charges by the token and four levels with a cap each: every user, his team, the customer, and
 * the pool of the customer that pays for ten of them. The caps are never reached.
 */
export async function growTree({ api, server }: IngestUnderTest, customers: number): Promise<void> {
  const { url, key } = api.ready;
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
  const { meters } = (await (await fetch(`${url}/v1/catalog`, { headers })).json()) as { meters: object[] };
  const interval = { unit: "month", count: 1 };
  const prices = [price("input", "0.0003"), price("output", "0.0015")];
  const plans = [{ key: "tokens", name: "Tokens", currency: "usd", interval, prices }];
  const body = JSON.stringify({ meters, plans });
  const published = await fetch(`${url}/v1/catalog`, { method: "PUT", headers, body });
  if (!published.ok) throw new Error(await published.text());
  const owner = postgres(server.ownerUrl, { max: 1, onnotice: () => {} });
  const ids = Array.from({ length: customers }, (_, number) => customerId(number));
  const payers = ids.map((_, number) => customerId(number - (number % treeShape.customersOfPool)));
  await owner`
    with asked as (select * from unnest(${ids}::text[], ${payers}::text[]) as asked (id, payer)), opened as (
      insert into billing.subscription (id, customer_id, status, started_at, interval_unit, interval_count, time_zone, currency,
        grace_seconds, billed_through)
      select id, id, 'active', date_trunc('month', now()), 'month', 1, 'UTC', 'usd', 0, date_trunc('month', now()) from asked
      returning id, started_at
    )
    insert into billing.subscription_terms (subscription_id, effective_at, change_id, items, paused)
    select id, started_at, 'open', '[{"planKey": "tokens", "planVersion": 1, "seats": 1}]', false from opened`;
  await owner`
    insert into billing.spender (customer_id, kind, key)
    select id, kind, case kind when 'organisation' then id when 'team' then 'team' else ${userOf(0).slice(0, -1)} || place end
    from unnest(${ids}::text[]) as id
    cross join lateral (
      select 'organisation' as kind, 0 as place union all select 'team', 0
      union all select 'user', place from generate_series(0, ${treeShape.usersOfCustomer - 1}::int) as place) as wanted`;
  await owner`
    insert into billing.spender_placement (id, spender, parent, effective_at, placed_by)
    select 'place_' || placed.number, placed.number, above.number, now() - interval '1 hour', 'bench'
    from unnest(${ids}::text[], ${payers}::text[]) as asked (id, payer)
    join billing.spender as placed on placed.customer_id = asked.id
    join billing.spender as above on placed.kind = 'user' and above.kind = 'team' and above.customer_id = asked.id
      or placed.kind = 'organisation' and asked.id <> asked.payer and above.kind = 'organisation' and above.customer_id = asked.payer`;
  await owner`
    insert into billing.spending_cap (id, spender, kind, each_user, amount_minor, limit_window, effective_at, set_by, set_at)
    select 'cap_' || number || '_' || each_user, number, 'cap', each_user, 1000000000, '{"type": "calendar", "unit": "month"}',
      now() - interval '1 hour', 'bench', now()
    from billing.spender cross join (values (true), (false)) as each (each_user)
    where kind = 'team' and not each_user or kind = 'organisation'`;
  await owner`vacuum (analyze)`;
  await owner.end();
}

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  firstStatuses,
  isTerminal,
  type SubscriptionStatus,
  statusTransitions,
  subscriptionStatuses,
} from "../../src/domain/lifecycle/index.ts";
import { type LedgerFixture, openLedger, refusal } from "./ledger-fixture.ts";

/** The database admits the steps of the domain's table, and no other, whoever writes. */
let ledger: LedgerFixture;

beforeAll(async () => {
  ledger = await openLedger();
  await ledger.owner.sql`insert into billing.customer (id, name, email, currency, time_zone, created_at)
    values ('ada', 'Ada', 'ada@example.com', 'usd', 'UTC', '2026-01-01Z')`;
});
afterAll(() => ledger.close());

const insertAs = (id: string, status: SubscriptionStatus) => ledger.owner.sql`
  insert into billing.subscription (id, customer_id, status, started_at, interval_unit, interval_count, time_zone, currency,
    grace_seconds, billed_through, trial_ends_at, expires_at, cancel_at, canceled_at)
  values (${id}, 'ada', ${status}, '2026-01-01Z', 'month', 1, 'UTC', 'usd', 0, '2026-01-01Z', '2026-01-15Z', '2026-01-02Z',
    '2026-01-09Z', ${isTerminal(status) ? "2026-01-09Z" : null})
  returning id`;

const step = (id: string, status: SubscriptionStatus) => ledger.db.sql`
  update billing.subscription set status = ${status}, canceled_at = ${isTerminal(status) ? "2026-01-09Z" : null}
  where id = ${id} returning id`;

/** A way from a first state to a state, by the table. */
function wayTo(status: SubscriptionStatus): SubscriptionStatus[] {
  const ways = firstStatuses.map((first) => [first]);
  for (const way of ways) {
    const last = way.at(-1);
    if (last === status) return way;
    for (const next of last === undefined ? [] : statusTransitions[last]) {
      if (!way.includes(next)) ways.push([...way, next]);
    }
  }
  throw new Error(`nothing leads to ${status}`);
}

test.each(subscriptionStatuses)("a subscription may begin as %s, or not", async (status) => {
  const beginning = insertAs(`first ${status}`, status);
  if (firstStatuses.includes(status)) expect(await beginning).toHaveLength(1);
  else expect(await refusal(beginning)).toBe("RK001");
});

describe.each(subscriptionStatuses)("from %s", (from) => {
  test.each(subscriptionStatuses.filter((to) => to !== from))("to %s", async (to) => {
    const id = `${from} to ${to}`;
    const [first = from, ...way] = wayTo(from);
    await insertAs(id, first);
    for (const status of way) await step(id, status);
    if (statusTransitions[from].includes(to)) expect(await step(id, to)).toHaveLength(1);
    else expect(await refusal(step(id, to))).toBe("RK001");
  });
});

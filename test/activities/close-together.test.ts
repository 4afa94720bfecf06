import { afterAll, beforeAll, expect, test } from "vitest";
import { closePeriodOnce } from "../../src/activities/close-period.ts";
import { closePeriodsTogether } from "../../src/activities/close-together.ts";
import type { Database } from "../../src/db/database.ts";
import { openUsage, type UsageFixture } from "../db/usage-fixture.ts";
import { expectInvariants } from "../support/invariants.ts";
import { addVariedCustomers, dueAt, periodStart, publishPlans, subscriptionOf } from "./due-customers.ts";

/** The same customers in two databases: in one each period is closed by itself, in the other all of them together. */
let alone: UsageFixture;
let together: UsageFixture;
let customers: readonly string[];
beforeAll(async () => {
  [alone, together] = await Promise.all([openUsage({ poolSize: 4 }), openUsage({ poolSize: 4 })]);
  for (const { db } of [alone, together]) {
    await publishPlans(db);
    customers = await addVariedCustomers(db, 12);
  }
});
afterAll(() => Promise.all([alone.close(), together.close()]));

const closing = (customerId: string, start = periodStart) => ({
  subscriptionId: subscriptionOf(customerId),
  periodStart: start,
  at: dueAt,
});
const atOnce = { usageWaitMsMax: 0 };

/** What invoices say, with what they drew and were rated at, and where their subscriptions stand. */
const invoices = (db: Database) => db.sql`
  select invoice.id, invoice.number, invoice.status, invoice.total_minor, invoice.credits_applied_minor, run.event_count,
    subscription.billed_through, subscription.next_close_at,
    (select json_agg(row_to_json(said) order by said.line) from billing.invoice_line as said where invoice_id = invoice.id) as lines,
    (select json_agg(row_to_json(draw) order by position) from billing.credit_draw as draw where invoice_id = invoice.id) as draws,
    (select json_agg(json_build_object('price', price_key, 'quantity', quantity, 'exact', exact_minor) order by price_key)
      from billing.rated_usage as rated where rated.subscription_id = invoice.subscription_id) as rated
  from billing.invoice join billing.subscription on subscription.id = invoice.subscription_id
  left join billing.rating_run as run on run.invoice_id = invoice.id
  order by invoice.id`;

test("what is closed together comes to what each period does alone, and everything that must be true is", async () => {
  for (const customerId of customers) await closePeriodOnce(alone.db, closing(customerId), atOnce);
  const outcomes = await closePeriodsTogether(
    together.db,
    customers.map((customerId) => closing(customerId)),
    atOnce,
  );
  expect(outcomes.map((each) => each.status === "fulfilled" && each.value.outcome)).toEqual(
    customers.map(() => "closed"),
  );
  expect([...(await invoices(together.db))]).toEqual([...(await invoices(alone.db))]);
  await expectInvariants(together.db, { limits: { billing: 1e9 } });
});

test("closed again, each is answered with what was done", async () => {
  const again = await closePeriodsTogether(
    together.db,
    customers.map((customerId) => closing(customerId)),
    atOnce,
  );
  expect(again.map((each) => each.status === "fulfilled" && each.value.outcome)).toEqual(
    customers.map(() => "closed_before"),
  );
});

test("where one cannot be closed the others are, each by itself; periods of one customer never are together", async () => {
  const [first = "", second = ""] = customers;
  const february = "2026-02-01T00:00:00.000Z";
  const outOfOrder = closing(first, "2026-03-01T00:00:00.000Z");
  const outcomes = await closePeriodsTogether(
    together.db,
    [outOfOrder, closing(first, february), closing(second, february)],
    atOnce,
  );
  expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "fulfilled", "fulfilled"]);
  await expectInvariants(together.db, { limits: { billing: 1e9 } });
});

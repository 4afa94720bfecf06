import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type LedgerFixture, openLedger, refusal } from "./ledger-fixture.ts";

/** What was agreed of a subscription's periods stays, whoever writes. */
let ledger: LedgerFixture;

beforeAll(async () => {
  ledger = await openLedger();
  const { sql } = ledger.owner;
  await sql`insert into billing.customer (id, name, email, currency, time_zone, created_at)
    values ('ada', 'Ada', 'ada@example.com', 'usd', 'UTC', '2026-01-01Z')`;
  await sql`insert into billing.subscription
      (id, customer_id, status, started_at, interval_unit, interval_count, time_zone, currency, grace_seconds, billed_through, anchors)
    values ('sub', 'ada', 'active', '2026-01-01Z', 'month', 1, 'UTC', 'usd', 0, '2026-03-01Z', ${JSON.stringify([march])}::text::jsonb)`;
});
afterAll(() => ledger.close());

const march = {
  effectiveAt: "2026-03-10T00:00:00.000Z",
  at: "2026-03-10T00:00:00.000Z",
  unit: "year",
  count: 1,
};
const april = { ...march, effectiveAt: "2026-04-01T00:00:00.000Z" };
const february = { ...march, effectiveAt: "2026-02-10T00:00:00.000Z" };

const rewrite = (anchors: readonly object[]) => {
  const { sql } = ledger.db;
  return sql`update billing.subscription set anchors = ${JSON.stringify(anchors)}::text::jsonb where id = 'sub' returning id`;
};

const byTrigger = "RK001";

describe("the anchors of a subscription", () => {
  test.each([
    { why: "one that was agreed is gone", anchors: [] },
    { why: "one that was agreed is another", anchors: [{ ...march, count: 2 }] },
    { why: "another stands before it", anchors: [april, march] },
    { why: "one would cut a period that is closed", anchors: [march, february] },
  ])("are not rewritten: $why", async ({ anchors }) => {
    expect(await refusal(rewrite(anchors))).toBe(byTrigger);
  });

  test("are added to", async () => {
    expect(await rewrite([march, april])).toEqual([{ id: "sub" }]);
    expect(await refusal(rewrite([march]))).toBe(byTrigger);
  });
});

import { afterAll, beforeAll, expect, test } from "vitest";
import { factTables } from "../../src/db/invariants/table-rules.ts";
import { type LedgerFixture, openLedger, refusal } from "./ledger-fixture.ts";

/** References that a trigger looks up for a statement as a whole: from facts to facts. */
let ledger: LedgerFixture;
beforeAll(async () => {
  ledger = await openLedger();
});
afterAll(() => ledger.close());

const references = [
  { from: "billing.invoice_line", to: "billing.invoice_part" },
  { from: "billing.rated_usage", to: "billing.rating_run" },
  { from: "billing.rated_usage", to: "catalog.meter" },
  { from: "billing.rated_adjustment", to: "billing.rating_run" },
  { from: "billing.rated_adjustment", to: "catalog.plan" },
  { from: "billing.credit_draw", to: "billing.invoice_line" },
  { from: "billing.credit_draw", to: "billing.credit_grant" },
];

test("they are all from facts to facts, which stay", async () => {
  const found = await ledger.owner.sql<{ from: string; refers: string }[]>`
    select tgrelid::regclass::text as from, tgname as refers from pg_trigger where tgname like 'refers\\_to\\_%' order by 1, 2`;
  expect(found.map(({ from, refers }) => `${from} ${refers}`)).toEqual(
    references.map(({ from, to }) => `${from} refers_to_${to.split(".")[1]}`).toSorted(),
  );
  expect(
    references.flatMap(({ from, to }) => [from, to]).filter((table) => !factTables.includes(table)),
  ).toEqual([]);
});

const foreignKeyViolation = "23503";

test.each([
  {
    what: "a line of no invoice",
    statement: `insert into billing.invoice_line (invoice_id, line, kind, earning, description, product, period_start, period_end,
        amount_minor, exact_minor, detail)
      values ('inv_none', 1, 'flat', 'earned', 'x', 'x', now(), now(), 1, 1, '{}')`,
  },
  {
    what: "a draw for no line",
    statement: `insert into billing.credit_draw (invoice_id, position, line, grant_id, amount, drawn_at)
      values ('inv_none', 1, 1, 'crg_none', 1, now())`,
  },
  {
    what: "a price rated in no run",
    statement: `insert into billing.rated_usage (subscription_id, period_start, revision, terms_start, terms_end, plan_key, plan_version,
        price_key, product, meter, quantity, included_quantity, exact_minor)
      values ('sub_none', now(), 0, now(), now(), 'x', 1, 'x', 'x', 0, 1, 0, 1)`,
  },
  {
    what: "an adjustment in no run",
    statement: `insert into billing.rated_adjustment (subscription_id, period_start, revision, plan_key, plan_version, adjustment_key, charge,
        kind, product, earning, terms_start, terms_end, exact_minor, amount_minor)
      values ('sub_none', now(), 0, 'x', 1, 'x', 'x', 'overage', 'x', 'earned', now(), now(), 1, 1)`,
  },
])("$what is refused, to the application and to the owner", async ({ statement }) => {
  expect(await refusal(ledger.db.sql.unsafe(statement))).toBe(foreignKeyViolation);
  expect(await refusal(ledger.owner.sql.unsafe(statement))).toBe(foreignKeyViolation);
});

test("a table whose rows can go is not referred to so", async () => {
  const call = ledger.owner.sql.unsafe(
    "call public.refer_to_kept('billing.invoice_line', '{product}', 'billing.customer', '{id}')",
  );
  expect(await refusal(call)).toBe("P0001");
});

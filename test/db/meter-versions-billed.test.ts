import { afterAll, beforeAll, expect, test } from "vitest";
import { publishCatalog } from "../../src/db/billing/catalog.ts";
import { inTransaction } from "../../src/db/database.ts";
import { ratingInvariants } from "../../src/db/invariants/rating-invariants.ts";
import { parseCatalog } from "../../src/domain/catalog/index.ts";
import { expectInvariants } from "../support/invariants.ts";
import { BilledMonths } from "./billed-months.ts";

/** A meter whose second version counts what the first one does not. */
const catalogCounting = (...models: string[]) => ({
  meters: [
    {
      key: "tokens",
      eventType: "request",
      aggregation: "sum",
      property: "tokens",
      filter: [{ member: "model", in: models }],
    },
  ],
  plans: [
    {
      ...{ key: "metered", name: "metered", currency: "usd", interval: { unit: "month", count: 1 } },
      prices: [
        {
          ...{ key: "deep", type: "usage", name: "deep", product: "tokens", meter: "tokens" },
          ...{ unitLabel: "token", model: { type: "per_unit", unitPriceMinor: "1" } },
        },
      ],
    },
  ],
});

let months: BilledMonths;
beforeAll(async () => {
  months = await BilledMonths.begin(catalogCounting("deep"));
});
afterAll(() => months.end());

const runs = () => months.db.sql`
  select to_char(period_start at time zone 'UTC', 'YYYY-MM') as month, revision, event_count::int as events, invoice_id is not null as invoiced
  from billing.rating_run order by period_start, revision`;

test("what only another version counts is no event of the period: neither on time nor late", async () => {
  await months.subscribe("ada", "metered");
  await months.use("ada", "2026-01-05T00:00:00Z", 300);
  await inTransaction(months.db, (tx) => publishCatalog(tx, parseCatalog(catalogCounting("deep", "swift"))));
  // The first version measures January, and does not count this.
  await months.use("ada", "2026-01-06T00:00:00Z", 70, "swift");
  expect(await months.close("ada", "2026-01-01", "2026-02-01")).toEqual(["usage deep 300", "total 300"]);
  await months.use("ada", "2026-01-07T00:00:00Z", 70, "swift");
  // Nothing was used in February, and nothing of January comes late: there is no invoice.
  expect(await months.close("ada", "2026-02-01", "2026-03-01")).toEqual([]);
  await months.use("ada", "2026-01-08T00:00:00Z", 80);
  expect(await months.close("ada", "2026-03-01", "2026-04-01")).toEqual(["late_usage deep 80", "total 80"]);
  expect([...(await runs())]).toEqual([
    { month: "2026-01", revision: 0, events: 1, invoiced: true },
    { month: "2026-01", revision: 1, events: 1, invoiced: true },
    { month: "2026-02", revision: 0, events: 0, invoiced: false },
    { month: "2026-03", revision: 0, events: 0, invoiced: true },
  ]);
  await expectInvariants(months.db, { limits: { billing: 1e9, clearing: 1e9 } });
  for (const { name, sql } of ratingInvariants)
    expect([...(await months.db.sql.unsafe(sql))], name).toEqual([]);
});

import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { voidInvoice } from "../../src/activities/void-invoice.ts";
import { verifyInvoices } from "../../src/db/billing/invoice-verification.ts";
import { invoice } from "../../src/db/schema/billing.ts";
import { instantOfEpochMs, isoOf } from "../../src/domain/calendar/index.ts";
import { InvoiceNotVoidableError } from "../../src/domain/invoicing/index.ts";
import type { StripeRail } from "../../src/stripe/rail.ts";
import { expectInvariants } from "../support/invariants.ts";
import { BilledMonths } from "./billed-months.ts";
import { foldAll } from "./usage-fixture.ts";

/** Each customer has a twin with the same prices, the same usage and no thresholds. */

let months: BilledMonths;
beforeAll(async () => {
  months = await BilledMonths.begin(catalog());
});
afterAll(() => months.end());

const starts = ["2026-01-01", "2026-02-01", "2026-03-01", "2026-04-01"] as const;

type Step =
  | { readonly kind: "use"; readonly tokens: number; readonly model: string; readonly isLate: boolean }
  | { readonly kind: "change" | "void" | "nothing" };

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant("use" as const),
      tokens: fc.integer({ min: 0, max: 900 }),
      model: fc.constantFrom("deep", "swift"),
      isLate: fc.boolean(),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom("change", "void", "nothing") }) },
);

/** A month in steps, one every three days, each followed by a look at the thresholds. */
const anyStory = fc.record({
  credit: fc.nat(400),
  months: fc.array(fc.array(anyStep, { minLength: 3, maxLength: 8 }), { minLength: 3, maxLength: 3 }),
  isCanceled: fc.boolean(),
});

let stories = 0;

test("whatever happens, who is billed at thresholds is billed as a twin who is not; V1 to V12 hold, and invoices follow from their facts", async () => {
  await fc.assert(
    fc.asyncProperty(anyStory, async (story) => {
      const name = `customer-${++stories}`;
      const twin = `${name}-twin`;
      const before = await months.revenue();
      await months.subscribe(name, "stepped");
      await months.subscribe(twin, "plain");
      if (story.credit > 0) {
        for (const each of [name, twin]) await months.give(each, BigInt(story.credit));
      }
      for (const [index, steps] of story.months.entries()) {
        for (const [place, step] of steps.entries()) await take(name, twin, index, place, step);
        const [start = "", end = ""] = starts.slice(index);
        if (index === 2 && story.isCanceled) {
          for (const each of [name, twin]) {
            await months.change(each, "2026-03-28T00:00:00Z", { kind: "cancel", credit: "unused" });
          }
          for (const each of [name, twin]) await months.close(each, start, "2026-03-28");
        } else {
          for (const each of [name, twin]) await months.close(each, start, end);
        }
      }
      const after = await months.revenue();
      const earned = (product: string) => Number(after[product] ?? 0) - Number(before[product] ?? 0);
      for (const product of ["tokens", "support", "minimums"]) {
        expect(`${product} ${earned(product)}`).toBe(`${product} ${earned(`twin-${product}`)}`);
      }
    }),
    { numRuns: 8, seed: 20260105 },
  );
  await foldAll(months.db);
  await expectInvariants(months.db, { limits: { billing: 1e9, clearing: 1e9 } });
  const verified = await verifyInvoices(months.db);
  expect(verified.findings).toEqual([]);
  expect(verified.unknown).toEqual([]);
  const all = await months.db.orm.select().from(invoice);
  // The stories are long enough to say something.
  expect(all.filter(({ kind }) => kind === "threshold").length).toBeGreaterThan(15);
  expect(all.filter(({ kind, status }) => kind === "threshold" && status === "void").length).toBeGreaterThan(
    2,
  );
}, 120_000);

const day = 86_400_000;

async function take(name: string, twin: string, index: number, place: number, step: Step): Promise<void> {
  const begun = Date.parse(`${starts[index]}T00:00:00Z`);
  const now = begun + (place + 1) * 3 * day;
  const at = isoOf(instantOfEpochMs(now));
  if (step.kind === "use") {
    const time = step.isLate && index > 0 ? begun - day - place * 3_600_000 : now - day;
    for (const each of [name, twin]) {
      await months.use(each, isoOf(instantOfEpochMs(time)), step.tokens, step.model);
    }
  }
  if (step.kind === "change") {
    const isEven = (place + index) % 2 === 0;
    const other = { [name]: isEven ? "volume" : "stepped", [twin]: isEven ? "plain-volume" : "plain" };
    for (const each of [name, twin]) {
      await months.change(each, at, { kind: "change_plan", planKey: other[each] ?? "" });
    }
  }
  if (step.kind === "void") await voidNewest(name, at);
  await months.threshold(name, at);
}

async function voidNewest(customerId: string, at: string): Promise<void> {
  const all = await months.db.orm.select().from(invoice).orderBy(invoice.issuedAt, invoice.number);
  const newest = all.findLast((each) => each.customerId === customerId && each.status === "open");
  if (newest?.kind !== "threshold") return;
  const refusable = voidInvoice(
    { db: months.db, rail: {} as StripeRail, now: () => instantOfEpochMs(Date.now()) },
    { invoiceId: newest.id, at, reasonCode: "billing_error", reason: null, voidedBy: "api-key/finance" },
  );
  await refusable.catch((error: unknown) => {
    if (!(error instanceof InvoiceNotVoidableError)) throw error;
  });
}

function catalog() {
  const usage = (product: string, key: string, model: object, included = "0") => ({
    ...{ key, name: key, product, type: "usage", meter: "tokens", where: { model: key }, model, included },
  });
  const tiers = (type: "graduated" | "volume", ...prices: readonly string[]) => ({
    type,
    tiers: prices.map((unitPriceMinor, index) => ({
      upTo: index === prices.length - 1 ? null : String((index + 1) * 400),
      unitPriceMinor,
    })),
  });
  const plan = (key: string, prices: readonly object[], rest: object) => ({
    ...{ key, name: key, currency: "usd", interval: { unit: "month", count: 1 }, prices },
    ...rest,
  });
  const stepped = (key: string, of: string, rest: object) =>
    plan(
      key,
      [
        usage(`${of}tokens`, "deep", tiers("graduated", "0.37", "0.2", "0.11"), "100"),
        usage(`${of}tokens`, "swift", { type: "per_unit", unitPriceMinor: "0.123" }),
        {
          ...{ key: "held", name: "held", product: `${of}tokens`, type: "usage", meter: "held" },
          model: { type: "per_unit", unitPriceMinor: "0.0000001" },
        },
        {
          ...{ key: "support", name: "support", product: `${of}support`, type: "flat" },
          ...{ timing: "in_arrears", amountMinor: "210" },
        },
      ],
      {
        adjustments: [
          { key: "loyal", name: "loyal", type: "percent_discount", percent: "12.5" },
          { key: "minimum", name: "minimum", type: "minimum", amountMinor: "400", product: `${of}minimums` },
          { key: "cap", name: "cap", type: "maximum", amountMinor: "900" },
        ],
        ...rest,
      },
    );
  const volume = (key: string, of: string, rest: object) =>
    plan(key, [usage(`${of}tokens`, "deep", tiers("volume", "0.9", "0.3", "0.2"))], rest);
  const thresholds = { amountsMinor: ["60", "150", "300"], recurringMinor: "70" };
  const meter = { eventType: "request", property: "tokens" };
  return {
    meters: [
      { ...meter, key: "tokens", aggregation: "sum", dimensions: ["model"] },
      { ...meter, key: "held", aggregation: "time_weighted_sum" },
    ],
    plans: [
      stepped("stepped", "", { thresholds }),
      stepped("plain", "twin-", {}),
      volume("volume", "", { thresholds: { amountsMinor: ["80", "200"], recurringMinor: "100" } }),
      volume("plain-volume", "twin-", {}),
    ],
  };
}

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { addDuration, type Instant, instant, instantOfEpochMs } from "../../../src/domain/calendar/index.ts";
import {
  defaultProration,
  type PlanVersion,
  type ProrationPolicy,
  prorationUnits,
  type UsageModel,
} from "../../../src/domain/catalog/index.ts";
import { rateStretches, type Terms } from "../../../src/domain/invoicing/index.ts";
import { decimal } from "../../../src/domain/money/index.ts";
import { tableRows } from "../../support/markdown-tables.ts";
import { pro } from "./plans.ts";

/** What parts of a period include; the table of docs/proration.md, and what it leaves out. */

const april = { start: instant("2026-04-01T00:00:00Z"), end: instant("2026-05-01T00:00:00Z") };
const perUnit: UsageModel = { type: "per_unit", unitPriceMinor: "1" };

function plan(
  included: string,
  proration: Partial<ProrationPolicy>,
  key = "pro",
  model = perUnit,
): PlanVersion {
  const [, usage] = pro.prices;
  if (usage?.type !== "usage") throw new Error("the fixture has a price of usage");
  const prices = [{ ...usage, key: "tokens", where: {}, model, included }];
  return { ...pro, key, prices, proration: { ...defaultProration, ...proration } };
}

/** Rates stretches that follow each other, with so many tokens each. @returns "included/billable" of each */
function rated(
  period: { start: Instant; end: Instant },
  stretches: readonly { readonly until: Instant; readonly plan: PlanVersion; readonly used: string }[],
  timeZone = "UTC",
  start = period.start,
): string[] {
  const usage = stretches.map(({ until, plan: of, used }, index) => {
    const from = stretches[index - 1]?.until ?? start;
    const terms: Terms = { effectiveAt: from, items: [{ plan: of, seats: 1 }], paused: false };
    const readings = [{ meterKey: "tokens", dimensions: {}, quantity: decimal(used) }];
    return { stretch: { start: from, end: until, terms }, readings };
  });
  return rateStretches(usage, { full: period, timeZone }, []).map(
    ({ rated: { includedQuantity, billableQuantity } }) =>
      `${includedQuantity.text}/${billableQuantity.text}`,
  );
}

test.each(
  tableRows("proration.md", [
    "unit",
    "day of the change",
    "included",
    "period",
    "change at",
    "before",
    "after",
  ]),
)("%s, %s: of %s in %s, changed at %s, %s and %s", (...row) => {
  const [unit = "", owner = "", included = "", month = "", at = "", before = "", after = ""] = row;
  const start = instant(`${month}-01T00:00:00Z`);
  const period = { start, end: addDuration(start, { months: 1 }, "UTC") };
  const of = plan(included.replaceAll(",", ""), {
    unit: unit as ProrationPolicy["unit"],
    changeDayBelongsTo: owner as ProrationPolicy["changeDayBelongsTo"],
  });
  const used = "1000000";
  const found = rated(period, [
    { until: instant(at), plan: of, used: unit === "none" ? before.replaceAll(",", "") : used },
    { until: period.end, plan: { ...of, version: 2 }, used },
  ]);
  expect(found.map((text) => text.split("/")[0])).toEqual(
    [before, after].map((text) => text.replaceAll(",", "")),
  );
});

describe("whole periods only", () => {
  const whole = plan("1000", { unit: "none" });
  const tenth = instant("2026-04-11T00:00:00Z");
  const twentieth = instant("2026-04-21T00:00:00Z");

  test.each([
    { used: ["300", "900"], free: ["300/0", "700/200"], why: "what the first stretch left goes on" },
    { used: ["1200", "50"], free: ["1000/200", "0/50"], why: "nothing is left" },
    { used: ["0", "1000"], free: ["0/0", "1000/0"], why: "all is left" },
  ])("of 1000, with $used used: $why", ({ used: [first = "", second = ""], free }) => {
    const stretches = [
      { until: tenth, plan: whole, used: first },
      { until: april.end, plan: { ...whole, version: 2 }, used: second },
    ];
    expect(rated(april, stretches)).toEqual(free);
  });

  test("a plan that a change brings includes nothing until the next period, and one that comes back what it had left", () => {
    const other = plan("5000", { unit: "none" }, "max");
    const stretches = [
      { until: tenth, plan: whole, used: "400" },
      { until: twentieth, plan: other, used: "100" },
      { until: april.end, plan: whole, used: "700" },
    ];
    expect(rated(april, stretches)).toEqual(["400/0", "0/100", "600/100"]);
  });

  test("a first part of a period includes as much as a whole one", () => {
    const only = [{ until: april.end, plan: whole, used: "1500" }];
    expect(rated(april, only, "UTC", twentieth)).toEqual(["1000/500"]);
  });

  test("free events go on as well", () => {
    const model: UsageModel = { type: "percentage", percent: "1", freeEvents: 3 };
    const of = plan("0", { unit: "none" }, "fees", model);
    const events = [decimal("100"), decimal("200")];
    const stretchOf = (start: Instant, end: Instant) => {
      const terms = { effectiveAt: start, items: [{ plan: of, seats: 1 }], paused: false };
      const reading = { planKey: "fees", priceKey: "tokens", events };
      const readings = [{ meterKey: "tokens", dimensions: {}, quantity: decimal("300") }];
      return { stretch: { start, end, terms }, readings, priceReadings: [reading] };
    };
    const usage = [stretchOf(april.start, tenth), stretchOf(tenth, april.end)];
    const found = rateStretches(usage, { full: april, timeZone: "UTC" }, []);
    // Three of four are free: 100, 200 and 100; a hundredth of 200 is due.
    expect(found.map(({ rated: { exactMinor } }) => exactMinor.text)).toEqual(["0", "2"]);
  });
});

test("days are those of the customer: in Auckland the change is on the 12th", () => {
  const days = plan("3000", { unit: "day" });
  const local = { start: instant("2026-03-31T11:00:00Z"), end: instant("2026-04-30T12:00:00Z") };
  const stretches = [
    { until: instant("2026-04-11T13:00:00Z"), plan: days, used: "9000" },
    { until: local.end, plan: days, used: "9000" },
  ];
  expect(rated(local, stretches, "Pacific/Auckland")).toEqual(["1100/7900", "1900/7100"]);
});

describe("INV-39: what the parts of a period include is, together, what the whole does", () => {
  const anyCuts = fc
    .array(fc.integer({ min: april.start + 1, max: april.end - 1 }), { maxLength: 4 })
    .map((cuts) =>
      [...new Set(cuts)].toSorted((one, other) => one - other).map((at) => instantOfEpochMs(at)),
    );
  const zones = fc.constantFrom("UTC", "America/Sao_Paulo", "Australia/Lord_Howe");
  const sumOf = (parts: readonly string[], side: 0 | 1) =>
    parts.reduce((sum, part) => sum + BigInt(part.split("/")[side] ?? ""), 0n);

  test.each(prorationUnits.filter((unit) => unit !== "none"))("shared by %s", (unit) => {
    fc.assert(
      fc.property(anyCuts, zones, fc.nat({ max: 10_000 }), (cuts, timeZone, included) => {
        const of = plan(String(included), { unit });
        const stretches = [...cuts, april.end].map((until) => ({ until, plan: of, used: "1000000" }));
        expect(sumOf(rated(april, stretches, timeZone), 0)).toBe(BigInt(included));
      }),
    );
  });

  test("with none, whatever was used when: only what is above it is billed", () => {
    const anyUsed = fc.array(fc.nat({ max: 2_000 }), { minLength: 5, maxLength: 5 });
    fc.assert(
      fc.property(anyCuts, anyUsed, fc.nat({ max: 5_000 }), (cuts, used, included) => {
        const of = plan(String(included), { unit: "none" });
        const stretches = [...cuts, april.end].map((until, index) => ({
          ...{ until, plan: of, used: String(used[index] ?? 0) },
        }));
        const all = stretches.reduce((sum, stretch) => sum + Number(stretch.used), 0);
        expect(sumOf(rated(april, stretches), 1)).toBe(BigInt(Math.max(0, all - included)));
      }),
    );
  });
});

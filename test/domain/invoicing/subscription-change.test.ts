import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type AgreedAnchor,
  type BillingInterval,
  instant,
  instantOfEpochMs,
  isoOf,
} from "../../../src/domain/calendar/index.ts";
import {
  defaultProration,
  type PlanVersion,
  type ProrationPolicy,
  prorationUnits,
} from "../../../src/domain/catalog/index.ts";
import {
  advanceLines,
  type ChangeChoices,
  type ChangeFacts,
  chargedTime,
  type DecidedChange,
  decideChange,
  decideEnding,
  type InvoiceLine,
  quotedText,
  type Terms,
} from "../../../src/domain/invoicing/index.ts";
import { money } from "../../../src/domain/money/index.ts";
import { measureOf, shareOfPart } from "../../../src/domain/proration/index.ts";
import { pro, team } from "./plans.ts";

/** April 2026 has 30 days. */
const april = { start: instant("2026-04-01T00:00:00Z"), end: instant("2026-05-01T00:00:00Z") };
const eleventh = instant("2026-04-11T00:00:00Z");
const monthly: BillingInterval = { unit: "month", count: 1 };
const anchors: AgreedAnchor[] = [
  { effectiveAt: april.start, anchor: { at: april.start, interval: monthly, timeZone: "UTC" } },
];

interface PlanOptions {
  readonly amount: string;
  readonly interval?: BillingInterval;
  readonly proration?: Partial<ProrationPolicy>;
}

function plan(key: string, { amount, interval = monthly, proration }: PlanOptions): PlanVersion {
  const [base] = pro.prices;
  if (base?.type !== "flat") throw new Error("the fixture has a base fee");
  return {
    ...pro,
    key,
    name: key,
    interval,
    prices: [{ ...base, amountMinor: amount }],
    ...(proration === undefined ? {} : { proration: { ...defaultProration, ...proration } }),
  };
}

const agreed = (of: PlanVersion, effectiveAt = april.start, seats = 1): Terms => ({
  effectiveAt,
  items: [{ plan: of, seats }],
  paused: false,
});

/** April was charged in advance, and paid in full. */
function charged(terms: Terms, timeZone = "UTC"): ChangeFacts {
  return { terms, anchors, timeZone, charged: chargedTime(advanceLines(terms, april)) };
}

const shown = (lines: readonly InvoiceLine[]) =>
  lines.map(({ kind, amount }) => `${kind} ${amount.amountMinor}`);

const days = ({ lines }: DecidedChange) =>
  lines.map(({ period }) => `${isoOf(period.start).slice(5, 10)} to ${isoOf(period.end).slice(5, 10)}`);

describe("from 20.00 to 50.00 on day 10 of 30, option by option", () => {
  test.each<{
    why: string;
    old?: Partial<ProrationPolicy>;
    next?: Partial<ProrationPolicy>;
    choices?: ChangeChoices;
    lines: string[];
    settle?: string;
  }>([
    { why: "the default", lines: ["proration_credit -1333", "proration_charge 3333"] },
    {
      why: "by the day, which is the new plan's",
      old: { unit: "day" },
      next: { unit: "day" },
      lines: ["proration_credit -1333", "proration_charge 3333"],
    },
    {
      why: "by the day, which is the old plan's: 19 days are left",
      old: { unit: "day", changeDayBelongsTo: "old" },
      next: { unit: "day", changeDayBelongsTo: "old" },
      lines: ["proration_credit -1267", "proration_charge 3167"],
    },
    {
      why: "the old plan does not prorate: nothing is handed back",
      old: { unit: "none" },
      lines: ["proration_charge 3333"],
    },
    {
      why: "neither does the new one: it is charged from the next period on",
      old: { unit: "none" },
      next: { unit: "none" },
      lines: [],
    },
    {
      why: "on the next invoice",
      next: { settle: "next_invoice" },
      lines: ["proration_credit -1333", "proration_charge 3333"],
      settle: "next_invoice",
    },
    { why: "not settled", next: { settle: "none" }, lines: [], settle: "none" },
    {
      why: "the change says otherwise than the plan",
      next: { settle: "none" },
      choices: { settle: "now" },
      lines: ["proration_credit -1333", "proration_charge 3333"],
    },
    {
      why: "a new period is asked for",
      choices: { anchor: "reset" },
      lines: ["proration_credit -1333", "flat 5000"],
    },
    {
      why: "a new period that is not settled is charged all the same, only what is left of the old one is not handed back",
      choices: { anchor: "reset", settle: "none" },
      lines: ["flat 5000"],
      settle: "none",
    },
  ])("$why", ({ old, next, choices = {}, lines, settle = "now" }) => {
    const before = plan("basic", { amount: "2000", ...(old === undefined ? {} : { proration: old }) });
    const after = plan("plus", { amount: "5000", ...(next === undefined ? {} : { proration: next }) });
    const decided = decideChange(charged(agreed(before)), agreed(after, eleventh), choices);
    expect(shown(decided.lines)).toEqual(lines);
    expect(decided.settle).toBe(settle);
  });
});

describe("a change to a plan by the year", () => {
  const year: BillingInterval = { unit: "year", count: 1 };
  test.each([
    {
      intervalChange: "reset_and_charge",
      lines: ["proration_credit -2000", "flat 36500"],
      days: ["04-11 to 05-01", "04-11 to 04-11"],
      why: "a year begins, in full; 20 of 30 days are handed back",
    },
    {
      intervalChange: "keep_and_prorate",
      lines: ["proration_credit -2000", "proration_charge 35500"],
      days: ["04-11 to 05-01", "04-11 to 04-01"],
      why: "355 of the 365 days from 1 April on",
    },
  ] as const)("$intervalChange: $why", ({ intervalChange, lines, days: parts }) => {
    const before = plan("monthly", { amount: "3000" });
    const after = plan("yearly", { amount: "36500", interval: year, proration: { intervalChange } });
    const decided = decideChange(charged(agreed(before)), agreed(after, eleventh));
    expect(shown(decided.lines)).toEqual(lines);
    expect(days(decided)).toEqual(parts);
    expect(decided.anchor?.effectiveAt).toBe(eleventh);
  });
});

describe("a credit is of what was charged for the time, and paid", () => {
  const basic = plan("basic", { amount: "2000" });
  const coupon = (of: Terms, share: bigint): ChangeFacts => {
    const lines = advanceLines(of, april).flatMap((line) => [
      line,
      { ...line, kind: "discount" as const, amount: money(-(line.amount.amountMinor * share) / 100n, "usd") },
    ]);
    return { ...charged(of), charged: chargedTime(lines) };
  };
  test.each([
    { why: "half price: 20 of 30 days of 10.00", basis: "paid", share: 50n, credit: 667n },
    { why: "the list price, whatever was paid", basis: "list", share: 50n, credit: 1333n },
    { why: "a gift is not handed back", basis: "paid", share: 100n, credit: 0n },
  ] as const)("$why", ({ basis, share, credit }) => {
    const before = plan("basic", { amount: "2000", proration: { creditBasis: basis } });
    const { lines } = decideEnding(coupon(agreed(before), share), eleventh, "credit");
    expect(lines.reduce((sum, { amount }) => sum - amount.amountMinor, 0n)).toBe(credit);
  });

  test("what was never charged is not handed back: after a change that was not settled", () => {
    const after = agreed(plan("plus", { amount: "5000" }), eleventh);
    const facts = { ...charged(agreed(basic)), terms: after };
    expect(decideEnding(facts, instant("2026-04-21T00:00:00Z"), "credit").lines).toEqual([]);
  });

  test("seats that were added without a charge are not handed back with the others", () => {
    const five = agreed(team, eleventh, 5);
    const facts = { ...charged(agreed(team, april.start, 3)), terms: five };
    // 2 × 62.00 were charged; 10 of 30 days are left.
    const { lines } = decideEnding(facts, instant("2026-04-21T00:00:00Z"), "credit");
    expect(lines.map(({ description, amount }) => [description, amount.amountMinor])).toEqual([
      ["Unused time on Team: seats × 2", -4133n],
    ]);
  });

  test("what is handed back and taken again in one change comes to nothing: resumed after a pause that was not settled", () => {
    const paused = { ...agreed(basic, eleventh), paused: true };
    const facts = { ...charged(agreed(basic)), terms: paused };
    const { lines } = decideChange(facts, agreed(basic, instant("2026-04-21T00:00:00Z")));
    expect(shown(lines)).toEqual(["proration_credit -667", "proration_charge 667"]);
  });

  test("while the period is not charged yet, its credits are of what it will be charged", () => {
    const facts = { ...charged(agreed(basic)), charged: null };
    const { lines } = decideEnding(facts, eleventh, "credit");
    expect(shown(lines)).toEqual(["proration_credit -1333"]);
  });
});

describe("an end", () => {
  const facts = charged(agreed(plan("basic", { amount: "2000" })));
  test.each([
    { unused: "credit", lines: ["proration_credit -1333"] },
    { unused: "refund", lines: ["proration_credit -1333"] },
    { unused: "none", lines: [] },
  ] as const)("with $unused for unused time that no invoice charged", ({ unused, lines }) => {
    const nowhere = { invoices: [], waiting: money(0n, "usd") };
    const ending = decideEnding(facts, eleventh, unused, nowhere);
    expect(shown(ending.lines)).toEqual(lines);
    expect([ending.notes, ending.returned]).toEqual([[], []]);
  });
  test("what credit notes took off a charge is not handed back again: of 10.00 that are left, two thirds", () => {
    const lines = advanceLines(facts.terms, april).map((line) => ({ ...line, creditedMinor: 1000n }));
    const credited = { ...facts, charged: chargedTime(lines) };
    expect(shown(decideEnding(credited, eleventh, "credit").lines)).toEqual(["proration_credit -667"]);
  });
});

describe("a quote", () => {
  const before = agreed(plan("basic", { amount: "2000" }));
  const quoteOf = (amount: string, at = eleventh) => {
    const { lines } = decideChange(charged(before), agreed(plan("plus", { amount }), at));
    return quotedText(at, lines);
  };
  test("is the same for the same lines at the same instant", () => {
    expect(quoteOf("5000")).toBe(quoteOf("5000"));
  });
  test("is another when a cent is another, or a millisecond", () => {
    expect(quoteOf("5001")).not.toBe(quoteOf("5000"));
    expect(quoteOf("5000", instantOfEpochMs(eleventh + 1))).not.toBe(quoteOf("5000"));
  });
});

const anyPolicy = fc.record({
  unit: fc.constantFrom(...prorationUnits),
  changeDayBelongsTo: fc.constantFrom("old" as const, "new" as const),
  creditBasis: fc.constantFrom("list" as const, "paid" as const),
});
const anyInstant = fc.integer({ min: april.start + 1, max: april.end - 1 }).map(instantOfEpochMs);
const anyAmount = fc.bigInt(0n, 10n ** 7n).map(String);

const sumOf = (lines: readonly InvoiceLine[]) =>
  lines.reduce((sum, { amount }) => sum + amount.amountMinor, 0n);

test("there and back at one instant is nothing, however both plans prorate", () => {
  fc.assert(
    fc.property(anyPolicy, anyPolicy, anyAmount, anyAmount, anyInstant, (mine, other, from, to, at) => {
      const one = plan("one", { amount: from, proration: mine });
      const two = plan("two", { amount: to, proration: other });
      const first = charged(agreed(one));
      const there = decideChange(first, agreed(two, at));
      const lines = [...advanceLines(agreed(one), april), ...there.lines];
      const back = decideChange(
        { ...first, terms: agreed(two, at), charged: chargedTime(lines) },
        agreed(one, at),
      );
      expect(sumOf([...there.lines, ...back.lines])).toBe(0n);
    }),
  );
});

test("INV-33: however often plans change in a period, each costs exactly its own time", () => {
  const policy = fc.record({
    unit: fc.constantFrom("second" as const, "day" as const, "fixed_30" as const, "30_360" as const),
    creditBasis: fc.constantFrom("list" as const, "paid" as const),
  });
  const anyChanges = fc.array(fc.tuple(anyInstant, anyAmount), { maxLength: 6 });
  fc.assert(
    fc.property(policy, anyAmount, anyChanges, (proration, amount, steps) => {
      const changes = steps
        .toSorted(([one], [other]) => one - other)
        .filter(([at], index, all) => at !== all[index - 1]?.[0]);
      const held = [[april.start, amount] as const, ...changes];
      const { unit } = proration;
      const measure = measureOf(
        { full: april, interval: monthly, timeZone: "UTC" },
        { unit, changeDayBelongsTo: "new" },
      );
      let terms = agreed(plan("0", { amount, proration }));
      const lines = [...advanceLines(terms, april)];
      let expected = 0n;
      for (const [index, [start, price]] of held.entries()) {
        if (index > 0) {
          const facts = { terms, anchors, timeZone: "UTC", charged: chargedTime(lines) };
          terms = agreed(plan(String(index), { amount: price, proration }), start);
          lines.push(...decideChange(facts, terms).lines);
        }
        const end = held[index + 1]?.[0] ?? april.end;
        expected += shareOfPart(money(BigInt(price), "usd"), measure, { start, end }).amountMinor;
      }
      expect(sumOf(lines)).toBe(expected);
    }),
  );
});

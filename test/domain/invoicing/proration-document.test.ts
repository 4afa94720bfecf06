import { describe, expect, test } from "vitest";
import {
  addDuration,
  agreedPeriodAt,
  type BillingInterval,
  type Instant,
  instant,
  isoOf,
  type Period,
} from "../../../src/domain/calendar/index.ts";
import {
  defaultProration,
  type PlanVersion,
  type ProrationPolicy,
} from "../../../src/domain/catalog/index.ts";
import {
  advanceLines,
  arrearsLines,
  type ChangeFacts,
  chargedTime,
  type DecidedChange,
  decideChange,
  decideEnding,
  stretchesOf,
  type Terms,
} from "../../../src/domain/invoicing/index.ts";
import { money } from "../../../src/domain/money/index.ts";
import { split } from "../../../src/domain/proration/index.ts";
import { centsOf, tableRows } from "../../support/markdown-tables.ts";
import { pro } from "./plans.ts";

/** Every example of docs/proration.md, run. */

const monthly: BillingInterval = { unit: "month", count: 1 };

function plan(
  key: string,
  amount: string,
  proration: Partial<ProrationPolicy>,
  interval: BillingInterval = monthly,
): PlanVersion {
  const [base] = pro.prices;
  if (base?.type !== "flat") throw new Error("the fixture has a base fee");
  const prices = [{ ...base, amountMinor: String(centsOf(amount)) }];
  return { ...pro, key, interval, prices, proration: { ...defaultProration, ...proration } };
}

const monthOf = (text = ""): Period => {
  const start = instant(`${text}-01T00:00:00Z`);
  return { start, end: addDuration(start, { months: 1 }, "UTC") };
};

const termsOf = (of: PlanVersion, effectiveAt: Instant): Terms => ({
  effectiveAt,
  items: [{ plan: of, seats: 1 }],
  paused: false,
});

function chargedFor(terms: Terms, { start, end }: Period, interval = monthly): ChangeFacts {
  const anchors = [{ effectiveAt: start, anchor: { at: start, interval, timeZone: "UTC" } }];
  return { terms, anchors, timeZone: "UTC", charged: chargedTime(advanceLines(terms, { start, end })) };
}

const sumOf = ({ lines }: Pick<DecidedChange, "lines">, kind: string): bigint =>
  lines.filter((line) => line.kind === kind).reduce((sum, { amount }) => sum + amount.amountMinor, 0n);

const changeRows = tableRows("proration.md", [
  "unit",
  "day of the change",
  "from",
  "to",
  "period",
  "change at",
  "credit",
  "charge",
]);

describe("credit and charge", () => {
  test.each(changeRows)("%s, %s: from %s to %s in %s at %s: %s and %s", (...cells) => {
    const [unit, owner, from = "", to = "", period, at = "", credit = "", charge = ""] = cells;
    const policy = { unit, changeDayBelongsTo: owner } as Partial<ProrationPolicy>;
    const month = monthOf(period);
    const facts = chargedFor(termsOf(plan("old", from, policy), month.start), month);
    const decided = decideChange(facts, termsOf(plan("new", to, policy), instant(at)));
    expect(sumOf(decided, "proration_credit")).toBe(centsOf(credit));
    expect(sumOf(decided, "proration_charge")).toBe(centsOf(charge));
  });

  test("there are examples", () => expect(changeRows.length).toBeGreaterThan(8));
});

describe("the basis of a credit", () => {
  test.each(tableRows("proration.md", ["basis", "price", "paid", "period", "change at", "credit"]))(
    "%s: %s, of which %s was paid for %s, left at %s: %s",
    (basis, price = "", paid = "", period, at = "", credit = "") => {
      const month = monthOf(period);
      const policy = { creditBasis: basis } as Partial<ProrationPolicy>;
      const facts = chargedFor(termsOf(plan("old", price, policy), month.start), month);
      const charged = (facts.charged ?? []).map((entry) => ({ ...entry, paidMinor: centsOf(paid) }));
      const ending = decideEnding({ ...facts, charged }, instant(at), "credit");
      expect(sumOf(ending, "proration_credit")).toBe(centsOf(credit));
    },
  );
});

describe("another interval", () => {
  const header = ["interval_change", "from", "to", "change at", "lines", "then until"];
  test.each(tableRows("proration.md", header))("%s: %s, %s, at %s: %s, %s", (...cells) => {
    const [intervalChange, from = "", to = "", at = "", lines = "", until] = cells;
    const policy = { intervalChange } as Partial<ProrationPolicy>;
    const [oldPrice = "", , oldUnit] = from.split(" ");
    const [newPrice = "", , newUnit] = to.split(" ");
    const intervalOf = (unit: string | undefined) => ({ unit: unit as "month", count: 1 });
    const start = instant("2026-04-01T00:00:00Z");
    const old = plan("old", oldPrice, policy, intervalOf(oldUnit));
    const next = plan("new", newPrice, policy, intervalOf(newUnit));
    const end = addDuration(start, { [`${old.interval.unit}s`]: 1 }, "UTC");
    const facts = chargedFor(termsOf(old, start), { start, end }, old.interval);
    const decided = decideChange(facts, termsOf(next, instant(at)));
    expect(decided.lines.map(({ amount }) => amount.amountMinor)).toEqual(lines.split(" + ").map(centsOf));
    if (decided.anchor === null) throw new Error("another interval has another anchor");
    const { period } = agreedPeriodAt([...facts.anchors, decided.anchor], instant(at));
    expect(isoOf(period.end).slice(0, 10)).toBe(until);
  });
});

describe("seats in arrears", () => {
  const header = ["counting", "seats, each from a day of April on", "price", "amounts"];
  test.each(tableRows("proration.md", header))("%s: %s at %s: %s", (...cells) => {
    const [counting, history = "", price = "", amounts = ""] = cells;
    const prices = [
      {
        type: "seat" as const,
        key: "seats",
        name: "Seats",
        product: "seats",
        timing: "in_arrears" as const,
        unitAmountMinor: String(centsOf(price)),
        includedSeats: 0,
        counting: counting as "peak",
      },
    ];
    const terms = history.split(", ").map((entry): Terms => {
      const [day = "", seats] = entry.split(": ");
      const effectiveAt = instant(`2026-04-${day.padStart(2, "0")}T00:00:00Z`);
      return { effectiveAt, items: [{ plan: { ...pro, prices }, seats: Number(seats) }], paused: false };
    });
    const april = monthOf("2026-04");
    const lines = arrearsLines(stretchesOf(terms, april), april);
    expect(lines.map(({ amount }) => amount.amountMinor)).toEqual(amounts.split(" + ").map(centsOf));
  });
});

describe("what rounding leaves", () => {
  test.each(tableRows("proration.md", ["amount", "in", "remainder", "negative", "parts"]))(
    "%s in %s, %s, %s: %s",
    (amount = "", _in, remainder, negative, parts = "") => {
      const april = monthOf("2026-04");
      const thirds = [instant("2026-04-11T00:00:00Z"), instant("2026-04-21T00:00:00Z")];
      const options = { remainder: remainder as "last", negative: negative as "mirrored" };
      const segments = split(money(centsOf(amount), "usd"), april, thirds, options);
      expect(segments.map(({ amountMinor }) => amountMinor)).toEqual(parts.split(", ").map(centsOf));
    },
  );
});

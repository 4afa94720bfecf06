import { describe, expect, test } from "vitest";
import { instant, isoOf } from "../../../src/domain/calendar/index.ts";
import {
  defaultProration,
  type PlanVersion,
  type ProrationPolicy,
  type SeatPrice,
} from "../../../src/domain/catalog/index.ts";
import {
  advanceLines,
  arrearsLines,
  type InvoiceLine,
  stretchesOf,
  type Terms,
} from "../../../src/domain/invoicing/index.ts";
import { team } from "./plans.ts";

/** April 2026 has 30 days. */
const april = { start: instant("2026-04-01T00:00:00Z"), end: instant("2026-05-01T00:00:00Z") };

/** 9.00 a seat and month above the first. */
const seat: SeatPrice = {
  type: "seat",
  key: "seats",
  name: "seats",
  product: "team",
  timing: "in_arrears",
  unitAmountMinor: "900",
  includedSeats: 1,
};

function plan(price: Partial<SeatPrice>, proration: Partial<ProrationPolicy> = {}): PlanVersion {
  return { ...team, prices: [{ ...seat, ...price }], proration: { ...defaultProration, ...proration } };
}

/** `[day of April, seats]`; null is a pause. */
type History = readonly (readonly [number, number | null])[];

function termsOf(of: PlanVersion, history: History): Terms[] {
  return history.map(([day, seats]) => ({
    effectiveAt: instant(`2026-04-${String(day).padStart(2, "0")}T00:00:00Z`),
    items: [{ plan: of, seats: seats ?? 1 }],
    paused: seats === null,
  }));
}

const shown = (lines: readonly InvoiceLine[]) =>
  lines.map(
    ({ period, quantity, amount }) =>
      `${isoOf(period.start).slice(5, 10)} to ${isoOf(period.end).slice(5, 10)}: ${quantity?.text} seats, ${amount.amountMinor}`,
  );

describe("seats in arrears", () => {
  test.each<{
    why: string;
    price?: Partial<SeatPrice>;
    policy?: Partial<ProrationPolicy>;
    history: History;
    lines: string[];
  }>([
    {
      why: "each number for the time that it held: 2 × 9.00 × 10/30, 5 × 9.00 × 20/30",
      history: [
        [1, 3],
        [11, 6],
      ],
      lines: ["04-01 to 04-11: 2 seats, 600", "04-11 to 05-01: 5 seats, 3000"],
    },
    {
      why: "the most that there were, for all the time: 5 × 9.00",
      price: { counting: "peak" },
      history: [
        [1, 3],
        [11, 6],
        [12, 2],
      ],
      lines: ["04-01 to 05-01: 5 seats, 4500"],
    },
    {
      why: "the peak does not pay for a pause: 20 of 30 days",
      price: { counting: "peak" },
      history: [
        [1, 3],
        [11, null],
        [21, 6],
      ],
      lines: ["04-01 to 04-11: 5 seats, 1500", "04-21 to 05-01: 5 seats, 1500"],
    },
    {
      why: "what did not change is one line",
      history: [
        [1, 3],
        [11, 3],
        [21, 3],
      ],
      lines: ["04-01 to 05-01: 2 seats, 1800"],
    },
    {
      why: "seats that are included cost nothing",
      history: [
        [1, 1],
        [16, 2],
      ],
      lines: ["04-16 to 05-01: 1 seats, 450"],
    },
    {
      why: "whole periods only: what holds at the end, in full",
      policy: { unit: "none" },
      history: [
        [1, 6],
        [30, 3],
      ],
      lines: ["04-30 to 05-01: 2 seats, 1800"],
    },
    {
      why: "each number is a part of its own whole: 200.00 until day 20 is 133.33, until day 10 it is 66.67",
      price: { unitAmountMinor: "10000", includedSeats: 0 },
      history: [
        [1, 1],
        [11, 2],
        [21, 1],
      ],
      lines: [
        "04-01 to 04-11: 1 seats, 3333",
        "04-11 to 04-21: 2 seats, 6666",
        "04-21 to 05-01: 1 seats, 3333",
      ],
    },
  ])("$why", ({ price = {}, policy = {}, history, lines }) => {
    const stretches = stretchesOf(termsOf(plan(price, policy), history), april);
    expect(shown(arrearsLines(stretches, april))).toEqual(lines);
  });
});

describe("seats by tiers", () => {
  const tiers = [
    { upTo: "5", unitPriceMinor: "1000", flatMinor: "0" },
    { upTo: null, unitPriceMinor: "800", flatMinor: "0" },
  ];
  const steps = [
    { upTo: "5", priceMinor: "4000" },
    { upTo: null, priceMinor: "7000" },
  ];
  test.each<{ why: string; model: NonNullable<SeatPrice["model"]>; seats: number; cents: bigint }>([
    { why: "5 × 10.00", model: { type: "graduated", tiers }, seats: 5, cents: 5000n },
    { why: "5 × 10.00 + 2 × 8.00", model: { type: "graduated", tiers }, seats: 7, cents: 6600n },
    { why: "7 × 8.00", model: { type: "volume", tiers }, seats: 7, cents: 5600n },
    { why: "up to 5 seats", model: { type: "stairstep", steps }, seats: 5, cents: 4000n },
    { why: "6 seats or more", model: { type: "stairstep", steps }, seats: 6, cents: 7000n },
  ])("$model.type, $seats: $why", ({ model, seats, cents }) => {
    const price = { model, timing: "in_advance" as const, includedSeats: 0, unitAmountMinor: "0" };
    const [terms] = termsOf(plan(price), [[1, seats]]);
    if (terms === undefined) throw new Error("there are terms");
    expect(advanceLines(terms, april).map(({ amount }) => amount.amountMinor)).toEqual([cents]);
  });
});

describe("the first part of a period in advance, from 16 April on", () => {
  const part = { start: instant("2026-04-16T00:00:00Z"), end: april.end };
  const frame = { full: april, timeZone: "UTC" };
  test.each([
    { why: "15 of 30 days", anchor: { type: "calendar" }, policy: {}, cents: [900n] },
    { why: "given away", anchor: { type: "calendar", stub: "free" }, policy: {}, cents: [] },
    { why: "whole periods only", anchor: { type: "calendar" }, policy: { unit: "none" }, cents: [1800n] },
  ] as const)("$why", ({ anchor, policy, cents }) => {
    const of = { ...plan({ timing: "in_advance" }, policy), anchor };
    const terms = { effectiveAt: part.start, items: [{ plan: of, seats: 3 }], paused: false };
    const lines = advanceLines(terms, part, frame);
    expect(lines.map(({ amount }) => amount.amountMinor)).toEqual(cents);
  });
});

import { describe, expect, test } from "vitest";
import type { PriceAdjustment } from "../../../src/domain/catalog/index.ts";
import { Fraction, money } from "../../../src/domain/money/index.ts";
import { type AdjustmentContext, adjustCharges } from "../../../src/domain/pricing/index.ts";
import { cap, charge, commitment, context, minimum, off, percentOff, shown } from "./adjustments.ts";

const tenDays = new Fraction(10n, 31n);

interface Row {
  readonly why: string;
  readonly charges: readonly ReturnType<typeof charge>[];
  readonly adjustments: readonly PriceAdjustment[];
  readonly given?: Partial<AdjustmentContext>;
  readonly expected: readonly string[];
}

function check({ charges, adjustments, given = {}, expected }: Row): void {
  expect(shown(adjustCharges(charges, adjustments, { ...context, ...given }))).toEqual(expected);
}

describe("a minimum", () => {
  test.each<Row>([
    {
      why: "100 − 80 is missing",
      charges: [charge("usage", "80")],
      adjustments: [minimum("100")],
      expected: ["true_up minimum 20"],
    },
    {
      why: "the minimum itself misses nothing",
      charges: [charge("usage", "100")],
      adjustments: [minimum("100")],
      expected: [],
    },
    {
      why: "without any charge all of it is due",
      charges: [],
      adjustments: [minimum("100")],
      expected: ["true_up minimum 100"],
    },
    {
      why: "what was charged in advance counts: 100 − 30 − 50",
      charges: [charge("base", "30", {}), charge("usage", "50")],
      adjustments: [minimum("100")],
      expected: ["true_up minimum 20"],
    },
    {
      why: "only the named prices count: 100 − 50",
      charges: [charge("base", "30"), charge("usage", "50")],
      adjustments: [{ ...minimum("100"), prices: ["usage"] }],
      expected: ["true_up minimum 50"],
    },
    {
      why: "10 of 31 days: 310 × 10 / 31 − 80",
      charges: [charge("usage", "80")],
      adjustments: [minimum("310")],
      given: { charged: tenDays },
      expected: ["true_up minimum 20"],
    },
    {
      why: "10 of 31 days, not prorated: 310 − 80",
      charges: [charge("usage", "80")],
      adjustments: [{ ...minimum("310"), prorated: false }],
      given: { charged: tenDays },
      expected: ["true_up minimum 230"],
    },
    {
      why: "paused all the time, nothing is due",
      charges: [charge("usage", "80")],
      adjustments: [{ ...minimum("310"), prorated: false }],
      given: { charged: new Fraction(0n) },
      expected: [],
    },
    {
      why: "the lines come to 100 although three were rounded: 100 − 3 × 30.4 = 8.8, and 100 − 3 × 30 = 10",
      charges: [charge("a", "30.4"), charge("b", "30.4"), charge("c", "30.4")],
      adjustments: [minimum("100")],
      expected: ["true_up minimum 8.8→10"],
    },
  ])("$why", check);
});

describe("a maximum", () => {
  test.each<Row>([
    {
      why: "150 − 100 is taken off",
      charges: [charge("usage", "150")],
      adjustments: [cap("100")],
      expected: ["cap usage -50"],
    },
    {
      why: "the cap itself is left alone",
      charges: [charge("usage", "100")],
      adjustments: [cap("100")],
      expected: [],
    },
    {
      why: "in proportion: 160 − 100 = 60, of 120 and 40",
      charges: [charge("a", "120"), charge("b", "40")],
      adjustments: [cap("100")],
      expected: ["cap a -45", "cap b -15"],
    },
    {
      why: "thirds sum to 50, and the lines to 100 too",
      charges: [charge("a", "50"), charge("b", "50"), charge("c", "50")],
      adjustments: [cap("100")],
      expected: ["cap a -16.66666668→-17", "cap b -16.66666666→-17", "cap c -16.66666666→-16"],
    },
    {
      why: "three lines rounded up come to 102, and are capped at 101",
      charges: [charge("a", "33.6"), charge("b", "33.6"), charge("c", "33.6")],
      adjustments: [cap("101")],
      expected: ["cap a 0→-1"],
    },
    {
      why: "what was charged in advance stays: 60 + 70 − 100 off the usage",
      charges: [charge("base", "60", {}), charge("usage", "70")],
      adjustments: [cap("100")],
      expected: ["cap usage -30"],
    },
    {
      why: "what it took off in advance is off: 120 − 20 + 70 − 100",
      charges: [charge("base", "120", { maximum: -20n }), charge("usage", "70")],
      adjustments: [cap("100")],
      expected: ["cap usage -70"],
    },
    {
      why: "in advance it holds already",
      charges: [charge("base", "120")],
      adjustments: [cap("100"), minimum("500")],
      given: { stage: "in_advance" },
      expected: ["cap base -20"],
    },
    {
      why: "10 of 31 days: 150 − 310 × 10 / 31",
      charges: [charge("usage", "150")],
      adjustments: [cap("310")],
      given: { inForce: tenDays },
      expected: ["cap usage -50"],
    },
  ])("$why", check);
});

describe("a commitment of 100 with a factor of 1.5", () => {
  test.each<Row>([
    {
      why: "130: 100 + 30 × 1.5 = 145",
      charges: [charge("usage", "130")],
      adjustments: [commitment("100", "1.5")],
      expected: ["overage usage 15"],
    },
    {
      why: "80: 80 + 20",
      charges: [charge("usage", "80")],
      adjustments: [commitment("100", "1.5")],
      expected: ["true_up commitment 20"],
    },
    {
      why: "100: neither",
      charges: [charge("usage", "100")],
      adjustments: [commitment("100", "1.5")],
      expected: [],
    },
    {
      why: "80, without a true-up",
      charges: [charge("usage", "80")],
      adjustments: [{ ...commitment("100", "1.5"), trueUp: false }],
      expected: [],
    },
    {
      why: "130 of two prices: 15 on 91 and 39",
      charges: [charge("a", "91"), charge("b", "39")],
      adjustments: [commitment("100", "1.5")],
      expected: ["overage a 10.5→11", "overage b 4.5→4"],
    },
    {
      why: "cheaper above it: 130 − 30 × 0.2",
      charges: [charge("usage", "130")],
      adjustments: [commitment("100", "0.8")],
      expected: ["overage usage -6"],
    },
    {
      why: "10 of 31 days: 100 + 30 × 1.5 of a commitment of 310",
      charges: [charge("usage", "130")],
      adjustments: [commitment("310", "1.5")],
      given: { charged: tenDays },
      expected: ["overage usage 15"],
    },
  ])("$why", check);
});

describe("discounts", () => {
  test.each<Row>([
    {
      why: "15 % of each charge",
      charges: [charge("a", "100"), charge("b", "50")],
      adjustments: [percentOff("15")],
      expected: ["discount a -15", "discount b -7.5→-7"],
    },
    {
      why: "of the named price only",
      charges: [charge("a", "100"), charge("b", "50")],
      adjustments: [{ ...percentOff("15"), prices: ["b"] }],
      expected: ["discount b -7.5→-8"],
    },
    {
      why: "all of it leaves nothing of the rounded lines either: 3 × 0.6 is 1.8, in lines 3",
      charges: [charge("a", "0.6"), charge("b", "0.6"), charge("c", "0.6")],
      adjustments: [percentOff("100")],
      expected: ["discount a -0.6→-1", "discount b -0.6→-1", "discount c -0.6→-1"],
    },
    {
      why: "an amount, in proportion: 40 of 120 and 40",
      charges: [charge("a", "120"), charge("b", "40")],
      adjustments: [off("40")],
      expected: ["discount a -30", "discount b -10"],
    },
    {
      why: "an amount takes off what there is",
      charges: [charge("a", "30")],
      adjustments: [off("40")],
      expected: ["discount a -30"],
    },
    {
      why: "what of an amount was taken off in advance is gone: 40 − 30",
      charges: [charge("base", "30", { discount: -30n }), charge("usage", "70")],
      adjustments: [off("40")],
      expected: ["discount usage -10"],
    },
    {
      why: "the third of three periods",
      charges: [charge("a", "100")],
      adjustments: [{ ...percentOff("15"), periods: 3 }],
      given: { periodIndex: 2 },
      expected: ["discount a -15"],
    },
    {
      why: "no more in the fourth",
      charges: [charge("a", "100")],
      adjustments: [{ ...percentOff("15"), periods: 3 }],
      given: { periodIndex: 3 },
      expected: [],
    },
  ])("$why", check);
});

describe("the order is the plan's", () => {
  test.each<Row>([
    {
      why: "discount, then cap: 200 × 0.9 = 180, capped at 150",
      charges: [charge("usage", "200")],
      adjustments: [percentOff("10"), cap("150")],
      expected: ["discount usage -20", "cap usage -30"],
    },
    {
      why: "cap, then discount: 150 × 0.9 = 135",
      charges: [charge("usage", "200")],
      adjustments: [cap("150"), percentOff("10")],
      expected: ["cap usage -50", "discount usage -15"],
    },
    {
      why: "a discount behind a minimum lowers what was missing too: (80 + 20) × 0.9",
      charges: [charge("usage", "80")],
      adjustments: [minimum("100"), percentOff("10")],
      expected: ["true_up minimum 20", "discount usage -8", "discount minimum -2"],
    },
    {
      why: "a discount on one price does not: 80 × 0.9 + 20",
      charges: [charge("usage", "80")],
      adjustments: [minimum("100"), { ...percentOff("10"), prices: ["usage"] }],
      expected: ["true_up minimum 20", "discount usage -8"],
    },
    {
      why: "a discount before a minimum: 80 × 0.9 = 72, so 28 is missing",
      charges: [charge("usage", "80")],
      adjustments: [percentOff("10"), minimum("100")],
      expected: ["discount usage -8", "true_up minimum 28"],
    },
    {
      why: "discounts one after the other: 100 × 0.5 × 0.5",
      charges: [charge("usage", "100")],
      adjustments: [percentOff("50"), { ...percentOff("50"), key: "more" }],
      expected: ["discount usage -50", "discount usage -25"],
    },
  ])("$why", check);
});

test("a part says what it was reckoned on", () => {
  const [part] = adjustCharges([charge("usage", "130")], [commitment("100", "1.5")], context);
  expect(part?.basisMinor.text).toBe("130");
  expect(part?.limit).toEqual(money(100n, "usd"));
});

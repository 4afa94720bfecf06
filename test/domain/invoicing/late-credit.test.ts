import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { CreditGrant } from "../../../src/domain/credits/index.ts";
import { tableRows } from "../../support/markdown-tables.ts";
import { dayOf, grantOf, paidByCredit, planBy, type Used } from "./late-credit.ts";

describe("January closed with 75 of the 25th; then 30 of the 5th and 20 of the 20th come late", () => {
  const used = {
    inTime: [{ day: 25, tokens: 75 }],
    late: [
      { day: 5, tokens: 30 },
      { day: 20, tokens: 20 },
    ],
  };
  const until10 = grantOf("g", 100, { expiresAt: dayOf(10) });
  const from10 = grantOf("g", 100, { effectiveAt: dayOf(10) });

  test.each([
    { grants: [grantOf("g", 200)], inTime: "75", late: "50", why: "in force all the time: 75, then 30 + 20" },
    {
      grants: [until10],
      inTime: "0",
      late: "30",
      why: "until the 10th, and not ended yet: only the 30 of before",
    },
    { grants: [], inTime: "0", late: "0", why: "one that has ended is gone" },
    {
      grants: [from10],
      inTime: "75",
      late: "25",
      why: "from the 10th on: what is left of it, for the whole period",
    },
    {
      ...{ grants: [{ ...from10, expiresAt: dayOf(22) }], inTime: "0", late: "50" },
      why: "from the 10th until the 22nd: both, for the 5th is of the period in which it took effect",
    },
  ])("$inTime, $late: $why", ({ grants, inTime, late }) => {
    const paid = paidByCredit(planBy("same_period"), grants, used);
    expect([paid.inTime.g ?? "0", paid.late.g ?? "0"]).toEqual([inTime, late]);
  });

  test.each([
    { grant: from10, inTime: "75", late: "20", why: "of the late ones the 20 of after" },
    { grant: { ...from10, expiresAt: dayOf(22) }, inTime: "0", late: "20", why: "only what lies between" },
    { grant: { ...from10, effectiveAt: dayOf(21) }, inTime: "75", late: "0", why: "both were before" },
  ])("with earlier_usage none, from a day on: $inTime, $late: $why", ({ grant, inTime, late }) => {
    const paid = paidByCredit(planBy("none"), [grant], used);
    expect([paid.inTime.g ?? "0", paid.late.g ?? "0"]).toEqual([inTime, late]);
  });
});

test("the page about credit grants says so", () => {
  const used = {
    inTime: [{ day: 25, tokens: 75 }],
    late: [
      { day: 5, tokens: 30 },
      { day: 20, tokens: 20 },
    ],
  };
  const until10 = grantOf("g", 100, { expiresAt: dayOf(10) });
  const from10 = grantOf("g", 100, { effectiveAt: dayOf(10) });
  const grants: Record<string, readonly CreditGrant[]> = {
    "from before, without end": [grantOf("g", 100)],
    "until the 10th, not ended as long as another subscription's period is open": [until10],
    "until the 10th, ended": [],
    "from the 10th on": [from10],
    "from the 10th on, until the 22nd": [{ ...from10, expiresAt: dayOf(22) }],
  };
  const rows = tableRows("credit-grants.md", [
    "A grant of 100; 75 of the 25th were reported in time, 30 of the 5th and 20 of the 20th come late",
    "`earlier_usage`",
    "pays in time, late",
  ]);
  expect(rows).toHaveLength(6);
  for (const [which = "", earlier, pays] of rows) {
    const plan = planBy(earlier === "`none`" ? "none" : "same_period");
    const paid = paidByCredit(plan, grants[which] ?? expect.fail(which), used);
    expect([which, `${paid.inTime.g ?? "0"}, ${paid.late.g ?? "0"}`]).toEqual([which, pays]);
  }
});

const anyUsed: fc.Arbitrary<Used> = fc.record({
  day: fc.integer({ min: 1, max: 31 }),
  tokens: fc.integer({ min: 1, max: 60 }),
});
const anySplit = fc.array(fc.tuple(anyUsed, fc.boolean()), { maxLength: 8 }).map((events) => ({
  inTime: events.filter(([, isLate]) => !isLate).map(([used]) => used),
  late: events.filter(([, isLate]) => isLate).map(([used]) => used),
}));
/** With a day of January on which it ends; 0: it does not. */
const anyGrants = fc.array(fc.tuple(fc.nat(200), fc.nat(31), fc.integer({ min: 1, max: 31 })), {
  maxLength: 3,
});
const grantsOf = (made: readonly (readonly [number, number, number])[]): CreditGrant[] =>
  made.map(([cents, ends, begins], index) =>
    grantOf(`g${index}`, cents, {
      effectiveAt: dayOf(begins),
      expiresAt: ends === 0 ? null : dayOf(Math.max(ends, begins + 1)),
    }),
  );

const sumOf = (...paid: readonly Record<string, string>[]) =>
  paid.flatMap((each) => Object.values(each)).reduce((sum, text) => sum + Number(text), 0);

test("however usage is divided into what is reported in time and late, grants that stand pay as much of it in all", () => {
  // The soonest to end first: whatever comes first leaves the most to what comes later.
  const plan = planBy("same_period", { burnOrder: "expiry_first" });
  fc.assert(
    fc.property(anySplit, anyGrants, ({ inTime, late }, made) => {
      const grants = grantsOf(made);
      const divided = paidByCredit(plan, grants, { inTime, late });
      const atOnce = paidByCredit(plan, grants, { inTime: [...inTime, ...late], late: [] });
      expect(sumOf(divided.inTime, divided.late)).toBe(sumOf(atOnce.inTime));
    }),
    { numRuns: 300 },
  );
});

test("the same of one grant that pays for nothing from before it", () => {
  const plan = planBy("none");
  fc.assert(
    fc.property(anySplit, anyGrants, ({ inTime, late }, made) => {
      const grants = grantsOf(made).slice(0, 1);
      const divided = paidByCredit(plan, grants, { inTime, late });
      const atOnce = paidByCredit(plan, grants, { inTime: [...inTime, ...late], late: [] });
      expect(sumOf(divided.inTime, divided.late)).toBe(sumOf(atOnce.inTime));
    }),
    { numRuns: 300 },
  );
});

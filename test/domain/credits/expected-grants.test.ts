import { describe, expect, test } from "vitest";
import {
  type AgreedRecurring,
  type CreditGrant,
  expectedGrants,
  grantsAfter,
  type Rollover,
} from "../../../src/domain/credits/index.ts";
import { currency, ledgerAmount } from "../../../src/domain/money/index.ts";
import { day, grant, start, tokens } from "./grants.ts";

const amount = (units: number) => ledgerAmount(BigInt(units));

/** 100 every ten days from the first of January on, until day 40. */
function agreed(over: Partial<AgreedRecurring> = {}, rollover: Rollover | null = null): AgreedRecurring {
  const anchor = { at: start, interval: { unit: "day", count: 10 }, timeZone: "UTC" } as const;
  const recurrence = { anchor, effectiveAt: start, expiresAt: day(40), first: "at_once" } as const;
  return {
    recurring: { id: "r", amount: amount(100), priority: 7, scope: [tokens], recurrence, rollover },
    ...{ currency: currency("usd"), nextOccurrence: 1, activeSince: start, endedAt: null, ...over },
  };
}

const timesText = (grants: readonly CreditGrant[]) =>
  grants.map(
    ({ id, remaining, effectiveAt }) => `${id} ${remaining} on ${(effectiveAt - start) / 86_400_000}`,
  );

describe("what will have been given", () => {
  test.each([
    { of: {}, asOf: day(9), given: [], why: "nothing until the next time" },
    { of: {}, asOf: day(10), given: ["r.1 100 on 10"], why: "a time that has come" },
    {
      of: {},
      asOf: day(99),
      given: ["r.1 100 on 10", "r.2 100 on 20", "r.3 100 on 30"],
      why: "none at the end",
    },
    { of: { endedAt: day(20) }, asOf: day(99), given: ["r.1 100 on 10"], why: "none once it was stopped" },
    {
      of: { activeSince: day(25) },
      asOf: day(22),
      given: ["r.2 100 on 20"],
      why: "none that was over before",
    },
  ])("by $asOf: $why", ({ of, asOf, given }) => {
    expect(timesText(expectedGrants([agreed(of)], asOf))).toEqual(given);
  });

  test("has the terms of the recurring grant, and ends when the next begins", () => {
    expect(expectedGrants([agreed()], day(10))[0]).toEqual({
      ...{ id: "r.1", kind: "promotional", priority: 7, scope: [tokens], currency: "usd" },
      ...{ remaining: 100n, effectiveAt: day(10), expiresAt: day(20), createdAt: day(10) },
    });
  });
});

describe("when a time has ended", () => {
  const rollover: Rollover = { min: amount(0), max: amount(50), cap: amount(70), lifetimeMonths: null };
  const time = grant("r.1", { remaining: amount(60), effectiveAt: day(10), expiresAt: day(20) });
  const earlier = grant("r.1.rollover", { remaining: amount(30), effectiveAt: day(10), isRollover: true });
  const other = grant("x", { remaining: amount(5) });
  const isOver = ({ id }: CreditGrant) => id === "r.1";

  test.each([
    { of: agreed(), left: ["x 5 on 0", "r.1.rollover 30 on 10"], why: "it is lost" },
    {
      of: agreed({}, rollover),
      left: ["x 5 on 0", "r.1.rollover 20 on 10", "r.2.rollover 50 on 20"],
      why: "50 go over, and of the 30 from before 20 are within the cap",
    },
    {
      of: agreed({ endedAt: day(20) }, rollover),
      left: ["x 5 on 0", "r.1.rollover 30 on 10"],
      why: "it was stopped: nothing goes over",
    },
  ])("$why", ({ of, left }) => {
    expect(timesText(grantsAfter([other, time, earlier], [of], isOver)).toSorted()).toEqual(left.toSorted());
  });
});

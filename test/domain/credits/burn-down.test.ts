import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  BurnAmountInvalidError,
  type BurnDown,
  burnDown,
  type GrantOverTime,
  type UsageAt,
  usualCreditPolicy,
} from "../../../src/domain/credits/index.ts";
import { ledgerAmount } from "../../../src/domain/money/index.ts";
import { anyGrants } from "./any-grants.ts";
import { a, b, c, day, drawsText, grant, start, storage, tokens } from "./grants.ts";

const use = (at: number, amount: bigint, product = "tokens"): UsageAt => ({
  at: day(at),
  amount: ledgerAmount(amount),
  product,
  price: null,
});

/** "A2 of 5": what is left of what each began with. */
const left = ({ grants }: BurnDown) =>
  grants.map(({ id, granted, remaining }) => `${id} ${remaining} of ${granted}`);

function every30Days(id: string, amount: bigint, over: Partial<GrantOverTime> = {}): GrantOverTime {
  return {
    ...grant(id, { remaining: ledgerAmount(amount) }),
    recurrence: {
      anchor: { at: start, interval: { unit: "day", count: 30 }, timeZone: "UTC" },
      first: "at_once",
    },
    ...over,
  };
}

const limits = (
  min: bigint,
  max: bigint,
  cap: bigint | null = null,
  lifetimeMonths: number | null = null,
) => ({
  rollover: {
    min: ledgerAmount(min),
    max: ledgerAmount(max),
    cap: cap === null ? null : ledgerAmount(cap),
    lifetimeMonths,
  },
});

describe("A(p1, day 30, 5) B(p0, never, 4) C(p1, day 10, 3)", () => {
  test.each([
    { at: 5, draws: "B4, C2", grants: ["A 5 of 5", "B 0 of 4", "C 1 of 3"], why: "6 on day 5" },
    {
      at: 10,
      draws: "B4, C2",
      grants: ["A 5 of 5", "B 0 of 4", "C 0 of 3"],
      why: "on day 10 the rest of C is lost",
    },
    { at: 20, draws: "B4, C2, A4", grants: ["A 1 of 5", "B 0 of 4", "C 0 of 3"], why: "4 on day 20" },
    {
      at: 30,
      draws: "B4, C2, A4",
      grants: ["A 0 of 5", "B 0 of 4", "C 0 of 3"],
      why: "on day 30 the rest of A is lost",
    },
  ])("on day $at $grants are left, after $draws: $why", ({ at, draws, grants }) => {
    const down = burnDown({ grants: [a, b, c], usage: [use(5, 6n), use(20, 4n)], resets: [], at: day(at) });
    expect(drawsText(down.draws)).toBe(draws);
    expect(left(down)).toEqual(grants);
    expect(down.uncovered).toEqual([]);
  });
});

test("what nothing pays is said of each usage", () => {
  const usage = [use(1, 3n), use(2, 4n), use(3, 2n, "storage")];
  const { uncovered, draws } = burnDown({
    grants: [grant("g", { scope: [tokens] })],
    usage,
    resets: [],
    at: day(9),
  });
  expect(draws).toEqual([
    { at: day(1), usage: 0, grantId: "g", amount: 3n },
    { at: day(2), usage: 1, grantId: "g", amount: 2n },
  ]);
  expect(uncovered).toEqual([
    { usage: 1, amount: 2n },
    { usage: 2, amount: 2n },
  ]);
});

describe("whether a grant that takes effect on day 10 pays for 3 of day 5 and 4 of day 1", () => {
  const facts = {
    grants: [grant("g", { effectiveAt: day(10) })],
    usage: [use(5, 3n), use(1, 4n)],
    at: day(20),
  };
  test.each([
    { earlierUsage: "same_period", resets: [], draws: "g3, g2", why: "both, no period ended between" },
    { earlierUsage: "same_period", resets: [3], draws: "g3", why: "that of the period that began on day 3" },
    { earlierUsage: "none", resets: [], draws: "", why: "neither" },
    { earlierUsage: "unbilled", resets: [3], draws: "g3, g2", why: "both" },
  ] as const)("$earlierUsage, with resets on $resets: $why", ({ earlierUsage, resets, draws }) => {
    const policy = { ...usualCreditPolicy, earlierUsage };
    const down = burnDown({ ...facts, resets: resets.map(day), policy });
    expect(drawsText(down.draws)).toBe(draws);
    expect(down.draws.every(({ at }) => at === day(10))).toBe(true);
  });
});

describe("a reset leaves min(max, max(remaining, min))", () => {
  test.each([
    { used: 30n, over: limits(0n, 50n), remaining: 50n, raised: 0n, lost: 20n, why: "70 are left: 50" },
    { used: 95n, over: limits(20n, 50n), remaining: 20n, raised: 15n, lost: 0n, why: "5 are left: 20" },
    {
      used: 30n,
      over: limits(100n, 100n),
      remaining: 100n,
      raised: 30n,
      lost: 0n,
      why: "100/100 fills it up",
    },
    { used: 30n, over: limits(0n, 0n), remaining: 0n, raised: 0n, lost: 70n, why: "0/0 empties it" },
    { used: 30n, over: {}, remaining: 70n, raised: 0n, lost: 0n, why: "without limits it is left alone" },
  ])("$why", ({ used, over, remaining, raised, lost }) => {
    const grants = [{ ...grant("g", { remaining: ledgerAmount(100n) }), ...over }];
    const down = burnDown({ grants, usage: [use(5, used)], resets: [day(30)], at: day(30) });
    expect(down.grants).toMatchObject([{ remaining, raised, lost, drawn: used }]);
  });

  test("and usage in the same instant is after it", () => {
    const grants = [{ ...grant("g", { remaining: ledgerAmount(100n) }), ...limits(0n, 50n) }];
    const down = burnDown({ grants, usage: [use(30, 60n)], resets: [day(30)], at: day(30) });
    expect(drawsText(down.draws)).toBe("g50");
  });
});

describe("100 every 30 days", () => {
  test("nothing goes over: each time ends when the next begins, and is given once", () => {
    const down = burnDown({
      grants: [every30Days("g", 100n)],
      usage: [use(5, 40n), use(30, 110n)],
      resets: [],
      at: day(60),
    });
    expect(left(down)).toEqual(["g/0 0 of 100", "g/1 0 of 100", "g/2 100 of 100"]);
    expect(down.uncovered).toEqual([{ usage: 1, amount: 10n }]);
    expect(down.grants[0]).toMatchObject({ drawn: 40n, lost: 60n });
  });

  test("of 60 that are left 50 go over, for a month; they end on 28 February, sooner than the next time, so they go first", () => {
    const grants = [every30Days("g", 100n, limits(0n, 50n, null, 1))];
    const down = burnDown({ grants, usage: [use(5, 40n), use(40, 120n)], resets: [], at: day(45) });
    expect(left(down)).toEqual(["g/0 0 of 100", "g/1 30 of 100", "g/1/rollover 0 of 50"]);
    expect(down.grants[0]).toMatchObject({ drawn: 40n, rolledOver: 50n, lost: 10n });
  });

  test("rollover_first spends what went over before anything else, though it never ends", () => {
    const grants = [every30Days("g", 100n, limits(0n, 50n))];
    const policy = { ...usualCreditPolicy, burnOrder: "rollover_first" as const };
    const down = burnDown({ grants, usage: [use(40, 60n)], resets: [], at: day(45), policy });
    expect(drawsText(down.draws)).toBe("g/1/rollover50, g/110");
  });

  test("a cap of 70 trims the oldest: 50 and 50 become 20 and 50", () => {
    const grants = [every30Days("g", 100n, limits(0n, 50n, 70n))];
    const down = burnDown({ grants, usage: [], resets: [], at: day(60) });
    expect(left(down).filter((text) => text.includes("rollover"))).toEqual([
      "g/1/rollover 20 of 50",
      "g/2/rollover 50 of 50",
    ]);
  });

  test("what went over ends after its lifetime; the last time goes nowhere", () => {
    const grants = [{ ...every30Days("g", 100n, limits(0n, 50n, null, 1)), expiresAt: day(60) }];
    const down = burnDown({ grants, usage: [], resets: [], at: day(90) });
    expect(left(down)).toEqual(["g/0 0 of 100", "g/1 0 of 100", "g/1/rollover 0 of 50"]);
  });

  test("a new time does not pay for what the one before left unpaid; unbilled does", () => {
    const facts = { grants: [every30Days("g", 100n)], usage: [use(5, 130n)], resets: [], at: day(30) };
    expect(drawsText(burnDown(facts).draws)).toBe("g/0100");
    const policy = { ...usualCreditPolicy, earlierUsage: "unbilled" as const };
    expect(drawsText(burnDown({ ...facts, policy }).draws)).toBe("g/0100, g/130");
  });

  test("a reset on its instant counts once: the new time is untouched", () => {
    const grants = [every30Days("g", 100n, limits(0n, 50n))];
    const down = burnDown({ grants, usage: [], resets: [day(30)], at: day(30) });
    expect(left(down)).toEqual(["g/0 0 of 100", "g/1 100 of 100", "g/1/rollover 50 of 50"]);
  });
});

test("a negative amount and two grants of one id are refused", () => {
  const facts = { resets: [], at: day(1) };
  expect(() => burnDown({ ...facts, grants: [], usage: [use(1, -1n)] })).toThrow(BurnAmountInvalidError);
  expect(() => burnDown({ ...facts, grants: [a, a], usage: [] })).toThrow(BurnAmountInvalidError);
});

const anyFacts = fc
  .record({
    plain: anyGrants,
    recurring: fc.array(
      fc.record({
        amount: fc.bigInt(1n, 60n),
        days: fc.integer({ min: 1, max: 9 }),
        limits: fc.option(fc.tuple(fc.bigInt(0n, 9n), fc.bigInt(9n, 40n), fc.option(fc.bigInt(0n, 50n)))),
      }),
      { maxLength: 3 },
    ),
    usage: fc.array(fc.tuple(fc.nat(20), fc.bigInt(0n, 60n), fc.constantFrom("tokens", "storage", "other")), {
      maxLength: 8,
    }),
    resets: fc.array(fc.nat(20), { maxLength: 3 }),
    earlierUsage: fc.constantFrom("same_period" as const, "none" as const, "unbilled" as const),
  })
  .map(({ plain, recurring, usage, resets, earlierUsage }) => ({
    grants: [
      ...plain,
      ...recurring.map(({ amount, days, limits: of }, index) => ({
        ...every30Days(`r${index}`, amount, of === null ? {} : limits(...of, 1)),
        recurrence: {
          anchor: { at: start, interval: { unit: "day" as const, count: days }, timeZone: "UTC" },
          first: "at_once" as const,
        },
        scope: [storage, tokens].slice(0, 1 + (index % 2)),
      })),
    ] satisfies GrantOverTime[],
    usage: usage.map(([at, amount, product]) => use(at, amount, product)),
    resets: resets.map(day),
    at: day(21),
    policy: { ...usualCreditPolicy, earlierUsage },
  }));

test("burn-down does not depend on the order in which grants are given", () => {
  const shuffled = anyFacts.chain((facts) =>
    fc.tuple(fc.constant(facts), fc.shuffledSubarray(facts.grants, { minLength: facts.grants.length })),
  );
  fc.assert(
    fc.property(shuffled, ([facts, grants]) => {
      expect(burnDown({ ...facts, grants })).toEqual(burnDown(facts));
    }),
  );
});

test("nothing is ever negative, and of every grant and every usage the parts sum to the whole", () => {
  fc.assert(
    fc.property(anyFacts, (facts) => {
      const { grants, draws, uncovered } = burnDown(facts);
      const drawn = (of: (draw: (typeof draws)[number]) => boolean) =>
        draws.filter(of).reduce((sum, { amount }) => sum + amount, 0n);
      for (const each of grants) {
        const { id, granted, raised, rolledOver, lost, remaining } = each;
        for (const amount of [granted, raised, each.drawn, rolledOver, lost, remaining])
          expect(amount).toBeGreaterThanOrEqual(0n);
        expect(granted + raised).toBe(each.drawn + rolledOver + lost + remaining);
        expect(each.drawn).toBe(drawn(({ grantId }) => grantId === id));
      }
      for (const [index, { amount }] of facts.usage.entries()) {
        const rest = uncovered.find(({ usage }) => usage === index)?.amount ?? 0n;
        expect(drawn(({ usage }) => usage === index) + rest).toBe(amount);
      }
    }),
  );
});

test("how it stands at an instant is the beginning of how it stands later", () => {
  fc.assert(
    fc.property(anyFacts, fc.nat(20), (facts, until) => {
      const early = burnDown({ ...facts, at: day(until) });
      expect(burnDown(facts).draws.filter(({ at }) => at <= day(until))).toEqual(early.draws);
    }),
  );
});

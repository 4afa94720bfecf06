import { expect, test } from "vitest";
import { instant } from "../../../src/domain/calendar/index.ts";
import {
  capsChangeAt,
  decidingCap,
  effectiveCaps,
  leftOf,
  levelOf,
  type ReachedCap,
  type SpendingCap,
} from "../../../src/domain/entitlements/index.ts";
import { decimal } from "../../../src/domain/money/index.ts";

const now = instant("2026-03-10T12:00:00Z");
const organisation = { number: 1n, kind: "organisation", key: "acme", customerId: "acme" } as const;
const monthly = { type: "calendar", unit: "month" } as const;

const cap = (id: string, cents: string, over: Partial<SpendingCap> = {}): SpendingCap => ({
  ...{ id, spender: organisation, isRaise: false, eachUser: false, window: monthly },
  amount: decimal(cents),
  effectiveAt: instant("2026-03-01T00:00:00Z"),
  expiresAt: null,
  ...over,
});
const raise = (id: string, cents: string, over: Partial<SpendingCap> = {}) =>
  cap(id, cents, { isRaise: true, expiresAt: instant("2026-03-11T00:00:00Z"), ...over });
const tomorrow = instant("2026-03-11T00:00:00Z");
const yesterday = instant("2026-03-09T00:00:00Z");

test.each([
  { why: "one", caps: [cap("a", "100")], limits: ["a 100"] },
  { why: "the newest of the same window", caps: [cap("a", "100"), cap("b", "50")], limits: ["b 50"] },
  { why: "100 + 20 + 5", caps: [cap("a", "100"), raise("r", "20"), raise("s", "5")], limits: ["a 125"] },
  { why: "a raise is of the newest, too", caps: [raise("r", "20"), cap("b", "50")], limits: ["b 70"] },
  {
    why: "a raise that is over adds nothing",
    caps: [cap("a", "100"), raise("r", "20", { expiresAt: yesterday })],
    limits: ["a 100"],
  },
  {
    why: "one that is over gives way to the one before",
    caps: [cap("a", "100"), cap("b", "50", { expiresAt: yesterday })],
    limits: ["a 100"],
  },
  {
    why: "one that is not in force yet is counted, and denies nothing",
    caps: [cap("a", "100", { effectiveAt: tomorrow })],
    limits: ["null null"],
  },
  { why: "a raise of nothing", caps: [raise("r", "20")], limits: ["null null"] },
  {
    why: "other windows, and each user's, stand beside each other",
    caps: [cap("a", "100"), cap("b", "10", { window: { type: "never" } }), cap("c", "5", { eachUser: true })],
    limits: ["a 100", "b 10", "c 5"],
  },
])("$why: $limits", ({ caps, limits }) => {
  expect(effectiveCaps(caps, now).map(({ capId, limit }) => `${capId} ${limit}`)).toEqual(limits);
});

test("caps change when the next of them begins or ends", () => {
  expect(capsChangeAt([cap("a", "1"), raise("r", "1")], now)).toBe(tomorrow);
  expect(capsChangeAt([cap("a", "1", { expiresAt: yesterday })], now)).toBeNull();
});

test("an organisation above the one that asks is a pool; each user's cap is the user's", () => {
  const [own] = effectiveCaps([cap("a", "1")], now);
  const [each] = effectiveCaps([cap("a", "1", { eachUser: true })], now);
  if (own === undefined || each === undefined) throw new Error("a cap is effective");
  expect([levelOf(own, "acme"), levelOf(own, "child"), levelOf(each, "child")]).toEqual([
    "organisation",
    "pool",
    "user",
  ]);
});

const reached = (level: ReachedCap["level"], resetsAt: ReachedCap["resetsAt"]): ReachedCap => ({
  ...{ capId: level, level, holder: level, resetsAt },
  ...{ limit: decimal("100"), spent: decimal("94"), held: decimal("6.5") },
});

test.each([
  { caps: [reached("user", now), reached("team", tomorrow)], decides: "team", why: "it holds longer" },
  { caps: [reached("pool", null), reached("user", tomorrow)], decides: "pool", why: "it never begins anew" },
  {
    caps: [reached("pool", now), reached("team", now)],
    decides: "team",
    why: "of those it is the narrowest",
  },
])("$decides decides: $why", ({ caps, decides }) => {
  expect(decidingCap(caps)?.level).toBe(decides);
});

test("what is left is never below nothing", () => {
  expect(leftOf(reached("team", null)).text).toBe("0"); // 100 − 94 − 6.5 = −0.5
});

import { expect, test } from "vitest";
import { instant } from "../../../src/domain/calendar/index.ts";
import { type BegunTopUp, decideTopUp, type TopUpRule } from "../../../src/domain/credits/index.ts";
import { ledgerAmountOfMoney, money } from "../../../src/domain/money/index.ts";

const usd = (minor: bigint) => money(minor, "usd");
const rule: TopUpRule = {
  threshold: ledgerAmountOfMoney(usd(500n)),
  amount: usd(1_000n),
  monthlyLimit: usd(2_500n),
  coolDownSeconds: 3_600,
};
const month = { start: instant("2026-01-01T00:00:00Z"), end: instant("2026-02-01T00:00:00Z") };
const now = instant("2026-01-20T12:00:00Z");
const bought = (state: BegunTopUp["state"], at: string): BegunTopUp => ({
  state,
  amount: usd(1_000n),
  begunAt: instant(at),
});

test.each([
  { left: 501n, begun: [], is: { why: "enough_left" }, because: "a cent more than the threshold is left" },
  { left: 500n, begun: [], is: { type: "begin" }, because: "the threshold itself is crossed" },
  {
    left: 0n,
    begun: [bought("outstanding", "2026-01-02T00:00:00Z")],
    is: { why: "outstanding" },
    because: "what is not paid yet would be bought twice",
  },
  {
    left: 0n,
    begun: [bought("paid", "2026-01-20T11:30:00Z")],
    is: { why: "cooling_down", lookAt: instant("2026-01-20T12:30:00Z") },
    because: "an hour from its beginning on",
  },
  {
    left: 0n,
    begun: [bought("paid", "2026-01-20T11:00:00Z")],
    is: { type: "begin" },
    because: "the hour is over, and 1000 + 1000 ≤ 2500",
  },
  {
    left: 0n,
    begun: [bought("paid", "2026-01-05T00:00:00Z"), bought("paid", "2026-01-04T00:00:00Z")],
    is: { why: "monthly_limit", lookAt: month.end },
    because: "2000 + 1000 > 2500",
  },
  {
    left: 0n,
    begun: [bought("withdrawn", "2026-01-05T00:00:00Z"), bought("paid", "2026-01-04T00:00:00Z")],
    is: { type: "begin" },
    because: "what was withdrawn was not bought",
  },
  {
    left: 0n,
    begun: [bought("paid", "2025-12-31T00:00:00Z"), bought("paid", "2025-12-30T00:00:00Z")],
    is: { type: "begin" },
    because: "they were of the month before",
  },
])("$left cents left: $because", ({ left, begun, is }) => {
  const facts = { left: ledgerAmountOfMoney(usd(left)), begun, month, now };
  expect(decideTopUp(rule, facts)).toMatchObject(is);
});

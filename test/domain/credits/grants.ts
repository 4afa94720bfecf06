import { addDuration, type Instant, instant } from "../../../src/domain/calendar/index.ts";
import type { CreditGrant, UsageCharge } from "../../../src/domain/credits/index.ts";
import { currency, ledgerAmount } from "../../../src/domain/money/index.ts";

export const start = instant("2026-01-01T00:00:00Z");
/** So many days after the first of January 2026. */
export const day = (days: number): Instant => addDuration(start, { days }, "UTC");

/** A grant of 5 that is in force from the beginning and never ends. */
export function grant(id: string, over: Partial<CreditGrant> = {}): CreditGrant {
  return {
    id,
    kind: "paid",
    priority: 0,
    remaining: ledgerAmount(5n),
    effectiveAt: start,
    expiresAt: null,
    createdAt: start,
    currency: currency("usd"),
    ...over,
  };
}

/** A(p1, day 30, 5) B(p0, none, 4) C(p1, day 10, 3). */
export const [a, b, c] = [
  grant("A", { priority: 1, expiresAt: day(30), remaining: ledgerAmount(5n) }),
  grant("B", { priority: 0, expiresAt: null, remaining: ledgerAmount(4n) }),
  grant("C", { priority: 1, expiresAt: day(10), remaining: ledgerAmount(3n) }),
] as const;

export const tokens = { type: "product", product: "tokens" } as const;
export const storage = { type: "product", product: "storage" } as const;
export const fastModels = { type: "feature", feature: "fast_models" } as const;
export const proLarge = { type: "price", planKey: "pro", priceKey: "large" } as const;

const january = { start, end: day(31) };

/** A charge for tokens, used and billed in January. */
export function charge(amount: bigint, over: Partial<UsageCharge> = {}): UsageCharge {
  return {
    line: 0,
    product: "tokens",
    price: { planKey: "pro", priceKey: "large" },
    amount: ledgerAmount(amount),
    used: january,
    billed: january,
    ...over,
  };
}

/** "B4, C3, A3" */
export const drawsText = (draws: readonly { grantId: string; amount: bigint }[]) =>
  draws.map(({ grantId, amount }) => `${grantId}${amount}`).join(", ");

import { type Instant, instantOfEpochMs } from "../../../src/domain/calendar/index.ts";
import type { PlanVersion } from "../../../src/domain/catalog/index.ts";
import {
  type CreditGrant,
  type CreditPolicy,
  type EarlierUsage,
  usualCreditPolicy,
} from "../../../src/domain/credits/index.ts";
import {
  type ClosedPeriod,
  closePeriod,
  creditBoundaries,
  meansLeft,
  type PeriodFacts,
  type StretchUsage,
  stretchesOf,
} from "../../../src/domain/invoicing/index.ts";
import {
  currency,
  decimal,
  exactOfLedgerAmount,
  ledgerAmount,
  ledgerAmountOfMoney,
  money,
} from "../../../src/domain/money/index.ts";
import { february, january, meters, pro, terms } from "./plans.ts";

/** So many tokens on a day of January. */
export interface Used {
  readonly day: number;
  readonly tokens: number;
}

export const dayOf = (day: number): Instant => instantOfEpochMs(january.start + (day - 1) * 86_400_000);

/** A grant of so many cents, for January and longer unless said otherwise. */
export const grantOf = (id: string, cents: number, over: Partial<CreditGrant> = {}): CreditGrant => ({
  ...{ id, kind: "promotional", priority: 50, currency: currency("usd") },
  remaining: ledgerAmountOfMoney(money(BigInt(cents), "usd")),
  ...{ effectiveAt: january.start, expiresAt: null, createdAt: january.start },
  ...over,
});

/** A token costs a cent, and nothing is included. */
export function planBy(earlierUsage: EarlierUsage, over: Partial<CreditPolicy> = {}): PlanVersion {
  const { deep } = Object.fromEntries(pro.prices.map((price) => [price.key, price]));
  if (deep?.type !== "usage") throw new Error("the plan has a price for tokens");
  const price = { ...deep, included: "0", model: { type: "per_unit", unitPriceMinor: "1" } } as const;
  return { ...pro, prices: [price], credits: { ...usualCreditPolicy, earlierUsage, ...over } };
}

/** Closes January with what was reported by then, and February with what came late of January; answers with cents by grant. */
export function paidByCredit(
  plan: PlanVersion,
  grants: readonly CreditGrant[],
  { inTime, late }: { readonly inTime: readonly Used[]; readonly late: readonly Used[] },
): { readonly inTime: Record<string, string>; readonly late: Record<string, string> } {
  const agreed = [terms(plan, "2026-01-01T00:00:00Z")];
  const usageOf = (used: readonly Used[], until: Instant): StretchUsage[] => {
    const tokens = used.reduce((sum, { day, tokens: of }) => (dayOf(day) < until ? sum + of : sum), 0);
    const reading = { meterKey: "tokens", dimensions: { model: "deep" }, quantity: decimal(BigInt(tokens)) };
    return stretchesOf(agreed, january).map((stretch) => ({ stretch, readings: [reading] }));
  };
  const cuts = creditBoundaries(grants, january, plan.credits);
  const first: PeriodFacts = {
    ...{ currency: currency("usd"), period: january, full: january, next: february, terms: agreed, meters },
    usage: usageOf(inTime, january.end),
    usageUntil: cuts.map((at) => ({ at, usage: usageOf(inTime, at) })),
    ...{ late: [], waiting: [], grants, asOf: january.end },
    ...{ customerBalance: money(0n, "usd"), carried: money(0n, "usd") },
  };
  const closed = closePeriod(first);
  const all = [...inTime, ...late];
  const second: PeriodFacts = {
    ...first,
    ...{ period: february, full: february, next: null, usage: [], usageUntil: [], asOf: february.end },
    grants: meansLeft([first], { parts: [closed], totals: closed.totals }).grants,
    late: [
      {
        ...{ period: january, full: january, meters, usage: usageOf(all, january.end) },
        usageUntil: cuts.map((at) => ({ at, usage: usageOf(all, at), before: usageOf(inTime, at) })),
        booked: closed.rated.map(({ stretch, plan: { key }, price, rated: { quantity, exactMinor } }) => ({
          ...{ termsStart: stretch.start, planKey: key, priceKey: price.key, quantity, exactMinor },
        })),
      },
    ],
  };
  return { inTime: drawsOf(closed), late: drawsOf(closePeriod(second)) };
}

function drawsOf({ totals }: ClosedPeriod): Record<string, string> {
  const byGrant = Map.groupBy(totals.draws, ({ grantId }) => grantId);
  return Object.fromEntries(
    [...byGrant].map(([id, draws]) => {
      const sum = draws.reduce((so, { amount }) => so + amount, 0n);
      return [id, exactOfLedgerAmount(ledgerAmount(sum)).text];
    }),
  );
}

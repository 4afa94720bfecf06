import { addMoney, type Money, money } from "../money/index.ts";
import type { AdvanceLine } from "./charged-time.ts";

/** What was charged in advance for a period, price by price, less what was handed back, and what was taken off it. */
export interface AdvanceCharged {
  readonly planKey: string;
  readonly planVersion: number;
  readonly priceKey: string;
  readonly amount: Money;
  readonly adjusted: readonly { readonly adjustmentKey: string; readonly amount: Money }[];
}

/** @param lines all that was charged in advance for the period, and handed back, in any order */
export function advanceCharged(lines: readonly AdvanceLine[]): AdvanceCharged[] {
  const ofPrices = Map.groupBy(
    lines.filter(({ source }) => source !== null),
    ({ source }) => `${source?.planKey}/${source?.planVersion}/${source?.priceKey}`,
  );
  return [...ofPrices.values()].flatMap((ofPrice) => {
    const [first] = ofPrice;
    if (first?.source == null) return [];
    const byAdjustment = new Map<string | null, Money>([[null, money(0n, first.amount.currency)]]);
    for (const { amount, detail } of ofPrice) {
      const key = typeof detail.adjustment === "string" ? detail.adjustment : null;
      const before = byAdjustment.get(key);
      byAdjustment.set(key, before === undefined ? amount : addMoney(before, amount));
    }
    const adjusted = [...byAdjustment].flatMap(([adjustmentKey, amount]) =>
      adjustmentKey === null ? [] : [{ adjustmentKey, amount }],
    );
    return [{ ...first.source, amount: byAdjustment.get(null) ?? first.amount, adjusted }];
  });
}

import type { ChargedTime } from "../proration/index.ts";
import type { InvoiceLine } from "./invoice-line.ts";

/** What of a line for time in advance says what was charged. */
export type AdvanceLine = Pick<
  InvoiceLine,
  "kind" | "source" | "quantity" | "period" | "amount" | "detail"
> & {
  /** What credit notes took off it; nothing when left out. */
  readonly creditedMinor?: bigint;
};

/** What was charged for a price, and for how many seats; null for a flat price. */
export interface ChargedPrice extends ChargedTime {
  readonly quantity: string | null;
}

/**
 * What is charged for time of a period and was not handed back: of each price the newest charge. A line that lowers a charge
 * names the same price, and says what was really asked for.
 * @param lines all that was charged in advance for the period, in any order
 */
export function chargedTime(lines: readonly AdvanceLine[]): ChargedPrice[] {
  const charged = new Map<string, ChargedPrice>();
  for (const { kind, source, quantity, amount, detail, creditedMinor = 0n } of lines.toSorted(inOrder)) {
    if (source === null) continue;
    const key = `${source.planKey}/${source.planVersion}/${source.priceKey}`;
    const { amountMinor } = amount;
    const before = charged.get(key);
    if (kind === "proration_credit") {
      charged.delete(key);
    } else if (charges.includes(kind)) {
      const wholeMinor = typeof detail.wholeMinor === "string" ? BigInt(detail.wholeMinor) : amountMinor;
      const paid = { wholeMinor, billedMinor: amountMinor, paidMinor: amountMinor - creditedMinor };
      charged.set(key, { ...source, ...paid, quantity: quantity?.text ?? null });
    } else if (before !== undefined) {
      charged.set(key, { ...before, paidMinor: before.paidMinor + amountMinor });
    }
  }
  // A note may credit more of a line than a discount left of it: nothing less than nothing was paid.
  return [...charged.values()].map((each) => (each.paidMinor < 0n ? { ...each, paidMinor: 0n } : each));
}

const charges: readonly InvoiceLine["kind"][] = ["flat", "seats", "proration_charge"];

/** At one instant the period begins, then a change hands back and charges; what lowers a charge follows it. */
function inOrder(one: AdvanceLine, other: AdvanceLine): number {
  return one.period.start - other.period.start || rankOf(one) - rankOf(other);
}

function rankOf({ kind }: AdvanceLine): number {
  const rank = ["flat", "seats", "proration_credit", "proration_charge"].indexOf(kind);
  return rank === -1 ? 4 : rank;
}

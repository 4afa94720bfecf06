import type { Decimal, Money } from "../money/index.ts";
import type { BookedAdjustment } from "./rated-adjustment.ts";
import type { RecordedDraw } from "./returned-draws.ts";
import type { BookedUsage } from "./usage-charges.ts";

/** What was billed of a period before, as it was stored. */
export interface BilledBefore {
  readonly booked: readonly BookedUsage[];
  /** What adjustments came to. */
  readonly adjusted?: readonly BookedAdjustment[];
  /** What credit paid of it so far, in the order in which it was drawn. */
  readonly draws?: readonly RecordedDraw[];
}

/**
 * Why a part was billed before. late: the period was closed, and this was reported since. thresholds: what it came to was billed
 * while it went on.
 */
export type BilledAs = "late" | "thresholds";

/** What an earlier rating came to for one line; null where it had none. */
export interface PartBefore {
  readonly quantity?: Decimal;
  readonly exactMinor: Decimal;
  readonly amount: Money;
}

/** What a line that bills a difference says besides its title. */
export function differenceTitle(title: string, billed: BilledAs, before: PartBefore | null): string {
  if (billed === "thresholds")
    return before === null ? title : `${title}, less what was billed at thresholds`;
  return `${title}, reported late`;
}

/** What of it thresholds billed: so that the line can be told. */
export function billedAtThresholds(
  billed: BilledAs | null,
  before: PartBefore | null,
): Readonly<Record<string, unknown>> {
  if (billed !== "thresholds" || before === null) return {};
  const { quantity, exactMinor, amount } = before;
  return {
    billedAtThresholds: {
      ...(quantity === undefined ? {} : { quantity: quantity.text }),
      exactMinor: exactMinor.text,
      amountMinor: amount.amountMinor.toString(),
    },
  };
}

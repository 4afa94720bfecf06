import { isoOf, type Period } from "../calendar/index.ts";
import type { PlanVersion, PriceAdjustment } from "../catalog/index.ts";
import type { Decimal, Money } from "../money/index.ts";
import type { AdjustmentPart, AdjustmentPartKind } from "../pricing/index.ts";
import type { InvoiceLine, LineEarning } from "./invoice-line.ts";

/** By what a part of an adjustment is known, from one rating of a period to the next. */
export interface AdjustmentKey {
  readonly planKey: string;
  readonly planVersion: number;
  readonly adjustmentKey: string;
  /** The charge it is on: see {@link chargeKey}; of a charge that an adjustment made, that adjustment's key. */
  readonly charge: string;
}

/** What one part of an adjustment came to in a period, cumulative, as an earlier rating stored it. */
export interface BookedAdjustment extends AdjustmentKey {
  readonly kind: AdjustmentPartKind;
  /** Null where it is no price's. */
  readonly priceKey: string | null;
  readonly product: string;
  readonly earning: LineEarning;
  /** The stretch of terms, or the period where it is no price's. */
  readonly period: Period;
  readonly exactMinor: Decimal;
  readonly amount: Money;
}

/** The same as a rating finds it, with what derives it again. */
export interface RatedAdjustment extends BookedAdjustment {
  readonly description: string;
  readonly detail: InvoiceLine["detail"];
}

/** Names what one price costs in a stretch of terms. */
export const chargeKey = (priceKey: string, { start }: Pick<Period, "start">): string =>
  `${priceKey}/${isoOf(start)}`;

/** Whether two parts are the same one, rated at different times. */
export function isSameAdjustment(one: AdjustmentKey, other: AdjustmentKey): boolean {
  return (
    one.planKey === other.planKey &&
    one.planVersion === other.planVersion &&
    one.adjustmentKey === other.adjustmentKey &&
    one.charge === other.charge
  );
}

/** What a line of an adjustment says, so that it can be derived again. */
export function adjustmentDetail(
  { adjustment, basisMinor, limit }: Pick<AdjustmentPart, "adjustment" | "basisMinor" | "limit">,
  charge: string,
): InvoiceLine["detail"] {
  return {
    adjustment: adjustment.key,
    type: adjustment.type,
    charge,
    basisMinor: basisMinor.text,
    ...(limit === null ? {} : { limitMinor: limit.amountMinor.toString() }),
    ...rateOf(adjustment),
  };
}

function rateOf(adjustment: PriceAdjustment): InvoiceLine["detail"] {
  if (adjustment.type === "percent_discount") return { percent: adjustment.percent };
  return adjustment.type === "commitment" ? { overageFactor: adjustment.overageFactor } : {};
}

/** "Pro: Launch discount", and on what. */
export function adjustmentTitle(plan: PlanVersion, adjustment: PriceAdjustment, on: string | null): string {
  return on === null ? `${plan.name}: ${adjustment.name}` : `${plan.name}: ${adjustment.name}, ${on}`;
}

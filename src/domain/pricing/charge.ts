import type { PriceAdjustment } from "../catalog/index.ts";
import type { Currency, Decimal, Fraction, Money } from "../money/index.ts";

/** What one thing of a period costs, before adjustments or after some of them. */
export interface Charge {
  /** Unique among the charges of a period. */
  readonly key: string;
  /** The price that it is for; of a charge that an adjustment made, those that it was reckoned on. */
  readonly prices: "all" | readonly string[];
  /** In minor units, before rounding. */
  readonly exactMinor: Decimal;
  /** As a line says it. */
  readonly amount: Money;
  /**
   * Of what was charged in advance: what each adjustment, by its key, has taken off it since (negative). It counts for
   * minimums, caps and commitments, and stays as it is.
   */
  readonly settled?: ReadonlyMap<string, Money>;
}

/** discount, cap: taken off a charge. overage: on top of one. true_up: a charge of its own, for what is missing. */
export type AdjustmentPartKind = "discount" | "cap" | "overage" | "true_up";

/** What an adjustment does to one charge, or the charge that it makes. */
export interface AdjustmentPart {
  readonly adjustment: PriceAdjustment;
  readonly kind: AdjustmentPartKind;
  readonly charge: Charge;
  /** In minor units, negative where it takes off. */
  readonly exactMinor: Decimal;
  readonly amount: Money;
  /** What the charges it is reckoned on came to before it. */
  readonly basisMinor: Decimal;
  /** Its amount, for the part of the period that it holds in; null of a percentage. */
  readonly limit: Money | null;
}

export interface AdjustmentContext {
  readonly currency: Currency;
  /** Of the subscription: 0 is its first period. */
  readonly periodIndex: number;
  /**
   * in_advance: only what can be said before the period has passed, which is discounts and caps. open: while it goes on, when
   * nothing is missing yet to a minimum or a commitment.
   */
  readonly stage: "in_advance" | "open" | "period";
  /** The part of the full period in which the plan was in force, and that in which it was not paused. */
  readonly inForce: Fraction;
  readonly charged: Fraction;
}

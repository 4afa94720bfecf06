import type { Period } from "../calendar/index.ts";
import type { Decimal, Money } from "../money/index.ts";

/**
 * flat, seats: a price for time, in advance or in arrears. usage: rated from events of this period.
 * late_usage: the difference that late events make to a period already invoiced.
 * proration_credit, proration_charge: the unused part of what was charged, and what the new terms cost for the rest.
 * discount, cap: taken off what a price costs. overage: on top of it, beyond a commitment. true_up: what is missing to a minimum
 * or a commitment.
 * rounding: what rounding the sum instead of each line makes of it.
 * carried_forward, carried_over: an amount too small to be charged leaves one invoice and comes back on the next.
 * tax: as somebody outside reckoned it.
 */
export type InvoiceLineKind =
  | "flat"
  | "seats"
  | "usage"
  | "late_usage"
  | "proration_credit"
  | "proration_charge"
  | "discount"
  | "cap"
  | "overage"
  | "true_up"
  | "rounding"
  | "credit_purchase"
  | "carried_forward"
  | "carried_over"
  | "tax";

/**
 * Where the ledger books a line. unbilled: rated usage (and carried amounts) that was a claim already;
 * deferred: charged for time still to come; earned: for time that has passed; prepayment: credits bought; tax: never ours.
 */
export type LineEarning = "unbilled" | "deferred" | "earned" | "prepayment" | "tax";

export interface InvoiceLine {
  readonly kind: InvoiceLineKind;
  readonly earning: LineEarning;
  readonly description: string;
  readonly product: string;
  readonly source: {
    readonly planKey: string;
    readonly planVersion: number;
    readonly priceKey: string;
  } | null;
  /** What the line is for; a late line names the period its usage belongs to. */
  readonly period: Period;
  /** Units or seats; null where there is nothing to count. */
  readonly quantity: Decimal | null;
  /** In minor units, before rounding. */
  readonly exactMinor: Decimal;
  readonly amount: Money;
  /** What is needed to derive the line again: tiers passed, part of the period, rounding. */
  readonly detail: Readonly<Record<string, unknown>>;
}

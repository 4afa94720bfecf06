import type { Period } from "../calendar/index.ts";
import {
  defaultProration,
  type PlanVersion,
  type ProrationPolicy,
  type RecurringPrice,
  type SeatPrice,
} from "../catalog/index.ts";
import { decimal, type Money, money, roundToMinor } from "../money/index.ts";
import { measureOf, type PeriodMeasure } from "../proration/index.ts";
import { rateUsage } from "../rating/index.ts";
import type { InvoiceLine } from "./invoice-line.ts";
import type { Terms } from "./terms.ts";

/** What one price for time costs for a whole period. */
export interface TimeCharge {
  readonly plan: PlanVersion;
  readonly price: RecurringPrice | SeatPrice;
  /** Seats that are paid for; 1 for a flat price. */
  readonly quantity: number;
  readonly amount: Money;
  /** How a tiered price came to the amount. */
  readonly tiers?: unknown;
}

/** Everything that the terms ask for time, of one timing; nothing while paused. */
export function timeChargesOf({ items, paused }: Terms, timing: "in_advance" | "in_arrears"): TimeCharge[] {
  if (paused) return [];
  return items.flatMap(({ plan, seats }) =>
    plan.prices.flatMap((price) => {
      if (price.type === "usage" || price.timing !== timing) return [];
      return [price.type === "flat" ? flatCharge(plan, price) : seatCharge(plan, price, seats)];
    }),
  );
}

function flatCharge(plan: PlanVersion, price: RecurringPrice): TimeCharge {
  return { plan, price, quantity: 1, amount: money(BigInt(price.amountMinor), plan.currency) };
}

/** What so many seats cost for a whole period, those that are included left out; rounded once where tiers have decimals. */
export function seatCharge(plan: PlanVersion, price: SeatPrice, seats: number): TimeCharge {
  const quantity = Math.max(0, seats - price.includedSeats);
  if (price.model === undefined) {
    const amount = money(BigInt(price.unitAmountMinor) * BigInt(quantity), plan.currency);
    return { plan, price, quantity, amount };
  }
  const { exactMinor, tiers } = rateUsage(price.model, decimal(BigInt(quantity)), decimal("0"));
  return { plan, price, quantity, amount: roundToMinor(exactMinor, plan.currency), tiers };
}

/** How a plan charges parts of a period. */
export function prorationOf({ proration }: PlanVersion): ProrationPolicy {
  return proration ?? defaultProration;
}

/** Measures a whole period for a plan. */
export function planMeasure(plan: PlanVersion, full: Period, timeZone: string): PeriodMeasure {
  return measureOf({ full, interval: plan.interval, timeZone }, prorationOf(plan));
}

/** A line for a time charge: in full, or for the part of the whole that `detail` tells. */
export function timeLine(
  charge: TimeCharge,
  period: Period,
  amount: Money,
  { earning, title = titleOf(charge), detail = {} }: TimeLineTexts,
): InvoiceLine {
  const { plan, price, quantity, tiers } = charge;
  return {
    kind: price.type === "seat" ? "seats" : "flat",
    earning,
    description: title,
    product: price.product,
    source: { planKey: plan.key, planVersion: plan.version, priceKey: price.key },
    period,
    quantity: price.type === "seat" ? decimal(BigInt(quantity)) : null,
    exactMinor: decimal(amount.amountMinor),
    amount,
    detail: { ...detail, ...(tiers === undefined ? {} : { tiers }) },
  };
}

export interface TimeLineTexts {
  readonly earning: "deferred" | "earned";
  readonly title?: string;
  readonly detail?: InvoiceLine["detail"];
}

export function titleOf({ plan, price, quantity }: TimeCharge): string {
  return price.type === "seat" ? `${plan.name}: ${price.name} × ${quantity}` : `${plan.name}: ${price.name}`;
}

/** What a part of a period is derived from: the amount of the whole, and how much of it, in which unit. */
export function partDetail(plan: PlanVersion, measure: PeriodMeasure, whole: Money, part: Period) {
  const { full, passed } = measure;
  return {
    fullPeriodStart: full.start,
    fullPeriodEnd: full.end,
    wholeMinor: whole.amountMinor.toString(),
    unit: prorationOf(plan).unit,
    units: (passed(part.end) - passed(part.start)).toString(),
    ofUnits: measure.whole.toString(),
  };
}

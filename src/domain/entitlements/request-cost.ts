import type { UsagePrice } from "../catalog/index.ts";
import type { UsedItem } from "../credits/index.ts";
import { BillingError } from "../errors.ts";
import {
  type MeterReading,
  type PriceReading,
  priceMeasure,
  type Terms,
  usagePricesOf,
} from "../invoicing/index.ts";
import type { Dimensions, Meter } from "../metering/index.ts";
import { type Decimal, decimal, sumDecimals, zero } from "../money/index.ts";
import { rateUsage } from "../rating/index.ts";

/** What a subscription charges at an instant; its terms have the prices of the period that the instant is in. */
export interface ChargingSubscription {
  readonly id: string;
  readonly terms: Terms;
}

/** What one price charges for one request. */
export interface RequestCharge {
  readonly subscriptionId: string;
  readonly planKey: string;
  readonly planVersion: number;
  readonly priceKey: string;
  readonly meterKey: string;
  /** In the meter's unit. */
  readonly quantity: Decimal;
  /** In minor units, exact. */
  readonly exactMinor: Decimal;
  /** What credit must be for to pay it. */
  readonly of: UsedItem;
}

/** A price of which one request's part is not known by itself. */
export class PriceNotReservableError extends BillingError {
  readonly code = "price_not_reservable";
}

/**
 * What a request costs, price by price, by the rating that closes its period: of prices that charge each unit alike, wherever the
 * period is, the parts of all requests add up to the period's charge.
 * @param used what the request contributes to each meter
 * @throws PriceNotReservableError for tiers, packages, included quantities, and meters that do not add up
 */
export function chargesOfRequest(
  used: readonly MeterReading[],
  subscriptions: readonly ChargingSubscription[],
  meters: readonly Meter[],
): RequestCharge[] {
  return subscriptions.flatMap(({ id, terms }) =>
    usagePricesOf(terms).flatMap(({ plan, price }) => {
      if (!isPriceOf(price, used)) return [];
      requireEven(price, meters);
      const { quantity, exactMinor } = ratedAlone(price, used, meters);
      if (quantity.isZero()) return [];
      const named = { planKey: plan.key, planVersion: plan.version, priceKey: price.key };
      const of = usedItem(plan.key, price);
      return [{ subscriptionId: id, ...named, meterKey: price.meter, quantity, exactMinor, of }];
    }),
  );
}

export const costOfCharges = (charges: readonly RequestCharge[]): Decimal =>
  sumDecimals(charges.map(({ exactMinor }) => exactMinor));

const usedItem = (planKey: string, { key: priceKey, product, feature }: UsagePrice): UsedItem => ({
  product,
  price: { planKey, priceKey },
  ...(feature === undefined ? {} : { feature }),
});

const noReading: PriceReading | undefined = undefined;

const ratedAlone = (price: UsagePrice, used: readonly MeterReading[], meters: readonly Meter[]) =>
  rateUsage(price.model, priceMeasure(price, used, noReading, meters), zero, price.negative);

const isPriceOf = ({ meter, where }: UsagePrice, used: readonly MeterReading[]): boolean =>
  used.some(({ meterKey, dimensions }) => meterKey === meter && hasAll(dimensions, where));

const hasAll = (dimensions: Dimensions, wanted: Readonly<Record<string, string>>): boolean =>
  Object.entries(wanted).every(([name, value]) => dimensions[name] === value);

/** @throws PriceNotReservableError unless each unit costs the same, wherever the period is */
function requireEven(
  { key, model, included, buckets, meter: meterKey }: UsagePrice,
  meters: readonly Meter[],
) {
  const meter = meters.find((each) => each.key === meterKey);
  const addsUp = meter?.aggregation === "count" || meter?.aggregation === "sum";
  const isEven = model.type === "per_unit" || model.type === "matrix";
  if (addsUp && isEven && buckets === undefined && decimal(included).isZero()) return;
  const message = `what one request costs by the price "${key}" depends on the rest of its period: only prices per unit, without an included quantity, can be reserved`;
  throw new PriceNotReservableError(message, "event");
}

import type { BillingInterval } from "../calendar/index.ts";
import type { Meter } from "../metering/index.ts";
import type { Currency } from "../money/index.ts";

// Everything here is JSON as it stands: numbers that are money or quantities are canonical decimal text.

/** All that is sold, and how it is measured. */
export type Catalog = { readonly meters: readonly Meter[]; readonly plans: readonly PlanDefinition[] };

export type PlanDefinition = {
  readonly key: string;
  readonly name: string;
  readonly currency: Currency;
  readonly interval: BillingInterval;
  /** How long after a period's end late usage still belongs to its invoice. */
  readonly graceSeconds: number;
  readonly dunning: DunningPolicy;
  readonly prices: readonly Price[];
};

/** A plan as it was sold: version 1, 2, 3… of its key; none ever changes. */
export type PlanVersion = PlanDefinition & { readonly version: number };

/** What follows a failed payment. Days count from the first failed attempt. */
export type DunningPolicy = {
  readonly retryAfterDays: readonly number[];
  readonly finalAction: "cancel" | "uncollectible" | "pause";
  readonly accessGraceDays: number;
};

export type Price = RecurringPrice | SeatPrice | UsagePrice;

type PriceBase = {
  readonly key: string;
  readonly name: string;
  /** What revenue is booked under. */
  readonly product: string;
};

/** A fixed amount for each period, in whole minor units. */
export type RecurringPrice = PriceBase & {
  readonly type: "flat";
  readonly timing: "in_advance" | "in_arrears";
  readonly amountMinor: string;
};

/** An amount for each seat above `includedSeats` and each period, in whole minor units. */
export type SeatPrice = PriceBase & {
  readonly type: "seat";
  readonly timing: "in_advance";
  readonly unitAmountMinor: string;
  readonly includedSeats: number;
};

/** What a meter's quantity costs, billed in arrears. */
export type UsagePrice = PriceBase & {
  readonly type: "usage";
  readonly meter: string;
  /** Only usage with these dimension values; all usage when empty. */
  readonly where: Readonly<Record<string, string>>;
  readonly unitLabel: string;
  readonly model: UsageModel;
  /** The quantity that a full period includes free of charge. */
  readonly included: string;
};

export type UsageModel = PerUnitModel | PackageModel | TieredModel;

export type PerUnitModel = { readonly type: "per_unit"; readonly unitPriceMinor: string };

/** Sold by the package; a package begun counts whole ("up") or not at all ("down"). */
export type PackageModel = {
  readonly type: "package";
  readonly packageSize: string;
  readonly packagePriceMinor: string;
  readonly rounding: "up" | "down";
};

/** Graduated: each unit at its own tier's price. Volume: all units at the price of the tier reached. */
export type TieredModel = { readonly type: "graduated" | "volume"; readonly tiers: readonly Tier[] };

/** `upTo` is the last quantity of the tier; null in the last tier, which has no end. */
export type Tier = {
  readonly upTo: string | null;
  readonly unitPriceMinor: string;
  readonly flatMinor: string;
};

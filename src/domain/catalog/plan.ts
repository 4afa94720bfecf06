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
  /** Minimums, caps, commitments and discounts, applied in this order to what the prices came to. */
  readonly adjustments?: readonly PriceAdjustment[];
  /** Ramps: what the prices are in the first periods of a subscription, and after them. */
  readonly phases?: readonly PlanPhase[];
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

/** The whole quantity costs what the one step that it reaches says. `upTo` is the last quantity of a step. */
export type StairstepModel = {
  readonly type: "stairstep";
  readonly steps: readonly { readonly upTo: string | null; readonly priceMinor: string }[];
};

/**
 * A share of amounts: the meter's quantity is in minor units. What is free, the fee and the bounds of an event are judged
 * event by event, in the order of their times.
 */
export type PercentageModel = {
  readonly type: "percentage";
  readonly percent: string;
  readonly feePerEventMinor?: string;
  readonly freeEvents?: number;
  readonly freeAmountMinor?: string;
  readonly perEventMinMinor?: string;
  readonly perEventMaxMinor?: string;
};

/** A unit price for each combination of dimension values; what no cell names costs the default, or may not be sold. */
export type MatrixModel = {
  readonly type: "matrix";
  readonly dimensions: readonly string[];
  readonly cells: readonly MatrixCell[];
  readonly defaultUnitPriceMinor: string | null;
};

export type MatrixCell = {
  readonly values: Readonly<Record<string, string>>;
  readonly unitPriceMinor: string;
};

/** What a version of a cost table said when the unit was used, and a mark-up on it. */
export type CostPlusModel = {
  readonly type: "cost_plus";
  readonly costTable: string;
  /** The token class whose costs are meant. */
  readonly tokenClass: string;
  readonly dimensions: readonly string[];
  readonly markupPercent: string;
};

type AdjustmentBase = {
  readonly key: string;
  readonly name: string;
  /** The prices whose charges it is reckoned on. */
  readonly prices: "all" | readonly string[];
};

export type PriceAdjustment = AdjustmentBase &
  (
    | {
        readonly type: "minimum";
        readonly amountMinor: string;
        readonly product: string;
        readonly prorated: boolean;
      }
    | { readonly type: "maximum"; readonly amountMinor: string; readonly prorated: boolean }
    | {
        readonly type: "commitment";
        readonly amountMinor: string;
        /** What each minor unit above the commitment costs: "1.5" is half as much again. */
        readonly overageFactor: string;
        /** Whether what is missing to the commitment is charged. */
        readonly trueUp: boolean;
        readonly product: string;
        readonly prorated: boolean;
      }
    /** `periods`: only the first so many of a subscription; null for ever. */
    | { readonly type: "percent_discount"; readonly percent: string; readonly periods: number | null }
    | { readonly type: "amount_discount"; readonly amountMinor: string; readonly periods: number | null }
  );

/** `periods` is how many billing periods it lasts; null in the last phase, which does not end. */
export type PlanPhase = {
  readonly key: string;
  readonly name: string;
  readonly periods: number | null;
  readonly overrides: readonly PriceOverride[];
};

/**
 * What replaces or scales a plan's prices, in a phase or by contract with one customer. An overwrite wins over all
 * multipliers; of several of a kind the lowest priority number counts, then the lowest factor, then the first.
 */
export type PriceOverride = {
  readonly prices: "all" | readonly string[];
  readonly priority: number;
  readonly effect:
    | { readonly type: "overwrite"; readonly price: PriceOverwrite }
    | { readonly type: "multiplier"; readonly factor: string };
};

/** What an overwrite says instead: only the fields of the price's own type. */
export type PriceOverwrite = {
  readonly amountMinor?: string;
  readonly unitAmountMinor?: string;
  readonly includedSeats?: number;
  readonly model?: UsageModel;
  readonly included?: string;
};

import type { AnchorRule, BillingInterval } from "../calendar/index.ts";
import type { CreditPolicy } from "../credits/index.ts";
import type { DunningTerms, NamedDunningPolicy } from "../lifecycle/dunning-terms.ts";
import type { Meter } from "../metering/index.ts";
import type { Currency } from "../money/index.ts";
import type { NoticeAhead } from "../notices/ahead.ts";
import type { CostTable } from "./cost-table.ts";
import type { Entitlement, Feature } from "./feature.ts";
import type { BillingThresholds, PlanPhase, PlanTrial, PriceAdjustment } from "./plan-terms.ts";
import type { ProrationPolicy } from "./proration-policy.ts";
import type { SeatModel, UsageModel } from "./usage-model.ts";

// Everything here is JSON as it stands: numbers that are money or quantities are canonical decimal text.

/** All that is sold, and how it is measured. */
export type Catalog = {
  readonly meters: readonly Meter[];
  readonly plans: readonly PlanDefinition[];
  readonly costTables?: readonly CostTable[];
  readonly features?: readonly Feature[];
  readonly dunningPolicies?: readonly NamedDunningPolicy[];
};

export type PlanDefinition = {
  readonly key: string;
  readonly name: string;
  readonly currency: Currency;
  readonly interval: BillingInterval;
  /** How long after a period's end late usage still belongs to its invoice. */
  readonly graceSeconds: number;
  /** What follows a failed payment. */
  readonly dunning: DunningTerms;
  readonly prices: readonly Price[];
  /** Minimums, caps, commitments and discounts, applied in this order to what the prices came to. */
  readonly adjustments?: readonly PriceAdjustment[];
  /** Ramps: what the prices are in the first periods of a subscription, and after them. */
  readonly phases?: readonly PlanPhase[];
  readonly thresholds?: BillingThresholds;
  /** How a part of a period is charged. */
  readonly proration?: ProrationPolicy;
  /** Where periods begin; on the anniversary of the subscription's start when left out. */
  readonly anchor?: AnchorRule;
  /** Whether each line is rounded, or only what all of them come to; each line when left out. */
  readonly rounding?: "line" | "net";
  /** How credit pays for its usage; the usual policy when left out. */
  readonly credits?: CreditPolicy;
  readonly trial?: PlanTrial;
  /** Of an add-on: it is sold only beside one of these plans. */
  readonly requires?: readonly string[];
  readonly entitlements?: readonly Entitlement[];
  /** How many days ahead customers are told; as is usual when left out. */
  readonly notices?: NoticeAhead;
};

/** A plan as it was sold: version 1, 2, 3… of its key; none ever changes. */
export type PlanVersion = PlanDefinition & { readonly version: number };

export type Price = RecurringPrice | SeatPrice | UsagePrice;

type PriceBase = {
  readonly key: string;
  readonly name: string;
  /** What revenue is booked under. */
  readonly product: string;
  /** Which feature it charges for: credit for the feature pays its usage. */
  readonly feature?: string;
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
  readonly timing: "in_advance" | "in_arrears";
  /** "0" beside a model. */
  readonly unitAmountMinor: string;
  readonly includedSeats: number;
  /** What the seats above the included ones cost together, instead of an amount for each. */
  readonly model?: SeatModel;
  /** In arrears: each seat for the time that it was there, or the most that there were; by time when left out. */
  readonly counting?: "prorated" | "peak";
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
  /** Of a maximum: the highest of each hour or day, instead of that of the period. */
  readonly buckets?: UsageBuckets;
  /** What a quantity below zero costs: nothing, or what the same quantity above zero does, negative. Nothing when left out. */
  readonly negative?: NegativeQuantity;
};

/** "sum": the maxima are added up and priced together. "each": every one is priced for itself. */
export type UsageBuckets = { readonly per: "hour" | "day"; readonly price: "sum" | "each" };

export type NegativeQuantity = "clamped" | "mirrored";

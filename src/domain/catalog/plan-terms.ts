import type { BillingInterval } from "../calendar/index.ts";
import type { UsageModel } from "./usage-model.ts";

// What a plan says besides its prices.

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

/** Progressive billing: an invoice as soon as the charges of a period reach an amount. */
export type BillingThresholds = {
  /** Ascending; each is reached once in a period. */
  readonly amountsMinor: readonly string[];
  /** After the last of them, each time so much more. */
  readonly recurringMinor?: string;
};

/** A first time that is not charged in advance. */
export type PlanTrial = {
  readonly length: BillingInterval;
  /** What follows: the paid plan, the end, or a pause until somebody decides. */
  readonly endAction: "convert" | "cancel" | "pause";
  /** Whether usage in the trial is billed. */
  readonly usage: "free" | "billed";
  /** Whether billing periods count from the trial's start or from its end. */
  readonly anchor: "trial_start" | "trial_end";
};

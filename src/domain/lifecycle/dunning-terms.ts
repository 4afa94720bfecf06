/** What a catalog says of dunning: of a plan, or under a name for a whole deployment. JSON as it stands. */

/**
 * soft: the same card may succeed later, and so it may with the next two, which have schedules of their own if a policy
 * wishes. hard: never this card again. authentication: the cardholder must act.
 */
export const declineClasses = [
  "soft",
  "insufficient_funds",
  "processing_error",
  "hard",
  "authentication",
] as const;
export type DeclineClass = (typeof declineClasses)[number];

export const finalActions = ["cancel", "pause", "uncollectible", "keep_active"] as const;
/** uncollectible: the subscription stays past due. keep_active: it goes on as if nothing was. Both write the invoice off. */
export type FinalAction = (typeof finalActions)[number];

export const accessLevels = ["granted", "limited", "ended"] as const;
export type AccessLevel = (typeof accessLevels)[number];

/** A length of time: days of 24 hours and hours, added up. */
export type DunningDelay = { readonly days?: number; readonly hours?: number };

/** One attempt: how long after what its schedule counts from, and the notice that is sent when it fails too. */
export type ScheduledAttempt = DunningDelay & { readonly notice?: string };

export type AttemptSchedule = {
  /** What delays count from; the first failure when left out. */
  readonly countedFrom?: "first_failure" | "previous_attempt";
  readonly attempts: readonly ScheduledAttempt[];
};

export const noticeMoments = [
  "attempt_failed",
  "payment_method_needed",
  "action_required",
  "action_reminder",
  "access_limited",
  "access_ended",
  "given_up",
  "recovered",
] as const;
/** When something may be said to the customer. */
export type NoticeMoment = (typeof noticeMoments)[number];

export type DunningTerms = {
  /** Days after the first failed attempt, ascending: one attempt each, where there is no schedule. */
  readonly retryAfterDays: readonly number[];
  readonly finalAction: FinalAction;
  /** Where there are no steps of access: how long the product stays usable after the first failure. */
  readonly accessGraceDays: number;
  /** The key of one of the deployment's policies, which then counts instead of everything here. */
  readonly policy?: string;
  readonly schedule?: AttemptSchedule;
  readonly declines?: DeclineRules;
  /** How long a payment method is waited for, from the first failure; until the last attempt when left out. */
  readonly giveUpAfterDays?: number;
  /** No attempt from the one until the other, "22:00" and "08:00", by the customer's clock. */
  readonly quietHours?: { readonly from: string; readonly to: string };
  /** The full hour of the day, 0 to 23, at which attempts that are counted in days are made; learnt from past payments if wished. */
  readonly timeOfDay?: { readonly hour?: number; readonly learnt?: boolean };
  readonly cardLimit?: CardLimitTerms;
  /** How long a customer has to confirm a payment, and after how many hours of it they are reminded. */
  readonly authentication?: { readonly waitHours: number; readonly remindAfterHours?: number };
  /** Ascending; until the first the product is usable without limits. */
  readonly access?: readonly (DunningDelay & { readonly level: AccessLevel })[];
  /** The notice for each moment; null for none, the usual one when left out. */
  readonly notices?: NoticeNames;
};

/** Kinds of decline with a schedule of their own, or after which only another payment method is waited for. */
export type DeclineRules = {
  readonly soft?: DeclineRule;
  readonly insufficientFunds?: DeclineRule;
  readonly processingError?: DeclineRule;
  readonly hard?: DeclineRule;
  readonly authentication?: DeclineRule;
};
export type DeclineRule = AttemptSchedule | "await_payment_method";

export type NoticeNames = {
  readonly attemptFailed?: string | null;
  readonly paymentMethodNeeded?: string | null;
  readonly actionRequired?: string | null;
  readonly actionReminder?: string | null;
  readonly accessLimited?: string | null;
  readonly accessEnded?: string | null;
  readonly givenUp?: string | null;
  readonly recovered?: string | null;
};

export type CardLimitTerms = {
  /** Failed attempts with one card, over all invoices of its customer, within so many days. */
  readonly attempts: number;
  readonly days: number;
  /** Codes after which a card is not charged again, besides those that are always so. */
  readonly neverAfter?: readonly string[];
};

/** A policy that plans and customers may choose by its key. */
export type NamedDunningPolicy = Omit<DunningTerms, "policy"> & {
  readonly key: string;
  readonly name: string;
};

// What plans, contracts and grants give beside prices.

export const featureTypes = ["boolean", "config", "metered", "budget"] as const;
export type FeatureType = (typeof featureTypes)[number];

/** How what several sources say of a setting becomes one value: the first of them, or what all come to. */
export const combinations = ["first", "highest", "lowest", "sum", "union", "intersection"] as const;
export type Combination = (typeof combinations)[number];

/** Something that may be given: by itself, as a setting, as so much of a meter, or as so much to be spent. */
export type Feature = {
  readonly key: string;
  readonly name: string;
  readonly type: FeatureType;
  /** Of a metered feature. */
  readonly meter?: string;
  /** Of a setting; "first" when left out. */
  readonly combine?: Combination;
  /** Of a budget: what it caps are the charges of usage prices that belong to these features; of all when left out. */
  readonly caps?: readonly string[];
  /** Whether it may be used while access is limited because an invoice is not paid; denied when left out. */
  readonly whenLimited?: "denied" | "allowed";
  /** Where no source says another; without either, settings and features by themselves are allowed, what is metered is denied. */
  readonly whenCutOff?: CutOffPolicy;
};

/**
 * What is done with a feature where it is used while this system cannot be heard there: what was given last goes on, without limit or
 * up to so much, or is denied.
 */
export type CutOffPolicy =
  | { readonly use: "allowed" }
  | { readonly use: "denied" }
  /** In the meter's unit, by each process that is cut off, each time that it is. */
  | { readonly use: "allowed_up_to"; readonly quantity: string };

/** What is given of a feature. */
export type Entitlement = {
  readonly feature: string;
  /** Of a metered feature: the same as one limit on each billing cycle, beyond which it is denied. */
  readonly limit?: string;
  /** Of a metered feature or a budget; all of them hold. Without any there is no limit. */
  readonly limits?: readonly Limit[];
  /** Of a setting that is one text, or a number as text. */
  readonly value?: string;
  /** Of a setting that is a list. */
  readonly values?: readonly string[];
  /** Of a feature that is not a budget; of several sources the most generous counts. */
  readonly whenCutOff?: CutOffPolicy;
};

/** How much there may be in a window. */
export type Limit = {
  /** Of a metered feature, in the meter's unit. */
  readonly quantity?: string;
  /** Of a budget, in the customer's currency. */
  readonly amountMinor?: string;
  readonly window: LimitWindow;
  /** Dimensions of the meter of which each combination of values has the limit for itself, such as the user. */
  readonly per?: readonly string[];
  /** Only usage with these values of dimensions. */
  readonly where?: Readonly<Record<string, string>>;
  /** Whether more is denied or charged for; denied when left out. */
  readonly beyond?: "denied" | "charged";
};

/**
 * The stretch of time of which a limit speaks. calendar: on the customer's clock. billing_cycle: the subscription's period.
 * rolling: the time before now. first_use: opened by the first use after the one before was over. never: all time.
 */
export type LimitWindow =
  | { readonly type: "calendar"; readonly unit: CalendarUnit }
  | { readonly type: "billing_cycle" }
  | { readonly type: "rolling"; readonly length: WindowLength }
  | { readonly type: "first_use"; readonly length: WindowLength }
  | { readonly type: "never" };

export const calendarUnits = ["hour", "day", "week", "month", "quarter", "year"] as const;
export type CalendarUnit = (typeof calendarUnits)[number];

export const lengthUnits = ["minute", "hour", "day", "week"] as const;
/** By a stopwatch: a day has 24 hours. */
export type WindowLength = { readonly unit: (typeof lengthUnits)[number]; readonly count: number };

/** The limits of an entitlement, the short form written out. Null: without limit. */
export function limitsOf({ limit, limits }: Entitlement): readonly Limit[] | null {
  if (limit !== undefined) return [{ quantity: limit, window: { type: "billing_cycle" } }];
  return limits ?? null;
}

/** How a meter's quantity is priced. Everything is JSON as it stands: prices and quantities are canonical decimal text. */
export type UsageModel =
  | PerUnitModel
  | PackageModel
  | TieredModel
  | StairstepModel
  | PercentageModel
  | MatrixModel
  | CostPlusModel;

export type PerUnitModel = { readonly type: "per_unit"; readonly unitPriceMinor: string };

/** Sold by the package; a package begun counts whole ("up") or not at all ("down"). */
export type PackageModel = {
  readonly type: "package";
  readonly packageSize: string;
  readonly packagePriceMinor: string;
  readonly rounding: "up" | "down";
  /** What is due when nothing is billable; nothing when left out. */
  readonly atZero?: "free" | "one_package";
};

/** Graduated: each unit at its own tier's price. Volume: all units at the price of the tier reached. */
export type TieredModel = {
  readonly type: "graduated" | "volume";
  readonly tiers: readonly Tier[];
  /** Whether the first tier's flat fee is due when nothing is billable; it is not when left out. */
  readonly flatAtZero?: boolean;
};

/** `upTo` is the last quantity of the tier; null in the last tier, which has no end. */
export type Tier = {
  readonly upTo: string | null;
  readonly unitPriceMinor: string;
  readonly flatMinor: string;
};

/** The whole quantity costs what the one step that it reaches says. */
export type StairstepModel = {
  readonly type: "stairstep";
  readonly steps: readonly Step[];
  /** Whether the first step's price is due when nothing is billable; it is not when left out. */
  readonly flatAtZero?: boolean;
};

/** `upTo` is the last quantity of the step; null in the last step, which has no end. */
export type Step = { readonly upTo: string | null; readonly priceMinor: string };

/**
 * A share of amounts: the meter's quantity is in minor units. What is free, the fee and the bounds of an event are judged
 * event by event, in the order of their times. With both allowances the free part ends where the first of them does.
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

/** A unit price for each combination of dimension values; what no cell names costs the default, or is not sold. */
export type MatrixModel = {
  readonly type: "matrix";
  readonly dimensions: readonly string[];
  readonly cells: readonly MatrixCell[];
  /** Null: usage that no cell names costs nothing, and its line says that it has no price. */
  readonly defaultUnitPriceMinor: string | null;
};

export type MatrixCell = {
  readonly values: Readonly<Record<string, string>>;
  readonly unitPriceMinor: string;
};

/** What a cost table said when the unit was used, and a mark-up on it. */
export type CostPlusModel = {
  readonly type: "cost_plus";
  readonly costTable: string;
  /** The token class whose costs are meant. */
  readonly tokenClass: string;
  /** Those of the table. */
  readonly dimensions: readonly string[];
  /** "20" is a fifth on top; "-10" sells below cost. */
  readonly markupPercent: string;
};

/** What a seat price may say instead of one amount for each seat. */
export type SeatModel = TieredModel | StairstepModel;

import type { Currency } from "../money/index.ts";

/** What a provider charges us, by dimension values and token class, and since when. */
export type CostTable = {
  readonly key: string;
  readonly name: string;
  readonly currency: Currency;
  readonly dimensions: readonly string[];
  /** Ascending by `effectiveAt`. A version never changes once it is published. */
  readonly versions: readonly CostTableVersion[];
};

export type CostTableVersion = {
  /** From when on usage costs this, as ISO time; the first version also holds before. */
  readonly effectiveAt: string;
  readonly rows: readonly CostRow[];
};

export type CostRow = {
  readonly values: Readonly<Record<string, string>>;
  /** Token class → cost of one unit in minor units. */
  readonly costs: Readonly<Record<string, string>>;
};

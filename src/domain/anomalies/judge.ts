import type { AnomalyRule } from "./kinds.ts";
import { type Deviation, deviationOf } from "./robust.ts";

/**
 * Whether a figure is unlike those before it: far enough in spreads, and far enough to matter. Undefined where it is usual,
 * or too little is known to say.
 */
export function unusual(figure: bigint, before: readonly bigint[], rule: AnomalyRule): Deviation | undefined {
  if (before.length === 0 || before.length < rule.historyMin) return undefined;
  const deviation = deviationOf(figure, before, 1n);
  const distance = figure > deviation.median ? figure - deviation.median : deviation.median - figure;
  const tenths = deviation.tenths < 0n ? -deviation.tenths : deviation.tenths;
  return tenths >= BigInt(rule.tenthsMin) && distance >= rule.amountMin ? deviation : undefined;
}

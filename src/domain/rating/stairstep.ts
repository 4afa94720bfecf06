import type { Step } from "../catalog/index.ts";
import { type Decimal, decimal, zero } from "../money/index.ts";
import { type RatedTier, ratedTier } from "./rated-amount.ts";

/** The whole quantity costs what the step says that it reaches, however much of the step it fills. */
export function rateStairstep(steps: readonly Step[], billable: Decimal): RatedTier[] {
  const reached = steps.findIndex(({ upTo }) => upTo === null || !billable.isGreaterThan(decimal(upTo)));
  const step = steps[reached];
  if (step === undefined) return [];
  const from = decimal(steps[reached - 1]?.upTo ?? "0");
  const to = step.upTo === null ? null : decimal(step.upTo);
  const flatMinor = decimal(step.priceMinor);
  return [ratedTier({ from, to, quantity: billable, unitPriceMinor: zero, flatMinor })];
}

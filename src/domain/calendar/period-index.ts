import type { AgreedAnchor } from "./agreed-anchor.ts";
import { periodContaining } from "./billing-anchor.ts";
import { type Instant, instantOfEpochMs } from "./instant.ts";

/**
 * Which period of a subscription contains `at`, counted from its first, 0, whatever anchors it had: a part of a period is one
 * too, a trial is none, so that the first period that is paid is 0.
 * @param history as of `agreedPeriodAt`
 */
export function periodIndexAt(history: readonly AgreedAnchor[], at: Instant): number {
  const begun = history.filter(({ effectiveAt }) => effectiveAt <= at);
  return begun.reduce((sum, { effectiveAt, anchor, isTrial }, position) => {
    if (isTrial) return sum;
    const next = begun[position + 1];
    const last = next === undefined ? at : instantOfEpochMs(next.effectiveAt - 1);
    const passed = periodContaining(anchor, last).index - periodContaining(anchor, effectiveAt).index;
    return sum + passed + (next === undefined ? 0 : 1);
  }, 0);
}

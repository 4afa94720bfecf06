import { addDuration, instant } from "../domain/calendar/index.ts";
import type { BillingCycleInput } from "../workflows/messages.ts";
import type { ActivityDependencies } from "./dependencies.ts";

/**
 * Gives a period a run of its own, unless it has one. On the wall clock it has its first task when the grace for late usage is
 * over, and none to begin waiting for that.
 */
export async function startBillingCycle(
  { gateway, now }: Pick<ActivityDependencies, "gateway" | "now">,
  { planKey, ...cycle }: BillingCycleInput & { readonly planKey: string },
): Promise<void> {
  const closeAt = addDuration(instant(cycle.periodEnd), { seconds: cycle.graceSeconds }, "UTC");
  const delayMs = cycle.clock === null ? Math.max(0, closeAt - now()) : 0;
  await gateway.startBillingCycle(cycle, { planKey, delayMs });
}

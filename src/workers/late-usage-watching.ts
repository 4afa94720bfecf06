import type { Logger } from "pino";
import { Counter, type Registry } from "prom-client";
import type { ActivityDependencies } from "../activities/dependencies.ts";
import { LateUsageWatch } from "../activities/notice-late-usage.ts";
import { type RepeatedWork, repeatWork } from "./repeated-work.ts";

export interface LateUsageWatchingOptions {
  readonly deps: Pick<ActivityDependencies, "db" | "gateway" | "now">;
  readonly logger: Logger;
  readonly metrics: Registry;
  /** How soon usage is noticed that comes when its subscription has ended and is billed to its end. */
  readonly everyMs?: number;
}

/**
 * For as long as the worker runs: has usage billed that came when its subscription had ended. Any number of workers may do it: of
 * those that look at once one does.
 */
export function startLateUsageWatching({
  deps,
  logger,
  metrics,
  everyMs = 10_000,
}: LateUsageWatchingOptions): RepeatedWork {
  const noticed = new Counter({
    name: "reckoner_late_usage_after_end_total",
    help: "Subscriptions that had ended and are closed once more, for usage that came late",
    registers: [metrics],
  });
  const watch = new LateUsageWatch(deps);
  return repeatWork({
    everyMs,
    logger,
    failing: "late usage of ended subscriptions cannot be looked for; trying again",
    again: "late usage of ended subscriptions is looked for again",
    async work() {
      const look = await watch.look(deps.now());
      noticed.inc(look.noticed);
      if (look.failure !== undefined) throw look.failure;
      return false;
    },
  });
}

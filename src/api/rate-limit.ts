import type { ApiInstance } from "./api-instance.ts";
import type { ApiDependencies } from "./dependencies.ts";
import { RequestRefusedError } from "./refusals.ts";

const perSecondUsual = 500;
/** Callers who have not asked for so long have a full bucket, which need not be kept. */
const sweepMs = 60_000;

/**
 * Lets each caller ask so often in a second, and twice as often at once after a rest, at each process. What services of the
 * product ask all the time is let in by limits of its own: usage events, entitlement checks and reservations.
 */
export function limitRates(
  api: ApiInstance,
  { requestsPerSecondMax: perSecond = perSecondUsual }: Pick<ApiDependencies, "requestsPerSecondMax">,
): void {
  const burst = 2 * perSecond;
  const buckets = new Map<string, { left: number; filledAt: number }>();
  let sweptAt = performance.now();
  const sweep = (now: number): void => {
    if (now - sweptAt < sweepMs) return;
    sweptAt = now;
    for (const [actor, { filledAt }] of buckets) if (now - filledAt > sweepMs) buckets.delete(actor);
  };
  api.addHook("onRequest", async ({ caller, routeOptions }, reply) => {
    if (caller === undefined || routeOptions.config.isFrequent || routeOptions.config.scope === "usage:write")
      return;
    const now = performance.now();
    sweep(now);
    const bucket = buckets.get(caller.actor) ?? { left: burst, filledAt: now };
    buckets.set(caller.actor, bucket);
    bucket.left = Math.min(burst, bucket.left + ((now - bucket.filledAt) * perSecond) / 1_000);
    bucket.filledAt = now;
    reply.header("ratelimit-policy", `"caller";q=${perSecond};w=1`);
    if (bucket.left < 1) {
      reply.header("retry-after", "1");
      throw new RequestRefusedError(
        "too_many_requests",
        `more than ${perSecond} requests a second: ask less often`,
      );
    }
    bucket.left -= 1;
  });
}

import type { Logger } from "pino";
import { Counter, type Registry } from "prom-client";
import type { ActivityDependencies } from "../activities/dependencies.ts";
import { planMeterPushes, sendMeterPushes } from "../activities/meter-sync.ts";
import type { StripeConfig } from "../config.ts";
import { namedMeters, type PushedMeter } from "../db/billing/meter-pushes.ts";
import type { StripeMeter } from "../stripe/index.ts";
import { type RepeatedWork, repeatWork } from "./repeated-work.ts";

export interface MeterSyncOptions {
  readonly deps: Pick<ActivityDependencies, "db" | "now" | "rail">;
  readonly logger: Logger;
  readonly metrics: Registry;
  /** None: nothing is done. */
  readonly meters: StripeConfig["meters"];
  /** How soon an hour that has ended, or has changed since, is known at Stripe. */
  readonly everyMs?: number;
}

/**
 * For as long as the worker runs: pushes what was counted of each hour to Stripe's meters, for teams that let Stripe price it.
 * Any number of workers may do it.
 */
export function startMeterSync({
  deps,
  logger,
  metrics,
  meters,
  everyMs = 5 * 60_000,
}: MeterSyncOptions): RepeatedWork | undefined {
  if (meters.of.length === 0) return undefined;
  const told = new Counter({
    name: "reckoner_stripe_meter_pushes_total",
    help: "Changes of hours that Stripe's meters were told",
    registers: [metrics],
  });
  return repeatWork({
    everyMs,
    logger,
    failing: "usage cannot be pushed to Stripe's meters; trying again",
    again: "usage is pushed to Stripe's meters again",
    async work() {
      const { pushed, unfit } = await syncMeters(deps, meters);
      for (const why of unfit) logger.warn(why);
      told.inc(pushed);
      return false;
    },
  });
}

/** One turn. Answers how much was told, and which meters were left out and why. */
export async function syncMeters(
  deps: MeterSyncOptions["deps"],
  { of, by }: StripeConfig["meters"],
): Promise<{ readonly pushed: number; readonly unfit: readonly string[] }> {
  const here = await namedMeters(deps.db.orm, of);
  const atStripe = await deps.rail.meters.list();
  const problems = of.map((named) => {
    const meter = here.find(({ eventName }) => eventName === named.eventName);
    const theirs = atStripe.find(({ eventName }) => eventName === named.eventName);
    return { meter, problem: problemOf(named, meter, theirs) };
  });
  const fit = problems.flatMap(({ meter, problem }) => (meter && problem === undefined ? [meter] : []));
  await planMeterPushes(deps, fit);
  let pushed = 0;
  for (let sent = -1; sent !== 0; pushed += sent) sent = await sendMeterPushes(deps, { by, atStripe });
  return { pushed, unfit: problems.flatMap(({ problem }) => problem ?? []) };
}

function problemOf(
  { key, version, eventName }: StripeConfig["meters"]["of"][number],
  meter: (PushedMeter & { readonly aggregation: string }) | undefined,
  theirs: StripeMeter | undefined,
): string | undefined {
  const name = `meter ${key}@${version}`;
  if (meter === undefined) return `${name} is not in the catalog: its usage is not pushed to Stripe`;
  if (meter.aggregation !== "count" && meter.aggregation !== "sum") {
    return `${name} is a ${meter.aggregation}, which hours do not add up to: its usage is not pushed to Stripe`;
  }
  if (theirs === undefined || !theirs.isActive) return `Stripe has no active meter of ${eventName} events`;
  return theirs.formula === "sum" ? undefined : `Stripe's meter of ${eventName} events is no sum`;
}

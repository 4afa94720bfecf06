import { claimBatch, claimPushes, finishPushes, type WaitingPush } from "../db/billing/meter-push-sending.ts";
import { differingWindows, type PushedMeter, planReports, reportedOf } from "../db/billing/meter-pushes.ts";
import { inTransaction, sql } from "../db/database.ts";
import { nextReports } from "../domain/metering/index.ts";
import { StripeCallError, type StripeMeter, StripeOutcomeUnknownError } from "../stripe/index.ts";
import type { ActivityDependencies } from "./dependencies.ts";

type Deps = Pick<ActivityDependencies, "db" | "now" | "rail">;

const customersAtOnce = 500;
const eventsAtOnce = 50;
/** As many as Stripe's stream takes with one call. */
const batchMax = 100;

/** Compares what was counted of each hour with what Stripe was told of it, and writes down what is to be told. Answers of how many. */
export async function planMeterPushes({ db, now }: Deps, meters: readonly PushedMeter[]): Promise<number> {
  let planned = 0;
  let after: bigint | undefined = 0n;
  while (after !== undefined && meters.length > 0) {
    const compared = await differingWindows(db.orm, {
      meters,
      now: now(),
      after,
      customers: customersAtOnce,
    });
    for (const window of compared.differing) {
      const meter = meters.find(({ number }) => number === window.meter);
      if (meter === undefined) continue;
      await inTransaction(db, async (tx) => {
        // Two planners at once would each write a part of what they think.
        await tx.execute(
          sql`select pg_advisory_xact_lock(hashtextextended(${`meter-push/${window.customerId}`}, 0))`,
        );
        const reports = nextReports(window.quantity, await reportedOf(tx, window), now());
        if (reports.length > 0) await planReports(tx, meter, window, reports);
      });
      planned += 1;
    }
    after = compared.last;
  }
  return planned;
}

/** Tells Stripe what is written down, one by one or on the stream. Answers how much was told; 0 when nothing waits. */
export async function sendMeterPushes(
  deps: Deps,
  { by, atStripe }: { by: "event" | "stream"; atStripe: readonly StripeMeter[] },
): Promise<number> {
  const { db } = deps;
  const meterOf = new Map(atStripe.map((meter) => [meter.eventName, meter]));
  const alone = await claimPushes(db.orm, by === "event" ? "any" : "cancel", eventsAtOnce);
  for (const push of alone) await told(deps, [push.identifier], () => tell(deps, push, meterOf));
  if (by === "event") return alone.length;
  const batched = await inTransaction(db, (tx) => claimBatch(tx, batchMax));
  if (batched === undefined) return alone.length;
  const { batch, pushes } = batched;
  await told(
    deps,
    pushes.map(({ identifier }) => identifier),
    () => tellTogether(deps, batch, pushes, meterOf),
  );
  return alone.length + pushes.length;
}

type Meters = ReadonlyMap<string, StripeMeter>;
type Outcome = { readonly refused: string } | "sent";

async function tell({ rail, now }: Deps, push: WaitingPush, meters: Meters): Promise<Outcome> {
  if (push.canceled !== null) {
    const event = { eventName: push.eventName, identifier: push.canceled };
    return await rail.meters.cancel(push.identifier, event, now());
  }
  const meter = meters.get(push.eventName);
  return meter === undefined ? { refused: "no_meter" } : await rail.meters.send({ ...push, meter }, now());
}

async function tellTogether(
  { rail, now }: Deps,
  batch: string,
  pushes: readonly WaitingPush[],
  meters: Meters,
): Promise<Outcome> {
  const events = pushes.flatMap((push) => {
    const meter = meters.get(push.eventName);
    return meter === undefined ? [] : [{ ...push, meter }];
  });
  if (events.length < pushes.length) return { refused: "no_meter" };
  await rail.meters.stream(batch, events, now());
  return "sent";
}

/** What may or may not have come to Stripe is told again under the same identifier; after most of a day a person has to look. */
async function told(
  { db, now }: Deps,
  identifiers: readonly string[],
  work: () => Promise<Outcome>,
): Promise<void> {
  try {
    const outcome = await work();
    const state =
      outcome === "sent"
        ? ({ state: "sent" } as const)
        : ({ state: "refused", code: outcome.refused } as const);
    await finishPushes(db.orm, identifiers, state, now());
  } catch (error) {
    if (error instanceof StripeOutcomeUnknownError) {
      return await finishPushes(db.orm, identifiers, { state: "unknown" }, now());
    }
    if (!(error instanceof StripeCallError) || error.failure.kind === "auth") throw error;
    if (error.failure.kind === "invalid_request") {
      await finishPushes(db.orm, identifiers, { state: "refused", code: error.failure.code }, now());
    }
  }
}

import { type Instant, instantOfEpochMs, isoOf } from "../calendar/index.ts";
import { BillingError } from "../errors.ts";
import { eventAheadMinutesMax } from "./parse-usage-event.ts";

/** A source that sent nothing of a type for so many days is not waited for. */
export const expectedDaysMax = 30;

/** How much longer than the liveliest instance of its source an instance may be silent before it counts as gone. */
export const instanceSilenceMsMax = 3_600_000;

/** No estimate is closer to now than this: events of the last minute may always be under way. */
export const estimatedLagMsMin = 60_000;

/** An estimate waits until this share of a source's events used to have arrived, in thousandths. */
export const arrivedShareThousandths = 999n;

export class HeartbeatInFutureError extends BillingError {
  readonly code = "heartbeat_in_future";
}

/** What one instance (process) of a source last said: all that it will ever send from before `completeUntil` is accepted. */
export interface InstanceClaim {
  readonly instance: string;
  readonly completeUntil: Instant;
  readonly heardAt: Instant;
}

/** So many events arrived within the bound of this bucket after they happened, and not within that of the bucket before. */
export interface ArrivalCount {
  readonly bucket: number;
  readonly events: bigint;
}

/** A source whose events of one type and customer must be waited for. */
export interface ExpectedSource {
  readonly source: string;
  /** None when it sends no heartbeats that speak of this type and customer. */
  readonly claims: readonly InstanceClaim[];
  readonly arrivals: readonly ArrivalCount[];
}

/** How far one source is. */
export type SourceProgress = { readonly source: string; readonly completeUntil: Instant } & (
  | { readonly kind: "reported"; readonly heardAt: Instant }
  /** Judged from `events` events, of which 99.9 % had arrived after `lagMs`. */
  | { readonly kind: "estimated"; readonly lagMs: number; readonly events: bigint }
);

/**
 * Up to when usage is complete, and the source that holds it back. `none`: no source is expected, so there is nothing to
 * wait for.
 */
export type Watermark = { readonly kind: "none"; readonly completeUntil: Instant } | SourceProgress;

/** @throws HeartbeatInFutureError when nobody can know that yet, by our clock and the sender's allowed error */
export function requireHeartbeatOfThePast(completeUntil: Instant, now: Instant): void {
  if (completeUntil - now <= eventAheadMinutesMax * 60_000) return;
  throw new HeartbeatInFutureError(
    `complete_until ${isoOf(completeUntil)} is more than ${eventAheadMinutesMax} minutes ahead of ${isoOf(now)}`,
    "complete_until",
  );
}

/** The least of what the expected sources have reached, and never later than now. */
export function watermarkOf(sources: readonly ExpectedSource[], now: Instant): Watermark {
  const [first, ...others] = sources.map((source) => progressOf(source, now));
  if (first === undefined) return { kind: "none", completeUntil: now };
  return others.reduce((held, other) => (isBehind(other, held) ? other : held), first);
}

/** How far a source is: as it says itself, or else as its events used to arrive. */
export function progressOf({ source, claims, arrivals }: ExpectedSource, now: Instant): SourceProgress {
  const [first, ...others] = livelyClaims(claims);
  if (first === undefined) {
    const { lagMs, events } = estimatedLag(arrivals);
    return { source, kind: "estimated", completeUntil: instantOfEpochMs(now - lagMs), lagMs, events };
  }
  const { completeUntil, heardAt } = others.reduce(
    (held, other) => (other.completeUntil < held.completeUntil ? other : held),
    first,
  );
  return { source, kind: "reported", completeUntil: completeUntil < now ? completeUntil : now, heardAt };
}

/**
 * Instances come and go with their machines: one that fell silent while others of its source went on is not waited for.
 * When all are silent, the source is, and the last words of those heard last stand.
 */
function livelyClaims(claims: readonly InstanceClaim[]): readonly InstanceClaim[] {
  const lastHeard = Math.max(...claims.map(({ heardAt }) => heardAt));
  return claims.filter(({ heardAt }) => heardAt >= lastHeard - instanceSilenceMsMax);
}

/** The lag within which 99.9 % of these events arrived, rounded up to its bucket's bound. */
export function estimatedLag(arrivals: readonly ArrivalCount[]): { lagMs: number; events: bigint } {
  const events = arrivals.reduce((sum, arrived) => sum + arrived.events, 0n);
  let missing = (events * arrivedShareThousandths + 999n) / 1_000n;
  let lagMs = estimatedLagMsMin;
  for (const { bucket, events: arrived } of arrivals.toSorted((a, b) => a.bucket - b.bucket)) {
    if (missing <= 0n) break;
    lagMs = Math.max(lagMs, lagBoundMs(bucket));
    missing -= arrived;
  }
  return { lagMs, events };
}

/** Bucket 0 holds lags below a second, each further one up to twice as much: 1 s, 2 s, 4 s, …; bounds are exclusive. */
export const lagBoundMs = (bucket: number): number => 1_000 * 2 ** bucket;

/** By name where two are equally far: who asks again is told of the same one. */
function isBehind(a: SourceProgress, b: SourceProgress): boolean {
  if (a.completeUntil !== b.completeUntil) return a.completeUntil < b.completeUntil;
  return a.source < b.source;
}

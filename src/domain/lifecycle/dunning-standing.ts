import { type Instant, instantOfEpochMs } from "../calendar/index.ts";
import type { DunningPolicy, Schedule } from "./dunning-policy.ts";
import type { DeclineClass } from "./dunning-terms.ts";

/** Who wanted a charge: nobody's but the schedule's uses up an attempt of it. */
export type AttemptCause = "schedule" | "new_payment_method" | "operator";

/** What happens to a dunning, from inside or outside, in the order in which it does. */
export type DunningEvent =
  /** A charge begins; what comes while it is under way comes after this, and before its end. */
  | { readonly type: "attempted"; readonly at: Instant }
  | {
      readonly type: "declined";
      readonly at: Instant;
      readonly cause: AttemptCause;
      readonly decline: DeclineClass;
    }
  /** A charge was not sent, because of what networks allow of the card; until then, or never again. */
  | {
      readonly type: "withheld";
      readonly at: Instant;
      readonly cause: AttemptCause;
      readonly until: Instant | null;
    }
  /** The customer has another payment method on file. */
  | { readonly type: "payment_method"; readonly at: Instant }
  | { readonly type: "settled"; readonly at: Instant; readonly by: "payment" | "void" }
  | { readonly type: "dispute_opened" | "dispute_closed"; readonly at: Instant; readonly dispute: string }
  /** An operator's: no attempt and no end before `until`. */
  | { readonly type: "postponed"; readonly at: Instant; readonly until: Instant }
  | { readonly type: "retry_asked" | "stopped"; readonly at: Instant }
  /** What the customer was asked to confirm was not confirmed in time, or they were reminded of it. */
  | { readonly type: "action_expired" | "action_reminded"; readonly at: Instant };

/** All that a dunning remembers of what has happened. */
export interface DunningStanding {
  /** The first failure. */
  readonly startedAt: Instant;
  /** From where schedules count: the first failure, later by as long as disputes lasted. */
  readonly countedFrom: Instant;
  /** The last attempt of the schedule, the first charge included; later in the same way. */
  readonly previousAt: Instant;
  /** Attempts of the schedule that were made, or passed while none could be. */
  readonly passed: number;
  readonly lastDecline: DeclineClass;
  readonly hasNewMethod: boolean;
  readonly isRetryAsked: boolean;
  readonly notBefore: Instant | null;
  /** What networks allow of the card on file; a charge that was withheld is made when it has rested. */
  readonly card:
    | { readonly state: "usable" | "over" }
    | { readonly state: "rests"; readonly until: Instant; readonly cause: AttemptCause };
  /** Since when the customer is asked to confirm a payment. */
  readonly actionSince: Instant | null;
  readonly isReminded: boolean;
  readonly disputes: readonly string[];
  readonly disputedSince: Instant | null;
  readonly outcome: "recovered" | "closed" | "stopped" | null;
}

/** A dunning that begins: the first charge was declined. */
export function dunningBegun(startedAt: Instant, decline: DeclineClass): DunningStanding {
  return {
    startedAt,
    countedFrom: startedAt,
    previousAt: startedAt,
    passed: 0,
    lastDecline: decline,
    hasNewMethod: false,
    isRetryAsked: false,
    notBefore: null,
    card: { state: "usable" },
    actionSince: decline === "authentication" ? startedAt : null,
    isReminded: false,
    disputes: [],
    disputedSince: null,
    outcome: null,
  };
}

/** How a dunning stands after something has happened; what has an outcome keeps it. */
export function afterDunningEvent(
  policy: DunningPolicy,
  standing: DunningStanding,
  event: DunningEvent,
): DunningStanding {
  if (standing.outcome !== null) return standing;
  switch (event.type) {
    case "declined":
      return afterDecline(policy, standing, event);
    case "attempted":
      return { ...standing, hasNewMethod: false, isRetryAsked: false };
    case "withheld":
      return { ...standing, card: restOf(event) };
    case "payment_method":
      return { ...standing, hasNewMethod: true, actionSince: null, card: { state: "usable" } };
    case "settled":
      return { ...standing, outcome: event.by === "payment" ? "recovered" : "closed" };
    case "dispute_opened":
      return {
        ...standing,
        disputes: [...new Set([...standing.disputes, event.dispute])],
        disputedSince: standing.disputedSince ?? event.at,
      };
    case "dispute_closed":
      return afterDispute(standing, event);
    case "postponed":
      return { ...standing, notBefore: event.until };
    case "retry_asked":
      return { ...standing, isRetryAsked: true };
    case "stopped":
      return { ...standing, outcome: "stopped" };
    case "action_expired":
      return withoutMissed(policy, { ...standing, actionSince: null }, event.at);
    case "action_reminded":
      return { ...standing, isReminded: true };
  }
}

function afterDecline(
  policy: DunningPolicy,
  standing: DunningStanding,
  { at, cause, decline }: Extract<DunningEvent, { type: "declined" }>,
): DunningStanding {
  const isScheduled = cause === "schedule";
  const after: DunningStanding = {
    ...standing,
    passed: standing.passed + (isScheduled ? 1 : 0),
    previousAt: isScheduled ? at : standing.previousAt,
    lastDecline: decline,
    notBefore: standing.notBefore !== null && standing.notBefore > at ? standing.notBefore : null,
    card: { state: "usable" },
    actionSince: decline === "authentication" ? at : null,
    isReminded: false,
  };
  return withoutMissed(policy, after, at);
}

function restOf({ until, cause }: Extract<DunningEvent, { type: "withheld" }>): DunningStanding["card"] {
  return until === null ? { state: "over" } : { state: "rests", until, cause };
}

/** Disputes stop the clock of the schedule: when the last one is over, all that is still ahead is later by as long. */
function afterDispute(
  standing: DunningStanding,
  { at, dispute }: { readonly at: Instant; readonly dispute: string },
): DunningStanding {
  const disputes = standing.disputes.filter((open) => open !== dispute);
  const { disputedSince } = standing;
  if (disputes.length > 0 || disputedSince === null) return { ...standing, disputes };
  const lasted = Math.max(0, at - disputedSince);
  const later = (instant: Instant) => instantOfEpochMs(instant + lasted);
  return {
    ...standing,
    disputes,
    disputedSince: null,
    countedFrom: later(standing.countedFrom),
    previousAt: later(standing.previousAt),
    actionSince: standing.actionSince === null ? null : later(standing.actionSince),
  };
}

/** The schedule that counts after the last decline; null when only another payment method helps. */
export function scheduleInForce(policy: DunningPolicy, { lastDecline }: DunningStanding): Schedule | null {
  const rule = policy.declines[lastDecline];
  return rule === "await_payment_method" ? null : rule;
}

/** When the next attempt of a schedule is due, before anything moves it; null when none is left. */
export function nextDue(schedule: Schedule, standing: DunningStanding): Instant | null {
  const next = schedule.attempts[standing.passed];
  if (next === undefined) return null;
  const from = schedule.countedFrom === "first_failure" ? standing.countedFrom : standing.previousAt;
  return instantOfEpochMs(from + next.afterMs);
}

/**
 * Attempts that passed while there was nothing to charge are not made up for: one charge after the other in one moment
 * helps nobody.
 */
function withoutMissed(policy: DunningPolicy, standing: DunningStanding, now: Instant): DunningStanding {
  const schedule = scheduleInForce(policy, standing);
  if (schedule === null) return standing;
  let rest = standing;
  for (let due = nextDue(schedule, rest); due !== null && due <= now; due = nextDue(schedule, rest)) {
    rest = { ...rest, passed: rest.passed + 1, previousAt: due };
  }
  return rest;
}

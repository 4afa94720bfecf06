import { type Instant, instantOfEpochMs } from "../calendar/index.ts";
import { nextAccessChange } from "./dunning-access.ts";
import { afterQuietHours, atHour } from "./dunning-hours.ts";
import type { DunningPolicy } from "./dunning-policy.ts";
import { type AttemptCause, type DunningStanding, nextDue, scheduleInForce } from "./dunning-standing.ts";
import type { AccessLevel } from "./dunning-terms.ts";

/** Why something happens when it does: the last thing that decided the instant. */
export type DunningReason =
  | "schedule"
  | "time_of_day"
  | "card_limit"
  | "postponed"
  | "quiet_hours"
  | "new_payment_method"
  | "asked_by_operator"
  | "decline_needs_other_method"
  | "card_may_not_be_charged"
  | "no_attempt_left"
  | "confirmation_asked"
  | "disputed";

export type DunningStep =
  /** Charge the card on file at this instant. */
  | {
      readonly kind: "attempt";
      readonly at: Instant;
      readonly cause: AttemptCause;
      readonly why: DunningReason;
    }
  /** Only another payment method can help; give up at this instant. */
  | { readonly kind: "await_payment_method"; readonly at: Instant; readonly why: DunningReason }
  /** The customer must confirm a payment; at this instant it counts as failed. */
  | { readonly kind: "await_action"; readonly at: Instant; readonly why: DunningReason }
  /** Nothing happens until the dispute is over. */
  | { readonly kind: "await_dispute"; readonly why: DunningReason }
  | { readonly kind: "end"; readonly outcome: DunningOutcome };

export type DunningOutcome = "recovered" | "exhausted" | "closed" | "stopped";

/** Where a customer's clocks are, and at which hour their payments used to succeed; null when nothing was learnt. */
export interface DunningPlace {
  readonly timeZone: string;
  readonly learntHour: number | null;
}

/**
 * What comes next. Schedules are counted by their own attempts only, so that a charge which the customer or an operator
 * causes never uses up one of theirs.
 */
export function nextDunningStep(
  policy: DunningPolicy,
  standing: DunningStanding,
  now: Instant,
  place: DunningPlace,
): DunningStep {
  const { outcome, disputes, hasNewMethod, isRetryAsked, actionSince, card } = standing;
  if (outcome !== null) return { kind: "end", outcome };
  if (disputes.length > 0) return { kind: "await_dispute", why: "disputed" };
  // The customer is there, or somebody has decided: this is not for the policy's hours to delay.
  if (hasNewMethod) {
    return { kind: "attempt", at: now, cause: "new_payment_method", why: "new_payment_method" };
  }
  if (isRetryAsked) return { kind: "attempt", at: now, cause: "operator", why: "asked_by_operator" };
  if (actionSince !== null) {
    const at = instantOfEpochMs(actionSince + policy.authentication.waitMs);
    return { kind: "await_action", at, why: "confirmation_asked" };
  }
  if (card.state === "over") return waiting(policy, standing, now, "card_may_not_be_charged");
  if (card.state === "rests" && card.cause !== "schedule") {
    return attempt(policy, standing, now, { due: card.until, isInDays: false, cause: card.cause }, place);
  }
  const schedule = scheduleInForce(policy, standing);
  if (schedule === null) return waiting(policy, standing, now, "decline_needs_other_method");
  const due = nextDue(schedule, standing);
  if (due === null) return waiting(policy, standing, now, "no_attempt_left");
  const isInDays = schedule.attempts[standing.passed]?.isInDays ?? false;
  return attempt(policy, standing, now, { due, isInDays, cause: "schedule" }, place);
}

interface DueAttempt {
  readonly due: Instant;
  readonly isInDays: boolean;
  readonly cause: AttemptCause;
}

/** A due attempt, at the first instant at which it may be made, with what decided that. */
function attempt(
  policy: DunningPolicy,
  standing: DunningStanding,
  now: Instant,
  { due, isInDays, cause }: DueAttempt,
  { timeZone, learntHour }: DunningPlace,
): DunningStep {
  const { hour, learnsHour, quietHours, cardLimit } = policy;
  const { notBefore, card } = standing;
  // A card that other invoices keep at its limit is not waited for without end.
  const latest = lastInstant(policy, standing) + cardLimit.withinMs;
  if (card.state === "rests" && card.until > latest) {
    return waiting(policy, standing, now, "card_may_not_be_charged");
  }
  let at = due;
  let why: DunningReason = "schedule";
  const move = (to: Instant, because: DunningReason) => {
    if (to <= at) return;
    at = to;
    why = because;
  };
  const wanted = (learnsHour ? learntHour : null) ?? hour;
  if (isInDays && wanted !== null) move(atHour(wanted, due, timeZone), "time_of_day");
  if (card.state === "rests") {
    if (card.until >= at) why = "card_limit";
    move(card.until, "card_limit");
  }
  if (notBefore !== null) move(notBefore, "postponed");
  const respectQuiet = () => {
    if (quietHours !== null) move(afterQuietHours(quietHours, at, timeZone), "quiet_hours");
  };
  respectQuiet();
  // What is late by itself, because nobody was there to make it, does not wake anybody either.
  if (now > at) at = now;
  respectQuiet();
  return { kind: "attempt", at, cause, why };
}

function waiting(
  policy: DunningPolicy,
  standing: DunningStanding,
  now: Instant,
  why: DunningReason,
): DunningStep {
  const at = lastInstant(policy, standing);
  return at <= now ? { kind: "end", outcome: "exhausted" } : { kind: "await_payment_method", at, why };
}

/** Until when another payment method is waited for. */
function lastInstant({ giveUpAfterMs }: DunningPolicy, { countedFrom, notBefore }: DunningStanding): Instant {
  const last = instantOfEpochMs(countedFrom + giveUpAfterMs);
  return notBefore !== null && notBefore > last ? notBefore : last;
}

/** What a dunning that waits wakes up for next, when nothing else happens. */
export type DunningWaking =
  | { readonly for: "step" | "reminder"; readonly at: Instant }
  | { readonly for: "access"; readonly at: Instant; readonly level: AccessLevel }
  | { readonly for: "nothing"; readonly at: null };

/** The step itself, unless a reminder or a change of access comes before it. */
export function nextWaking(
  policy: DunningPolicy,
  standing: DunningStanding,
  step: Exclude<DunningStep, { kind: "end" }>,
  now: Instant,
): DunningWaking {
  const access = nextAccessChange(policy, standing.startedAt, now);
  const { remindAfterMs } = policy.authentication;
  const { actionSince, isReminded } = standing;
  const remindsAt =
    step.kind !== "await_action" || actionSince === null || remindAfterMs === null || isReminded
      ? null
      : instantOfEpochMs(actionSince + remindAfterMs);
  const wakings = [
    ...(step.kind === "await_dispute" ? [] : [{ for: "step" as const, at: step.at }]),
    ...(remindsAt === null ? [] : [{ for: "reminder" as const, at: remindsAt }]),
    ...(access === null ? [] : [{ for: "access" as const, ...access }]),
  ];
  // Of several at one instant access comes first: what is said of it does not depend on how an attempt ends.
  const [first] = wakings.toSorted((one, other) => one.at - other.at || (one.for === "access" ? -1 : 1));
  return first ?? { for: "nothing", at: null };
}

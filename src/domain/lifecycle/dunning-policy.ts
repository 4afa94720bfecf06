import type {
  AccessLevel,
  AttemptSchedule,
  DeclineClass,
  DeclineRule,
  DunningDelay,
  DunningTerms,
  FinalAction,
  NoticeMoment,
  NoticeNames,
} from "./dunning-terms.ts";

/** When and how often a failed payment is tried again, and what follows when it never succeeds: terms with nothing left open. */
export interface DunningPolicy {
  readonly declines: Readonly<Record<DeclineClass, Schedule | "await_payment_method">>;
  /** How long a payment method is waited for, in milliseconds after the first failure. */
  readonly giveUpAfterMs: number;
  readonly quietHours: QuietHours | null;
  /** 0 to 23; null: whenever an attempt is due. */
  readonly hour: number | null;
  readonly learnsHour: boolean;
  readonly cardLimit: CardLimit;
  readonly authentication: { readonly waitMs: number; readonly remindAfterMs: number | null };
  /** Ascending; empty: access is never limited. */
  readonly access: readonly { readonly afterMs: number; readonly level: AccessLevel }[];
  readonly notices: Readonly<Record<NoticeMoment, string | null>>;
  readonly finalAction: FinalAction;
}

export interface Schedule {
  readonly countedFrom: "first_failure" | "previous_attempt";
  readonly attempts: readonly {
    readonly afterMs: number;
    /** Counted in days, so that the hour of the day may be chosen. */
    readonly isInDays: boolean;
    readonly notice: string | null;
  }[];
}

/** Minutes since midnight by the customer's clock; [from, to), over midnight where `from` is later. */
export interface QuietHours {
  readonly from: number;
  readonly to: number;
}

export interface CardLimit {
  readonly attemptsMax: number;
  readonly withinMs: number;
  readonly neverAfter: readonly string[];
}

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** Networks forbid another attempt with the card after these, whatever a policy says. */
const codesThatEndACard = [
  "highest_risk_level",
  "incorrect_number",
  "invalid_account",
  "lost_card",
  "pickup_card",
  "revocation_of_all_authorizations",
  "revocation_of_authorization",
  "stolen_card",
];

/** What the strictest of the large networks allowed for years. */
const usualCardLimit = { attempts: 15, days: 30 };

/** For an invoice that belongs to no plan, such as a purchase of credits: nothing but the invoice is given up. */
export const defaultDunningTerms: DunningTerms = {
  retryAfterDays: [3, 5, 7],
  finalAction: "uncollectible",
  accessGraceDays: 7,
};

/** Terms with everything that they leave open. */
export function dunningPolicy(terms: DunningTerms): DunningPolicy {
  const { finalAction, timeOfDay, quietHours, giveUpAfterDays, accessGraceDays } = terms;
  const usual = scheduleOf(terms.schedule ?? { attempts: terms.retryAfterDays.map((days) => ({ days })) });
  const { attempts, days, neverAfter = [] } = { ...usualCardLimit, ...terms.cardLimit };
  const { waitHours, remindAfterHours } = { waitHours: 72, ...terms.authentication };
  const access = terms.access ?? [{ days: accessGraceDays, level: "ended" as const }];
  return {
    declines: declineRules(terms, usual),
    giveUpAfterMs: giveUpAfterDays === undefined ? lengthOf(usual) : giveUpAfterDays * dayMs,
    quietHours:
      quietHours === undefined ? null : { from: minuteOf(quietHours.from), to: minuteOf(quietHours.to) },
    hour: timeOfDay?.hour ?? null,
    learnsHour: timeOfDay?.learnt ?? false,
    cardLimit: {
      attemptsMax: attempts,
      withinMs: days * dayMs,
      neverAfter: [...new Set([...codesThatEndACard, ...neverAfter])],
    },
    authentication: {
      waitMs: waitHours * hourMs,
      remindAfterMs: remindAfterHours === undefined ? null : remindAfterHours * hourMs,
    },
    access: access.map((step) => ({ afterMs: delayMs(step), level: step.level })),
    notices: noticeNames(terms.notices ?? {}),
    finalAction,
  };
}

/** Cards that may still work are tried by the usual schedule, for all others another one is waited for. */
function declineRules({ declines = {} }: DunningTerms, usual: Schedule): DunningPolicy["declines"] {
  const ruled = (rule: DeclineRule | undefined, otherwise: Schedule | "await_payment_method") => {
    if (rule === undefined) return otherwise;
    return rule === "await_payment_method" ? rule : scheduleOf(rule);
  };
  const soft = ruled(declines.soft, usual);
  return {
    soft,
    insufficient_funds: ruled(declines.insufficientFunds, soft),
    processing_error: ruled(declines.processingError, soft),
    hard: ruled(declines.hard, "await_payment_method"),
    authentication: ruled(declines.authentication, "await_payment_method"),
  };
}

function noticeNames(names: NoticeNames): Readonly<Record<NoticeMoment, string | null>> {
  const { attemptFailed = "payment_failed", paymentMethodNeeded = "payment_method_needed" } = names;
  const { actionRequired = "payment_action_required", actionReminder = "payment_action_reminder" } = names;
  const { accessLimited = "access_limited", accessEnded = "access_ended" } = names;
  const { givenUp = "payment_given_up", recovered = "payment_recovered" } = names;
  return {
    attempt_failed: attemptFailed,
    payment_method_needed: paymentMethodNeeded,
    action_required: actionRequired,
    action_reminder: actionReminder,
    access_limited: accessLimited,
    access_ended: accessEnded,
    given_up: givenUp,
    recovered,
  };
}

/** The longest time over which the attempts of a schedule reach when none is moved, in milliseconds. */
function lengthOf({ countedFrom, attempts }: Schedule): number {
  const delays = attempts.map(({ afterMs }) => afterMs);
  return countedFrom === "first_failure" ? Math.max(0, ...delays) : delays.reduce((sum, ms) => sum + ms, 0);
}

function scheduleOf({ countedFrom = "first_failure", attempts }: AttemptSchedule): Schedule {
  return {
    countedFrom,
    attempts: attempts.map((attempt) => ({
      afterMs: delayMs(attempt),
      isInDays: (attempt.hours ?? 0) === 0,
      notice: attempt.notice ?? null,
    })),
  };
}

/** In milliseconds. */
export function delayMs({ days = 0, hours = 0 }: DunningDelay): number {
  return days * dayMs + hours * hourMs;
}

/** Minutes since midnight of "22:30". */
export function minuteOf(time: string): number {
  const [hours = "0", minutes = "0"] = time.split(":");
  return Number(hours) * 60 + Number(minutes);
}

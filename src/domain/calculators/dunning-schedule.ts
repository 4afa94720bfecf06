import { type Instant, instantOfEpochMs } from "../calendar/index.ts";
import {
  accessEndsAt,
  attemptsDue,
  type DeclineClass,
  type DunningPolicy,
  nextDunningStep,
} from "../lifecycle/index.ts";

export type ChargeOutcome =
  | { readonly status: "paid" }
  | { readonly status: "declined"; readonly decline: DeclineClass };

/** What the customer or an operator does while dunning is at work; earlier ones first. */
export type DunningEvent =
  | { readonly type: "new_payment_method"; readonly at: Instant; readonly outcome: ChargeOutcome }
  | { readonly type: "paid" | "voided"; readonly at: Instant };

export interface DunningQuestion {
  readonly policy: DunningPolicy;
  readonly failedAt: Instant;
  /** Of the first charge. */
  readonly decline: DeclineClass;
  /** What the attempts of the schedule come to, in order; a soft decline where nothing is said. */
  readonly scheduled: readonly ChargeOutcome[];
  readonly events: readonly DunningEvent[];
}

export interface DunningAttempt {
  readonly number: number;
  readonly at: Instant;
  readonly cause: "first_charge" | "schedule" | "new_payment_method";
  readonly outcome: ChargeOutcome;
}

/** How things stand from `from` until the next state, the last one for good. */
export interface DunningState {
  readonly from: Instant;
  readonly invoice: "open" | "paid" | "void" | "uncollectible";
  readonly dunning: "retrying" | "awaiting_payment_method" | "recovered" | "closed" | "exhausted";
  readonly subscription: "past_due" | "active" | "canceled" | "paused";
  readonly access: "granted" | "ended";
}

export interface DunningCourse {
  readonly attempts: readonly DunningAttempt[];
  readonly states: readonly DunningState[];
  readonly outcome: "recovered" | "closed" | "exhausted";
  readonly endedAt: Instant;
}

type Ending = Pick<DunningCourse, "outcome" | "endedAt">;

const softDecline: ChargeOutcome = { status: "declined", decline: "soft" };

/** What would follow a declined charge: each step is the one that the running dunning would take. */
export function calculateDunningSchedule(question: DunningQuestion): DunningCourse {
  const course = new Course(question);
  let ending = course.step();
  while (ending === null) ending = course.step();
  return { ...ending, attempts: course.attempts, states: statesOf(question, course, ending) };
}

/** What a dunning remembers from step to step, as its workflow does. */
class Course {
  readonly attempts: DunningAttempt[];
  /** Since when it waits for another attempt, or for a payment method. */
  readonly waits: { from: Instant; dunning: "retrying" | "awaiting_payment_method" }[] = [];
  readonly #question: DunningQuestion;
  readonly #events: DunningEvent[];
  #scheduled = 0;
  #charged = 0;
  #lastDecline: DeclineClass;
  #now: Instant;

  constructor(question: DunningQuestion) {
    const { failedAt, decline, events } = question;
    this.#question = question;
    this.#events = events.toSorted((one, other) => one.at - other.at);
    this.#lastDecline = decline;
    this.#now = failedAt;
    const outcome = { status: "declined", decline } as const;
    this.attempts = [{ number: 1, at: failedAt, cause: "first_charge", outcome }];
  }

  /** One thing that happens; null as long as the dunning goes on. */
  step(): Ending | null {
    const { policy, failedAt, scheduled } = this.#question;
    const next = nextDunningStep(policy, failedAt, this.#scheduled, this.#lastDecline);
    if (next.kind === "give_up") return { outcome: "exhausted", endedAt: this.#now };
    const dunning = next.kind === "attempt" ? "retrying" : "awaiting_payment_method";
    this.waits.push({ from: this.#now, dunning });
    const wakeAt = instantOfEpochMs(next.kind === "attempt" ? next.at : next.until);
    const [event] = this.#events;
    if (event !== undefined && event.at <= wakeAt) {
      this.#events.shift();
      return this.#meet(event);
    }
    this.#now = later(this.#now, wakeAt);
    if (next.kind === "await_payment_method") return { outcome: "exhausted", endedAt: this.#now };
    this.#scheduled += 1;
    const outcome = scheduled[this.#charged] ?? softDecline;
    this.#charged += 1;
    return this.#charge("schedule", outcome);
  }

  #meet(event: DunningEvent): Ending | null {
    this.#now = later(this.#now, event.at);
    if (event.type === "new_payment_method") return this.#charge(event.type, event.outcome);
    return { outcome: event.type === "paid" ? "recovered" : "closed", endedAt: this.#now };
  }

  #charge(cause: DunningAttempt["cause"], outcome: ChargeOutcome): Ending | null {
    const { policy, failedAt } = this.#question;
    this.attempts.push({ number: this.attempts.length + 1, at: this.#now, cause, outcome });
    if (outcome.status === "paid") return { outcome: "recovered", endedAt: this.#now };
    this.#lastDecline = outcome.decline;
    this.#scheduled = Math.max(this.#scheduled, attemptsDue(policy, failedAt, this.#now));
    return null;
  }
}

function statesOf({ policy, failedAt }: DunningQuestion, { waits }: Course, ending: Ending): DunningState[] {
  const { outcome, endedAt } = ending;
  const graceEndsAt = instantOfEpochMs(accessEndsAt(policy, failedAt));
  const cuts = [failedAt, ...waits.map(({ from }) => from), graceEndsAt].filter((at) => at < endedAt);
  const during = [...new Set(cuts)]
    .toSorted((one, other) => one - other)
    .map(
      (from): DunningState => ({
        from,
        invoice: "open",
        dunning: waits.findLast((wait) => wait.from <= from)?.dunning ?? "retrying",
        subscription: "past_due",
        access: from < graceEndsAt ? "granted" : "ended",
      }),
    );
  const last: DunningState = {
    from: endedAt,
    dunning: outcome,
    ...afterwards(policy, outcome, endedAt < graceEndsAt),
  };
  const states = [...during.filter(differsFromBefore), last];
  // What is uncollectible, and not canceled or paused, goes on until the days of grace are over.
  if (last.subscription !== "past_due" || last.access === "ended") return states;
  return [...states, { ...last, from: graceEndsAt, access: "ended" }];
}

function afterwards(policy: DunningPolicy, outcome: Ending["outcome"], isWithinGrace: boolean) {
  if (outcome === "recovered") return { invoice: "paid", subscription: "active", access: "granted" } as const;
  if (outcome === "closed") return { invoice: "void", subscription: "active", access: "granted" } as const;
  const subscription = ({ cancel: "canceled", pause: "paused", uncollectible: "past_due" } as const)[
    policy.finalAction
  ];
  const access = subscription === "past_due" && isWithinGrace ? "granted" : "ended";
  return { invoice: "uncollectible", subscription, access } as const;
}

function differsFromBefore(state: DunningState, index: number, all: readonly DunningState[]): boolean {
  const before = all[index - 1];
  return before === undefined || before.dunning !== state.dunning || before.access !== state.access;
}

const later = (one: Instant, other: Instant) => (one > other ? one : other);

import { type Instant, instantOfEpochMs } from "../calendar/index.ts";
import {
  type AttemptCause,
  afterDunningEvent,
  type DeclineClass,
  type DunningEvent,
  type DunningNotice,
  type DunningOutcome,
  type DunningPlace,
  type DunningPolicy,
  type DunningReason,
  type DunningStanding,
  type DunningStep,
  dunningBegun,
  nextDunningStep,
  nextWaking,
  noticesOfAccess,
  noticesOfBeginning,
  noticesOfEnding,
  noticesOfEvent,
  noticesOfStep,
} from "../lifecycle/index.ts";
import { type DunningState, statesOf } from "./dunning-states.ts";

export type ChargeOutcome =
  | { readonly status: "paid" }
  | { readonly status: "declined"; readonly decline: DeclineClass }
  /** Not sent, because of what networks allow of the card: until then, or never again. */
  | { readonly status: "withheld"; readonly until: Instant | null };

/** What the customer, a bank or an operator does while dunning is at work. */
export type DunningHappening =
  | {
      readonly type: "new_payment_method" | "retry_now";
      readonly at: Instant;
      readonly outcome: ChargeOutcome;
    }
  | { readonly type: "paid" | "voided" | "stopped"; readonly at: Instant }
  | { readonly type: "postponed"; readonly at: Instant; readonly until: Instant }
  | { readonly type: "dispute_opened" | "dispute_closed"; readonly at: Instant };

export interface DunningQuestion {
  readonly policy: DunningPolicy;
  readonly place: DunningPlace;
  readonly failedAt: Instant;
  /** Of the first charge. */
  readonly decline: DeclineClass;
  /** What the attempts of the schedule come to, in order; a soft decline where nothing is said. */
  readonly scheduled: readonly ChargeOutcome[];
  readonly events: readonly DunningHappening[];
}

export interface DunningAttempt {
  readonly number: number;
  readonly at: Instant;
  readonly cause: AttemptCause | "first_charge";
  readonly why: DunningReason | null;
  readonly outcome: ChargeOutcome;
}

export interface DunningCourse {
  readonly attempts: readonly DunningAttempt[];
  readonly notices: readonly (DunningNotice & { readonly at: Instant })[];
  readonly states: readonly DunningState[];
  /** disputed: the question names no end of a dispute. */
  readonly outcome: DunningOutcome | "disputed";
  readonly endedAt: Instant;
}

export type DunningEnding = Pick<DunningCourse, "outcome" | "endedAt">;

/** What a dunning waits for, from an instant on. */
export interface DunningWait {
  readonly from: Instant;
  readonly dunning: "retrying" | "awaiting_payment_method" | "awaiting_action" | "disputed";
}

const softDecline: ChargeOutcome = { status: "declined", decline: "soft" };

export const waitOfStep = {
  attempt: "retrying",
  await_payment_method: "awaiting_payment_method",
  await_action: "awaiting_action",
  await_dispute: "disputed",
} as const;

/** What would follow a declined charge: each step is the one that the running dunning would take. */
export function calculateDunningSchedule(question: DunningQuestion): DunningCourse {
  const course = new Course(question);
  let ending = course.step();
  while (ending === null) ending = course.step();
  return {
    ...ending,
    attempts: course.attempts,
    notices: course.notices,
    states: statesOf(question, course.waits, ending),
  };
}

/** What a dunning remembers from step to step, as its workflow does. */
class Course {
  readonly attempts: DunningAttempt[];
  readonly waits: DunningWait[] = [];
  readonly notices: (DunningNotice & { at: Instant })[] = [];
  readonly #question: DunningQuestion;
  readonly #events: DunningHappening[];
  /** What the charges come to that the customer or an operator caused and that are still to be made. */
  readonly #outcomes: ChargeOutcome[] = [];
  #standing: DunningStanding;
  #charged = 0;
  #now: Instant;
  #lastKind: DunningStep["kind"] | null = null;

  constructor(question: DunningQuestion) {
    const { policy, failedAt, decline, events } = question;
    this.#question = question;
    this.#events = events.toSorted((one, other) => one.at - other.at);
    this.#standing = dunningBegun(failedAt, decline);
    this.#now = failedAt;
    const outcome = { status: "declined", decline } as const;
    this.attempts = [{ number: 1, at: failedAt, cause: "first_charge", why: null, outcome }];
    this.#say(noticesOfBeginning(policy, decline));
  }

  /** One thing that happens; null as long as the dunning goes on. */
  step(): DunningEnding | null {
    const { policy, place } = this.#question;
    const step = nextDunningStep(policy, this.#standing, this.#now, place);
    this.#say(noticesOfStep(policy, this.#lastKind, step));
    this.#lastKind = step.kind;
    if (step.kind === "end") return this.#end(step.outcome);
    if (step.kind === "attempt" && step.at <= this.#now) return this.#charge(step);
    this.#note(waitOfStep[step.kind]);
    const waking = nextWaking(policy, this.#standing, step, this.#now);
    const [event] = this.#events;
    if (event !== undefined && (waking.at === null || event.at <= waking.at)) {
      this.#events.shift();
      this.#meet(event);
      return null;
    }
    if (waking.at === null) return { outcome: "disputed", endedAt: this.#now };
    this.#now = waking.at;
    if (waking.for === "access") this.#say(noticesOfAccess(policy, waking.level));
    if (waking.for === "reminder") this.#happen({ type: "action_reminded", at: this.#now });
    if (waking.for === "step" && step.kind === "await_action") {
      this.#happen({ type: "action_expired", at: this.#now });
    }
    return null;
  }

  #meet(happening: DunningHappening): void {
    this.#now = instantOfEpochMs(Math.max(this.#now, happening.at));
    if (happening.type === "new_payment_method" || happening.type === "retry_now") {
      this.#outcomes.push(happening.outcome);
    }
    this.#happen(eventOf(happening, this.#now));
  }

  #charge({ cause, why }: Extract<DunningStep, { kind: "attempt" }>): null {
    const at = this.#now;
    const outcome = this.#outcomeOf(cause);
    this.attempts.push({ number: this.attempts.length + 1, at, cause, why, outcome });
    this.#note("retrying");
    this.#happen({ type: "attempted", at });
    if (outcome.status === "paid") this.#happen({ type: "settled", at, by: "payment" });
    if (outcome.status === "declined")
      this.#happen({ type: "declined", at, cause, decline: outcome.decline });
    if (outcome.status === "withheld") this.#happen({ type: "withheld", at, cause, until: outcome.until });
    return null;
  }

  #outcomeOf(cause: AttemptCause): ChargeOutcome {
    if (cause !== "schedule") return this.#outcomes.shift() ?? softDecline;
    const outcome = this.#question.scheduled[this.#charged] ?? softDecline;
    this.#charged += 1;
    return outcome;
  }

  #happen(event: DunningEvent): void {
    const { policy } = this.#question;
    this.#say(noticesOfEvent(policy, this.#standing, event));
    this.#standing = afterDunningEvent(policy, this.#standing, event);
  }

  #end(outcome: DunningOutcome): DunningEnding {
    this.#say(noticesOfEnding(this.#question.policy, outcome));
    return { outcome, endedAt: this.#now };
  }

  #note(dunning: DunningWait["dunning"]): void {
    if (this.waits.at(-1)?.dunning !== dunning) this.waits.push({ from: this.#now, dunning });
  }

  #say(notices: readonly DunningNotice[]): void {
    this.notices.push(...notices.map((notice) => ({ ...notice, at: this.#now })));
  }
}

/** As the dunning is told of it. */
function eventOf(happening: DunningHappening, at: Instant): DunningEvent {
  switch (happening.type) {
    case "new_payment_method":
      return { type: "payment_method", at };
    case "retry_now":
      return { type: "retry_asked", at };
    case "paid":
      return { type: "settled", at, by: "payment" };
    case "voided":
      return { type: "settled", at, by: "void" };
    case "postponed":
      return { type: "postponed", at, until: happening.until };
    case "stopped":
      return { type: "stopped", at };
    case "dispute_opened":
    case "dispute_closed":
      return { type: happening.type, at, dispute: "dispute" };
  }
}

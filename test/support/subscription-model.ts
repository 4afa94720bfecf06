import { addDuration, type Instant, instant, isoOf } from "../../src/domain/calendar/index.ts";
import {
  admitCommand,
  type ChangeTime,
  changeInstant,
  isTerminal,
  type SubscriptionCommandKind,
  type SubscriptionStatus,
} from "../../src/domain/lifecycle/index.ts";

/** A command as the model and the API both understand it. */
export interface ModelCommand {
  readonly kind: Extract<
    SubscriptionCommandKind,
    "change_plan" | "change_quantity" | "pause" | "resume" | "cancel" | "uncancel" | "end_trial"
  >;
  readonly when: ChangeTime;
  readonly plan: string;
  readonly seats: number;
}

interface Ahead extends ModelCommand {
  readonly at: Instant;
}

/** What of a subscription the model foretells. */
export interface Foretold {
  readonly status: SubscriptionStatus;
  readonly plan: string;
  readonly seats: number;
  readonly cancelAt: string | null;
  /** Where the period in course begins; null once it has ended. */
  readonly periodStart: string | null;
  /** Kinds of what is ahead, in its order. */
  readonly ahead: readonly string[];
}

const trialDays = 10;

/**
 * A subscription without database, workflow or money: what it is at every instant follows from what was said to it. Its plans
 * are monthly; it begins with a trial of ten days, after which periods count from the trial's end.
 */
export class SubscriptionModel {
  #now: Instant;
  #status: SubscriptionStatus = "trialing";
  #plan: string;
  #seats = 1;
  #cancelAt: Instant | null = null;
  #anchor: Instant;
  #period = 0;
  readonly #trialEnd: Instant;
  #ahead: Ahead[];

  constructor(at: string, plan: string) {
    this.#now = instant(at);
    this.#anchor = this.#now;
    this.#plan = plan;
    this.#trialEnd = addDuration(this.#now, { days: trialDays }, "UTC");
    this.#ahead = [{ kind: "end_trial", when: "period_end", plan, seats: 1, at: this.#trialEnd }];
  }

  get now(): Instant {
    return this.#now;
  }

  /** Says something to it now. @throws SubscriptionRefusal as the real one would be refused */
  say(command: ModelCommand): void {
    const { start, end } = this.#course();
    const standing = {
      status: this.#status,
      cancelAt: this.#cancelAt === null ? null : isoOf(this.#cancelAt),
      periodStart: isoOf(start),
      periodEnd: isoOf(end),
    };
    const facts = { kind: command.kind, at: isoOf(this.#now), when: command.when };
    admitCommand(standing, facts);
    const at = instant(changeInstant(standing, facts));
    if (command.kind === "cancel" && command.when !== "now") this.#cancelAt = at;
    else if (command.when === "now") this.#make({ ...command, at });
    else this.#ahead = [...this.#ahead, { ...command, at }].toSorted((one, other) => one.at - other.at);
  }

  /** Time passes: what is due on the way is made, in its order, with the boundaries. */
  until(to: Instant): void {
    while (!isTerminal(this.#status)) {
      const { end } = this.#course();
      const next = this.#ahead[0]?.at ?? Number.POSITIVE_INFINITY;
      const last = this.#cancelAt ?? Number.POSITIVE_INFINITY;
      const first = Math.min(next, last, end);
      if (first > to) break;
      if (last === first) this.#end(instant(isoOf(first as Instant)));
      else if (next === first) this.#makeDue();
      else this.#period += 1;
    }
    this.#now = to;
  }

  foretell(): Foretold {
    const hasEnded = isTerminal(this.#status);
    return {
      status: this.#status,
      plan: this.#plan,
      seats: this.#seats,
      cancelAt: this.#cancelAt === null ? null : isoOf(this.#cancelAt),
      periodStart: hasEnded ? null : isoOf(this.#course().start),
      ahead: this.#ahead.map(({ kind }) => kind),
    };
  }

  #course(): { start: Instant; end: Instant } {
    if (this.#status === "trialing") return { start: this.#anchor, end: this.#trialEnd };
    const boundary = (index: number) => addDuration(this.#anchor, { months: index }, "UTC");
    return { start: boundary(this.#period), end: boundary(this.#period + 1) };
  }

  #makeDue(): void {
    const [due, ...rest] = this.#ahead;
    if (due === undefined) return;
    this.#ahead = rest;
    const { start, end } = this.#course();
    // Refused by now: it is passed over.
    try {
      const bounds = { periodStart: isoOf(start), periodEnd: isoOf(end) };
      admitCommand(
        { status: this.#status, cancelAt: null, ...bounds },
        { kind: due.kind, at: isoOf(due.at) },
      );
    } catch {
      return;
    }
    this.#make(due);
  }

  #make({ kind, plan, seats, at }: Ahead): void {
    if (kind === "change_plan") this.#plan = plan;
    if (kind === "change_plan" || kind === "change_quantity") this.#seats = seats;
    if (kind === "pause") this.#status = "paused";
    if (kind === "resume") this.#status = "active";
    if (kind === "uncancel") this.#cancelAt = null;
    if (kind === "cancel") this.#end(at);
    if (kind === "end_trial") {
      this.#status = "active";
      this.#anchor = at;
      this.#period = 0;
      this.#ahead = this.#ahead.filter((ahead) => ahead.kind !== "end_trial");
    }
  }

  #end(at: Instant): void {
    this.#status = "canceled";
    this.#cancelAt = at;
    this.#ahead = [];
  }
}

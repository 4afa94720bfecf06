import type { SearchAttributePair } from "@temporalio/common";
import {
  allHandlersFinished,
  condition,
  makeContinueAsNewFunc,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from "@temporalio/workflow";
import { addDuration, type Instant, instant, isoOf, type Period } from "../domain/calendar/index.ts";
import { closeDelaySeconds, isTerminal } from "../domain/lifecycle/index.ts";
import { type Clock, openClock } from "./clock.ts";
import * as messages from "./messages.ts";
import { promptly } from "./promptly.ts";
import { earliest, runningPeriod } from "./running-period.ts";
import { searchAttributes } from "./search-attributes.ts";
import { handleCommands } from "./subscription-commands.ts";
import { endAsAgreed, makeDue, settleFirstPayment } from "./subscription-due.ts";

/**
 * One run per subscription, for its whole life: it takes the commands, one at a time, and at each period's end starts
 * the `billingCycle` that closes it. Id: `subscription/{id}`; continues as new after every period.
 *
 * Started with the update `activate`; then the updates `changePlan`, `changeQuantity`, `addAddOn`, `removeAddOn`, `endTrial`,
 * `pause`, `resume`, `cancel`, `uncancel`, `withdrawScheduled`, each refused before anything is written when the state does
 * not allow it, and answered again with the same answer when the same `requestId` comes twice. What is agreed for later is in
 * the database; the run knows when the next of it is due, and has it made then, in order with the periods' ends. Ends when the
 * subscription is canceled, or was not paid for in time.
 */
export async function subscription(input: messages.SubscriptionInput): Promise<void> {
  const clock = openClock(input.clock);
  const self = new Running(input, clock);
  handleCommands(self);
  await condition(() => self.standing !== null);

  for (;;) {
    self.describe();
    const { changes } = self;
    await clock.until(self.wakeAt(), () => self.changes !== changes || self.ended);
    if (self.ended) break;
    if (self.remembered().firstPayment) {
      await self.alone(() => settleFirstPayment(self));
      continue;
    }
    const isLong = workflowInfo().continueAsNewSuggested;
    if (!isLong && self.nextInstant() > clock.now()) continue;
    const { start } = self.period();
    // A command that came first is finished first: a change lands wholly before or after the boundary.
    await self.alone(() => self.crossUntil(clock.now()));
    if (self.ended) break;
    if (!isLong && self.period().start === start) continue;
    await condition(allHandlersFinished);
    // Said with the continuation, its own first task has nothing to say.
    const typedSearchAttributes = workflowInfo().typedSearchAttributes.updateCopy(self.attributes());
    const goOn = makeContinueAsNewFunc<typeof subscription>({ typedSearchAttributes });
    await goOn({ ...input, clock: clock.carry(), standing: self.remembered() });
  }
  self.describe();
  await condition(allHandlersFinished);
  await clock.close();
}

/** What a subscription's run holds between its tasks. */
export class Running {
  readonly input: messages.SubscriptionInput;
  readonly clock: Clock;
  standing: messages.RunningSubscription | null;
  ended = false;
  /** Counts what changed, so that the main loop notices. */
  changes = 0;
  #queue: Promise<unknown> = Promise.resolve();
  #period: (Pick<messages.RunningSubscription, "anchor" | "periodIndex"> & Period) | undefined;

  constructor(input: messages.SubscriptionInput, clock: Clock) {
    this.input = input;
    this.clock = clock;
    this.standing = input.standing ?? null;
    setHandler(messages.standing, () => this.standing);
    // Before it is activated there is nothing to change: activating reads who closes.
    setHandler(messages.closingChanged, (closing) => {
      if (this.standing !== null) this.become({ closing });
    });
    setHandler(messages.paymentStanding, ({ pastDue, ...told }) => {
      this.clock.told(told);
      const status = this.standing?.status;
      if (status === "active" || status === "past_due")
        this.become({ status: pastDue ? "past_due" : "active" });
      this.changes += 1;
    });
  }

  remembered(): messages.RunningSubscription {
    if (this.standing === null)
      throw new Error("a subscription that was never activated has nothing to remember");
    return this.standing;
  }

  become(change: Partial<messages.RunningSubscription>): void {
    this.standing = { ...this.remembered(), ...change };
    this.changes += 1;
  }

  /** The answer given to this request before, if any. */
  answered(requestId: string): messages.ChangeAnswer | undefined {
    return this.standing?.answered.find((known) => known.requestId === requestId)?.answer;
  }

  /** The period that it is in; worked out once, as every command asks for it again and again. */
  period(): Period {
    const { anchor, periodIndex } = this.remembered();
    if (this.#period?.anchor !== anchor || this.#period.periodIndex !== periodIndex) {
      this.#period = { anchor, periodIndex, ...runningPeriod({ anchor, periodIndex }) };
    }
    return this.#period;
  }

  /** When this run next wants to be woken: pages close its periods without it, and it only has to end in time. */
  wakeAt(): Instant | null {
    if (this.ended) return null;
    const { status, cancelAt, dueAt, firstPayment } = this.remembered();
    // It has ended, and what is under way about that wakes it.
    if (isTerminal(status)) return this.period().end;
    if (firstPayment) return instant(firstPayment.until);
    const closeAt =
      this.closing().by === "paged"
        ? null
        : addDuration(this.period().end, { seconds: this.closeDelay() }, "UTC");
    return earliest([cancelAt, dueAt ?? null, closeAt === null ? null : isoOf(closeAt)]);
  }

  /** When the next thing is due of which this run has to know: a change, the end of the period, or of it all. */
  nextInstant(): Instant {
    const { status, cancelAt, dueAt = null } = this.remembered();
    const { end } = this.period();
    if (isTerminal(status)) return end;
    return earliest([cancelAt, dueAt, isoOf(end)]) ?? end;
  }

  /** A test clock has an order of its own, in which every run has its place. */
  closing(): messages.ClosingPolicy {
    const told = this.input.clock === null ? this.standing?.closing : undefined;
    return told ?? { by: "workflow", windowSeconds: 0 };
  }

  /** In seconds. */
  closeDelay(): number {
    return closeDelaySeconds(this.input.subscriptionId, this.closing().windowSeconds);
  }

  /** Runs one thing at a time: handlers interleave at every await, and what changes money must not. */
  async alone<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#queue.then(work);
    this.#queue = turn.catch(() => {});
    return await turn;
  }

  /** Ends the periods that are over at `at`: whatever is dated then belongs to the period after them. */
  async crossUntil(at: Instant): Promise<void> {
    while (!this.ended) {
      const { dueAt = null, cancelAt } = this.remembered();
      const { end } = this.period();
      const endsAt = cancelAt === null || instant(cancelAt) > end ? end : instant(cancelAt);
      // Of one instant: a change is the next period's first terms, and an end leaves nothing to change.
      const isFirst = dueAt !== null && instant(dueAt) <= endsAt && dueAt !== cancelAt;
      if (isFirst && instant(dueAt) <= at) await makeDue(this, dueAt);
      else if (endsAt <= at) await this.#crossBoundary();
      else return;
    }
  }

  /** The period in course is over: hand it to its billing cycle, and begin the next one, or end. */
  async #crossBoundary(): Promise<void> {
    const { cancelAt, periodIndex } = this.remembered();
    const period = this.period();
    if (cancelAt === null || instant(cancelAt) > period.end) {
      await this.startCycle(period);
      this.become({ periodIndex: periodIndex + 1 });
      return;
    }
    await endAsAgreed(this, cancelAt);
    await this.startCycle({ start: period.start, end: instant(cancelAt) });
  }

  /** Hands a period to its billing cycle, unless it has one: the net for missed wake-ups may have been first. */
  async startCycle(period: Period): Promise<void> {
    const { subscriptionId, customerId } = this.input;
    if (this.closing().by === "paged" || period.end <= period.start) return;
    const { planKey } = this.remembered();
    const graceSeconds = this.remembered().graceSeconds + this.closeDelay();
    const periodStart = isoOf(period.start);
    const periodEnd = isoOf(period.end);
    const clock = this.clock.reading();
    const cycle = { subscriptionId, customerId, periodStart, periodEnd, graceSeconds, clock };
    await promptly((activities) => activities.startBillingCycle({ ...cycle, planKey }));
  }

  /** By what the run is found, as it stands. */
  attributes(): SearchAttributePair[] {
    const { status, planKey } = this.remembered();
    return [
      { key: searchAttributes.billingStatus, value: status },
      { key: searchAttributes.planId, value: planKey },
      { key: searchAttributes.periodEnd, value: new Date(this.period().end) },
    ];
  }

  describe(): void {
    this.#sayAttributes();
    const { cancelAt, planKey, dueAt, firstPayment } = this.remembered();
    const { start, end } = this.period();
    const isPaged = this.closing().by === "paged";
    const goesOn = isPaged ? "its periods are closed in pages" : `the next period begins **${isoOf(end)}**`;
    const ahead = dueAt == null ? "" : ` What is agreed for later comes next **${dueAt}**.`;
    const next = cancelAt === null ? `${goesOn}.${ahead}` : `it ends **${cancelAt}**.${ahead}`;
    if (firstPayment) {
      this.show(`waits until **${firstPayment.until}** for invoice ${firstPayment.invoiceId} to be paid.`);
      return;
    }
    this.show(
      this.ended ? `since ${cancelAt}.` : `on ${planKey}, in the period from ${isoOf(start)}; ${next}`,
    );
  }

  /** What an operator reads: a continuation has no static summary, so whose run it is is said here too. */
  show(text: string): void {
    const { subscriptionId, customerId } = this.input;
    const { status } = this.remembered();
    setCurrentDetails(
      `Subscription \`${subscriptionId}\` of customer \`${customerId}\`: **${status}** ${text}`,
    );
  }

  /** Each time that it is said costs an event and a row of visibility, so only what is news. */
  #sayAttributes(): void {
    const known = new Map<string, unknown>();
    for (const { key, value } of workflowInfo().typedSearchAttributes.getAll()) known.set(key.name, value);
    const news = this.attributes().filter(({ key, value }) => String(known.get(key.name)) !== String(value));
    if (news.length > 0) upsertSearchAttributes(news);
  }
}

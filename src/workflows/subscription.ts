import { WorkflowExecutionAlreadyStartedError } from "@temporalio/common";
import {
  allHandlersFinished,
  condition,
  continueAsNew,
  ParentClosePolicy,
  setCurrentDetails,
  setHandler,
  startChild,
  upsertSearchAttributes,
  WorkflowIdReusePolicy,
} from "@temporalio/workflow";
import {
  addDuration,
  type BillingAnchor,
  type Instant,
  instant,
  isoOf,
  type Period,
  periodAt,
} from "../domain/calendar/index.ts";
import { closeDelaySeconds } from "../domain/lifecycle/index.ts";
import { databaseActivities } from "./activity-options.ts";
import { billingCycle } from "./billing-cycle.ts";
import { type Clock, openClock, startToken } from "./clock.ts";
import * as messages from "./messages.ts";
import { orPark } from "./park.ts";
import { priorities } from "./priorities.ts";
import { searchAttributes } from "./search-attributes.ts";
import { handleCommands } from "./subscription-commands.ts";

/**
 * One run per subscription, for its whole life: it takes the commands, one at a time, and at each period's end starts
 * the `billingCycle` that closes it. Id: `subscription/{id}`; continues as new after every period.
 *
 * Started with the update `activate`; then the updates `changePlan`, `changeQuantity`, `addAddOn`, `cancel`, `pause`,
 * `resume`, each refused before anything is written when the state does not allow it, and answered again with the same
 * answer when the same `requestId` comes twice. Ends when the subscription is canceled.
 */
export async function subscription(input: messages.SubscriptionInput): Promise<void> {
  const clock = openClock(input.clock);
  const self = new Running(input, clock);
  handleCommands(self);
  await condition(() => self.standing !== null);

  for (;;) {
    self.describe();
    const { end } = self.period();
    const { changes } = self;
    await clock.until(self.wakeAt(), () => self.changes !== changes || self.ended);
    if (self.ended) break;
    if (clock.now() < end) continue;
    // A command that came first is finished first: a change lands wholly before or after the boundary.
    await self.alone(() => self.crossUntil(clock.now()));
    if (self.ended) break;
    await condition(allHandlersFinished);
    await continueAsNew<typeof subscription>({ ...input, clock: clock.carry(), standing: self.remembered() });
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

  constructor(input: messages.SubscriptionInput, clock: Clock) {
    this.input = input;
    this.clock = clock;
    this.standing = input.standing ?? null;
    setHandler(messages.standing, () => this.standing);
    setHandler(messages.closingChanged, (closing) => this.become({ closing }));
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

  period(): Period {
    const { anchor, periodIndex } = this.remembered();
    const { start, end } = periodAt(anchorOf(anchor), periodIndex);
    const from = anchor.from === undefined ? start : instant(anchor.from);
    return { start: from > start ? from : start, end };
  }

  /** When this run next wants to be woken: pages close its periods without it, and it only has to end in time. */
  wakeAt(): Instant | null {
    if (this.ended) return null;
    const { cancelAt } = this.remembered();
    if (this.closing().by === "paged") return cancelAt === null ? null : instant(cancelAt);
    return addDuration(this.period().end, { seconds: this.closeDelay() }, "UTC");
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
    while (!this.ended && this.period().end <= at) await this.#crossBoundary();
  }

  /** The period in course is over: hand it to its billing cycle, and begin the next one, or end. */
  async #crossBoundary(): Promise<void> {
    const { cancelAt, periodIndex } = this.remembered();
    const period = this.period();
    if (cancelAt !== null && instant(cancelAt) <= period.end) {
      await orPark("ending the subscription", () =>
        databaseActivities.endSubscription({ subscriptionId: this.input.subscriptionId, at: cancelAt }),
      );
      this.become({ status: "canceled" });
      this.ended = true;
    }
    await this.startCycle(period);
    if (!this.ended) this.become({ periodIndex: periodIndex + 1 });
  }

  /** Hands a period to its billing cycle, unless it has one: the net for missed wake-ups may have been first. */
  async startCycle(period: Period): Promise<void> {
    const { subscriptionId, customerId } = this.input;
    if (this.closing().by === "paged") return;
    const { planKey } = this.remembered();
    const graceSeconds = this.remembered().graceSeconds + this.closeDelay();
    const periodStart = isoOf(period.start);
    const periodEnd = isoOf(period.end);
    const workflowId = messages.workflowIds.billingCycle(subscriptionId, periodStart);
    await this.clock.expect(startToken(workflowId));
    try {
      await startChild(billingCycle, {
        workflowId,
        args: [
          { subscriptionId, customerId, periodStart, periodEnd, graceSeconds, clock: this.clock.reading() },
        ],
        parentClosePolicy: ParentClosePolicy.ABANDON,
        workflowIdReusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
        priority: priorities.cycle(customerId),
        staticSummary: `${customerId}, ${planKey}, period from ${periodStart.slice(0, 10)}`,
        typedSearchAttributes: [
          { key: searchAttributes.customerId, value: customerId },
          { key: searchAttributes.subscriptionId, value: subscriptionId },
          { key: searchAttributes.planId, value: planKey },
          { key: searchAttributes.periodEnd, value: new Date(period.end) },
        ],
      });
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      this.clock.told({ token: startToken(workflowId) });
    }
  }

  describe(): void {
    const { status, cancelAt, planKey } = this.remembered();
    const { start, end } = this.period();
    upsertSearchAttributes([
      { key: searchAttributes.billingStatus, value: status },
      { key: searchAttributes.planId, value: planKey },
      { key: searchAttributes.periodEnd, value: new Date(end) },
    ]);
    const isPaged = this.closing().by === "paged";
    const goesOn = isPaged ? "its periods are closed in pages" : `the next period begins **${isoOf(end)}**`;
    const next = cancelAt === null ? goesOn : `it ends **${cancelAt}**`;
    setCurrentDetails(
      this.ended
        ? `**${status}** since ${cancelAt}.`
        : `**${status}** on ${planKey}, in the period from ${isoOf(start)}; ${next}.`,
    );
  }
}

function anchorOf({ at, unit, count, timeZone }: messages.RunningAnchor): BillingAnchor {
  return { at: instant(at), interval: { unit, count }, timeZone };
}

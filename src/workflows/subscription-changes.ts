import { ApplicationFailure, executeChild } from "@temporalio/workflow";
import { instant } from "../domain/calendar/index.ts";
import { changeInstant } from "../domain/lifecycle/index.ts";
import { promptActivities } from "./activity-options.ts";
import { startToken } from "./clock.ts";
import * as messages from "./messages.ts";
import { isWorthAnother, promptly } from "./promptly.ts";
import { type ProrationOutcome, proration } from "./proration.ts";
import { refusable, refusalOf } from "./refusal.ts";
import { runLabels } from "./run-labels.ts";
import type { Running } from "./subscription.ts";
import { begin, collectIssued, sendRefunds } from "./subscription-due.ts";
import { answerOnce, type Command, standingOf } from "./subscription-turns.ts";

type Answer = Promise<messages.ChangeAnswer>;

/** A change of what was agreed, worked out and booked. */
export function changeTerms(self: Running, command: Command, change: messages.SubscriptionChange): Answer {
  return answerOnce(self, change.kind, command, async () => {
    const { requestId: changeId, at } = command;
    const { invoiceId, collect, ...outcome } = await booked(self, { changeId, at, change });
    if (outcome.refused !== null) {
      throw ApplicationFailure.nonRetryable(outcome.refused.message, outcome.refused.code);
    }
    if (invoiceId !== null && collect) await collectIssued(self, invoiceId);
    await sendRefunds(self, outcome.refunds);
    await follow(self, change, outcome);
    return answerTo(self, changeId, outcome.effectiveAt, { invoiceId });
  });
}

/**
 * Books a change at once, within the task that took the command: that is all there is to it on most days. Whatever keeps that from
 * being done, other than a rule, is left to a `proration` run, for which this waits.
 */
async function booked(
  self: Running,
  change: Pick<messages.ProrationInput, "changeId" | "at" | "change">,
): Promise<ProrationOutcome> {
  const { subscriptionId, customerId } = self.input;
  try {
    return { ...(await promptActivities.applyChange({ subscriptionId, ...change })), refused: null };
  } catch (error) {
    const refused = refusalOf(error);
    if (refused !== null) {
      return { invoiceId: null, collect: false, effectiveAt: change.at, refused };
    }
    if (!isWorthAnother(error)) throw error;
  }
  const workflowId = messages.workflowIds.proration(subscriptionId, change.changeId);
  self.show(`waits for \`${workflowId}\`: ${change.change.kind} could not be booked at once.`);
  await self.clock.expect(startToken(workflowId));
  const input = { subscriptionId, customerId, ...change, clock: self.clock.reading() };
  return await executeChild(proration, { workflowId, args: [input], ...runLabels.proration(input) });
}

/** What a booked change means for the run itself. */
async function follow(
  self: Running,
  change: messages.SubscriptionChange,
  { effectiveAt, anchor: begun, dueAt }: Omit<ProrationOutcome, "invoiceId" | "collect">,
): Promise<void> {
  if (change.kind === "change_plan") self.become({ planKey: change.planKey });
  if (change.kind === "pause") self.become({ status: "paused" });
  if (change.kind === "resume" || change.kind === "end_trial") self.become({ status: "active" });
  if (dueAt !== undefined) self.become({ dueAt });
  if (begun !== undefined) {
    await begin(self, begun);
  } else if (change.kind === "cancel") {
    const { start } = self.period();
    self.become({ status: "canceled", cancelAt: effectiveAt });
    await self.startCycle({ start, end: instant(effectiveAt) });
    self.ended = true;
  }
}

/** A change that is written down, and made when its time has come. */
export function changeLater(self: Running, command: Command, change: messages.SubscriptionChange): Answer {
  return answerOnce(self, change.kind, command, async () => {
    const { subscriptionId } = self.input;
    const { requestId: changeId, at } = command;
    const effectiveAt = changeInstant(standingOf(self), { kind: change.kind, ...command });
    const later = { subscriptionId, changeId, at, effectiveAt, change };
    const { dueAt } = await refusable(promptly((activities) => activities.scheduleChange(later)));
    self.become({ dueAt });
    return answerTo(self, changeId, effectiveAt, { scheduled: changeId });
  });
}

/** An end that is agreed for later; until then the status stays what it is. */
export function cancelLater(self: Running, command: messages.CancelCommand): Answer {
  return answerOnce(self, "cancel", command, async () => {
    const { subscriptionId } = self.input;
    const { requestId: changeId, at, credit } = command;
    const cancelAt = changeInstant(standingOf(self), { kind: "cancel", ...command });
    const end = { subscriptionId, changeId, at, cancelAt, ...(credit === undefined ? {} : { credit }) };
    await refusable(promptly((activities) => activities.scheduleCancellation(end)));
    self.become({ cancelAt });
    return answerTo(self, changeId, cancelAt, { scheduled: `${changeId}/end` });
  });
}

/** The agreed end is taken back. */
export function uncancel(self: Running, command: messages.UncancelCommand): Answer {
  return answerOnce(self, "uncancel", command, async () => {
    const { subscriptionId } = self.input;
    const { requestId: changeId, at } = command;
    const back = { subscriptionId, changeId, at };
    self.become(await refusable(promptly((activities) => activities.uncancel(back))));
    return answerTo(self, changeId, at);
  });
}

/** Something that was agreed for later is taken back; an end among it, then the subscription goes on. */
export function withdrawScheduled(self: Running, command: messages.WithdrawScheduledCommand): Answer {
  return answerOnce(self, "withdraw", command, async () => {
    const { subscriptionId } = self.input;
    const { changeId, at } = command;
    const back = { subscriptionId, changeId, at };
    self.become(await refusable(promptly((activities) => activities.withdrawScheduled(back))));
    return answerTo(self, changeId, at);
  });
}

function answerTo(
  self: Running,
  changeId: string,
  effectiveAt: string,
  { invoiceId = null, scheduled }: { invoiceId?: string | null; scheduled?: string } = {},
): messages.ChangeAnswer {
  const { subscriptionId } = self.input;
  const { status } = self.remembered();
  const later = scheduled === undefined ? {} : { scheduled };
  return { subscriptionId, changeId, status, effectiveAt, invoiceId, ...later };
}

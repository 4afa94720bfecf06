import { ApplicationFailure, executeChild, setHandler } from "@temporalio/workflow";
import { instant, isoOf } from "../domain/calendar/index.ts";
import {
  admitCommand,
  type SubscriptionCommandKind,
  SubscriptionRefusal,
} from "../domain/lifecycle/index.ts";
import { databaseActivities } from "./activity-options.ts";
import { startToken } from "./clock.ts";
import { startCollecting } from "./collection.ts";
import * as messages from "./messages.ts";
import { type ProrationOutcome, proration } from "./proration.ts";
import { refusalOf } from "./refusal.ts";
import { searchAttributes } from "./search-attributes.ts";
import type { Running } from "./subscription.ts";

/** How many answers a run carries over: a caller that retries does so within minutes. */
const answersKept = 50;

type Command = Pick<messages.PauseCommand, "requestId" | "at">;

function optionsOf({ settle, anchor, quote }: messages.ChangeOptions): messages.ChangeOptions {
  return {
    ...(settle === undefined ? {} : { settle }),
    ...(anchor === undefined ? {} : { anchor }),
    ...(quote === undefined ? {} : { quote }),
  };
}

/** Registers the handlers of every command: validated before it is accepted, taken in its turn, answered once. */
export function handleCommands(self: Running): void {
  setHandler(messages.activate, (command) => self.alone(() => activate(self, command)));
  setHandler(
    messages.changePlan,
    (command) => {
      const { planKey, agreement, seats } = command;
      return changeTerms(self, command, {
        kind: "change_plan",
        planKey,
        ...(agreement === undefined ? {} : { agreement }),
        ...(seats === undefined ? {} : { seats }),
        ...optionsOf(command),
      });
    },
    admitting(self, "change_plan"),
  );
  setHandler(
    messages.changeQuantity,
    (command) =>
      changeTerms(self, command, { kind: "change_quantity", seats: command.seats, ...optionsOf(command) }),
    admitting(self, "change_quantity"),
  );
  setHandler(
    messages.addAddOn,
    (command) =>
      changeTerms(self, command, {
        kind: "add_add_on",
        planKey: command.planKey,
        ...(command.agreement === undefined ? {} : { agreement: command.agreement }),
        seats: command.seats,
        ...optionsOf(command),
      }),
    admitting(self, "add_add_on"),
  );
  setHandler(
    messages.pause,
    (command) => changeTerms(self, command, { kind: "pause", ...optionsOf(command) }),
    admitting(self, "pause"),
  );
  setHandler(
    messages.resume,
    (command) => changeTerms(self, command, { kind: "resume", ...optionsOf(command) }),
    admitting(self, "resume"),
  );
  setHandler(
    messages.cancel,
    (command) =>
      command.when === "now"
        ? changeTerms(self, command, {
            kind: "cancel",
            credit: command.credit ?? "unused",
            ...optionsOf(command),
          })
        : cancelAtPeriodEnd(self, command),
    admitting(self, "cancel"),
  );
}

/** Refuses, before anything is written, what the state does not allow; a repeated request is let through to its answer. */
function admitting(self: Running, kind: SubscriptionCommandKind) {
  return {
    validator(command: Command): void {
      if (self.answered(command.requestId) === undefined) admit(self, kind, command);
    },
  };
}

/** @throws ApplicationFailure with the refusal's code */
function admit(self: Running, kind: SubscriptionCommandKind, { at }: Command): void {
  if (self.standing === null) {
    throw ApplicationFailure.nonRetryable("the subscription is not active yet", "subscription_not_active");
  }
  const { status, cancelAt } = self.standing;
  const { start, end } = self.period();
  try {
    admitCommand({ status, cancelAt, periodStart: isoOf(start), periodEnd: isoOf(end) }, { kind, at });
  } catch (error) {
    if (!(error instanceof SubscriptionRefusal)) throw error;
    throw ApplicationFailure.nonRetryable(error.message, error.code, error.field);
  }
}

async function activate(self: Running, command: messages.ActivateCommand): Promise<messages.ActivateAnswer> {
  const { subscriptionId, customerId } = self.input;
  const { at, items, requestId } = command;
  self.clock.told({ at });
  const opened = await refusable(
    databaseActivities.openSubscription({ subscriptionId, customerId, requestId, at, items }),
  ).catch(async (refused: unknown) => {
    // The run goes on waiting for a request that can be met; time must not wait with it.
    if (self.standing === null) await self.clock.announce(null);
    throw refused;
  });
  if (self.standing === null) {
    self.standing = opened.standing;
    const { invoiceId } = opened;
    if (invoiceId !== null && opened.collect) {
      await startCollecting(self.clock, { invoiceId, customerId, subscriptionId });
    }
    await self.clock.announce(self.wakeAt());
  }
  const { start, end } = self.period();
  return {
    subscriptionId,
    status: self.remembered().status,
    periodStart: isoOf(start),
    periodEnd: isoOf(end),
    invoiceId: opened.invoiceId,
  };
}

/** The same request is answered with the same answer, and changes nothing the second time. */
function answerOnce(
  self: Running,
  kind: SubscriptionCommandKind,
  command: Command,
  work: () => Promise<messages.ChangeAnswer>,
): Promise<messages.ChangeAnswer> {
  return self.alone(async () => {
    const known = self.answered(command.requestId);
    if (known !== undefined) return known;
    self.clock.told({ at: command.at });
    // Dated in the next period, it belongs there, even when it comes before the boundary was noticed.
    await self.crossUntil(instant(command.at));
    // While it waited for its turn, another command may have changed what is allowed.
    admit(self, kind, command);
    const answer = await work();
    const { answered } = self.remembered();
    self.become({ answered: [...answered, { requestId: command.requestId, answer }].slice(-answersKept) });
    // Before the answer leaves: whoever moves the test clock next finds this run's new wish already there.
    await self.clock.announce(self.wakeAt());
    return answer;
  });
}

/** A change of what was agreed: worked out and booked by a `proration` run, which this waits for. */
function changeTerms(
  self: Running,
  command: Command,
  change: messages.SubscriptionChange,
): Promise<messages.ChangeAnswer> {
  return answerOnce(self, change.kind, command, async () => {
    const { subscriptionId, customerId } = self.input;
    const { requestId: changeId, at } = command;
    const workflowId = messages.workflowIds.proration(subscriptionId, changeId);
    await self.clock.expect(startToken(workflowId));
    const outcome = await executeChild(proration, {
      workflowId,
      args: [{ subscriptionId, customerId, changeId, at, change, clock: self.clock.reading() }],
      staticSummary: `${customerId}: ${change.kind}`,
      typedSearchAttributes: [
        { key: searchAttributes.customerId, value: customerId },
        { key: searchAttributes.subscriptionId, value: subscriptionId },
      ],
    });
    if (outcome.refused !== null) {
      throw ApplicationFailure.nonRetryable(outcome.refused.message, outcome.refused.code);
    }
    await follow(self, change, outcome);
    const { invoiceId, effectiveAt } = outcome;
    return { subscriptionId, changeId, status: self.remembered().status, effectiveAt, invoiceId };
  });
}

/** What a booked change means for the run itself. */
async function follow(
  self: Running,
  change: messages.SubscriptionChange,
  { effectiveAt, anchor: begun }: ProrationOutcome,
): Promise<void> {
  if (change.kind === "change_plan") self.become({ planKey: change.planKey });
  if (change.kind === "pause") self.become({ status: "paused" });
  if (change.kind === "resume") self.become({ status: "active" });
  const cut = { start: self.period().start, end: instant(effectiveAt) };
  if (begun !== undefined) {
    const { periodIndex, ...anchor } = begun;
    self.become({ anchor, periodIndex });
  } else if (change.kind === "cancel") {
    self.become({ status: "canceled", cancelAt: effectiveAt });
  } else return;
  if (cut.end > cut.start) await self.startCycle(cut);
  if (change.kind === "cancel") self.ended = true;
}

function cancelAtPeriodEnd(self: Running, command: messages.CancelCommand): Promise<messages.ChangeAnswer> {
  return answerOnce(self, "cancel", command, async () => {
    const { subscriptionId } = self.input;
    const effectiveAt = isoOf(self.period().end);
    await refusable(
      databaseActivities.scheduleCancellation({
        subscriptionId,
        changeId: command.requestId,
        at: command.at,
        cancelAt: effectiveAt,
      }),
    );
    self.become({ cancelAt: effectiveAt });
    const { status } = self.remembered();
    return { subscriptionId, changeId: command.requestId, status, effectiveAt, invoiceId: null };
  });
}

/** A refusal of the rules goes back to the caller with its code; anything else stays what it is. */
async function refusable<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const refused = refusalOf(error);
    if (refused === null) throw error;
    throw ApplicationFailure.nonRetryable(refused.message, refused.code);
  }
}

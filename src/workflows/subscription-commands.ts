import type { UpdateDefinition } from "@temporalio/common";
import { setHandler } from "@temporalio/workflow";
import { isoOf } from "../domain/calendar/index.ts";
import type { SubscriptionCommandKind } from "../domain/lifecycle/index.ts";
import { collect, startCollecting } from "./collection.ts";
import * as messages from "./messages.ts";
import { promptly } from "./promptly.ts";
import { refusable } from "./refusal.ts";
import type { Running } from "./subscription.ts";
import {
  cancelLater,
  changeLater,
  changeTerms,
  uncancel,
  withdrawScheduled,
} from "./subscription-changes.ts";
import { settleFirstPayment } from "./subscription-due.ts";
import { admitting, admittingActivation, type Command } from "./subscription-turns.ts";

/** Registers the handlers of every command: validated before it is accepted, taken in its turn, answered once. */
export function handleCommands(self: Running): void {
  setHandler(
    messages.activate,
    (command) => self.alone(() => activate(self, command)),
    admittingActivation(self),
  );
  change(self, messages.changePlan, "change_plan", ({ planKey, agreement, seats }) => ({
    kind: "change_plan",
    planKey,
    ...given({ agreement, seats }),
  }));
  change(self, messages.changeQuantity, "change_quantity", ({ seats }) => ({
    kind: "change_quantity",
    seats,
  }));
  change(self, messages.addAddOn, "add_add_on", ({ planKey, agreement, seats }) => ({
    kind: "add_add_on",
    planKey,
    seats,
    ...given({ agreement }),
  }));
  change(self, messages.removeAddOn, "remove_add_on", ({ planKey }) => ({ kind: "remove_add_on", planKey }));
  change(self, messages.endTrial, "end_trial", () => ({ kind: "end_trial", anchor: "reset" }));
  change(self, messages.pause, "pause", ({ usage, resumesAt, resumeAnchor }) => ({
    kind: "pause",
    ...given({ usage, resumesAt, resumeAnchor }),
  }));
  change(self, messages.resume, "resume", () => ({ kind: "resume" }));
  setHandler(
    messages.cancel,
    (command) => {
      const { when, credit = "unused" } = command;
      if (when !== "now") return cancelLater(self, command);
      return changeTerms(self, command, { kind: "cancel", credit, ...optionsOf(command) });
    },
    admitting(self, "cancel"),
  );
  setHandler(messages.uncancel, (command) => uncancel(self, command), admitting(self, "uncancel"));
  setHandler(
    messages.withdrawScheduled,
    (command) => withdrawScheduled(self, command),
    admitting(self, "withdraw"),
  );
}

/** A command that changes what was agreed: now, by a proration, or later, when it is written down. */
function change<C extends Command & messages.ChangeOptions>(
  self: Running,
  update: UpdateDefinition<messages.ChangeAnswer, [C]>,
  kind: SubscriptionCommandKind,
  changeOf: (command: C) => messages.SubscriptionChange,
): void {
  const handle = (command: C) => {
    const wanted = { ...changeOf(command), ...optionsOf(command) };
    const { when = "now" } = command;
    return when === "now" ? changeTerms(self, command, wanted) : changeLater(self, command, wanted);
  };
  setHandler(update, handle, admitting(self, kind));
}

function optionsOf({ settle, anchor, quote }: messages.ChangeOptions): messages.ChangeOptions {
  return given({ settle, anchor, quote });
}

type Given<T> = { [Key in keyof T]?: Exclude<T[Key], undefined> };

/** Without what was left out, so that it stays left out in every message. */
function given<T extends object>(fields: T): Given<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Given<T>;
}

async function activate(self: Running, command: messages.ActivateCommand): Promise<messages.ActivateAnswer> {
  const { subscriptionId, customerId } = self.input;
  const { at, items, requestId, start: choices } = command;
  self.clock.told({ at });
  const wanted = { subscriptionId, customerId, requestId, at, items, ...choices };
  const opened = await refusable(promptly((activities) => activities.openSubscription(wanted))).catch(
    async (refused: unknown) => {
      // The run goes on waiting for a request that can be met; time must not wait with it.
      if (self.standing === null) await self.clock.announce(null);
      throw refused;
    },
  );
  if (self.standing === null) {
    const { invoiceId } = opened;
    const toCollect = opened.collect ? invoiceId : null;
    // Who begins with the first payment is told how that went; whoever has begun does not wait for it.
    const isPaidFirst = Boolean(opened.standing.firstPayment);
    const invoice = { customerId, subscriptionId };
    if (toCollect !== null && isPaidFirst) await collect(self.clock, { invoiceId: toCollect, ...invoice });
    self.standing = opened.standing;
    if (toCollect !== null && !isPaidFirst) {
      await startCollecting(self.clock, { invoiceId: toCollect, ...invoice });
    }
    if (isPaidFirst) await settleFirstPayment(self);
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

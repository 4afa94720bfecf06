import { ApplicationFailure } from "@temporalio/workflow";
import { instant, isoOf } from "../domain/calendar/index.ts";
import {
  admitCommand,
  type ChangeTime,
  CommandShapeError,
  requireCommand,
  requireIds,
  type SubscriptionCommandKind,
  SubscriptionRefusal,
  type SubscriptionStanding,
} from "../domain/lifecycle/index.ts";
import type * as messages from "./messages.ts";
import type { Running } from "./subscription.ts";

/** How many answers a run carries over: a caller that retries does so within minutes. */
const answersKept = 50;

/** What every command says. */
export type Command = Pick<messages.PauseCommand, "requestId" | "at" | "resumesAt"> & {
  readonly when?: ChangeTime;
};

/** Of the first command: whoever talks to Temporal without our client is refused what cannot be meant, too. */
export function admittingActivation({ input }: Running) {
  return {
    validator(command: messages.ActivateCommand): void {
      const { subscriptionId, customerId } = input;
      refusing(() => {
        requireIds({ subscriptionId, customerId });
        requireCommand("activate", command);
      });
    },
  };
}

/** Refuses, before anything is written, what the state does not allow; a repeated request is let through to its answer. */
export function admitting(self: Running, kind: SubscriptionCommandKind) {
  return {
    validator(command: Command): void {
      refusing(() => requireCommand(kind, command));
      if (self.answered(command.requestId) === undefined) admit(self, kind, command);
    },
  };
}

/** How the subscription stands, as its rules see it. */
export function standingOf(self: Running): SubscriptionStanding {
  const { status, cancelAt } = self.remembered();
  const { start, end } = self.period();
  return { status, cancelAt, periodStart: isoOf(start), periodEnd: isoOf(end) };
}

/** @throws ApplicationFailure with the refusal's code */
function admit(self: Running, kind: SubscriptionCommandKind, { at, when = "now", resumesAt }: Command): void {
  if (self.standing === null) {
    throw ApplicationFailure.nonRetryable("the subscription is not active yet", "subscription_not_active");
  }
  refusing(() => admitCommand(standingOf(self), { kind, at, when, resumesAt }));
}

/** @throws ApplicationFailure with the refusal's code */
function refusing(check: () => void): void {
  try {
    check();
  } catch (error) {
    if (!(error instanceof SubscriptionRefusal || error instanceof CommandShapeError)) throw error;
    throw ApplicationFailure.nonRetryable(error.message, error.code, error.field);
  }
}

/** The same request is answered with the same answer, and changes nothing the second time. */
export function answerOnce(
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

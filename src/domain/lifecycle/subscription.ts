import { BillingError } from "../errors.ts";
import { requirePauseEnds } from "./command-shape.ts";
import {
  commandTable,
  type StateRefusalCode,
  type SubscriptionCommandKind,
  type SubscriptionStatus,
} from "./subscription-table.ts";

/** What a running subscription remembers to decide whether a command is legal. Instants are ISO texts: it travels in messages. */
export interface SubscriptionStanding {
  readonly status: SubscriptionStatus;
  /** When it ends, where that is agreed; until then the status stays what it is. */
  readonly cancelAt: string | null;
  /** Start of the period in course: a command cannot be dated before it. */
  readonly periodStart: string;
  readonly periodEnd: string;
}

/** When a change that is asked for now is to be made. */
export type ChangeTime = "now" | "period_end" | { readonly at: string };

export interface SubscriptionCommandFacts {
  readonly kind: SubscriptionCommandKind;
  /** When it takes effect, pinned by the caller; of what is made later, when it was asked for. */
  readonly at: string;
  readonly when?: ChangeTime;
  /** When a pause ends by itself. */
  readonly resumesAt?: string | undefined;
}

/** A command that the subscription's state does not allow. Nothing was changed. */
export class SubscriptionRefusal extends BillingError {
  readonly code: SubscriptionRefusalCode;

  constructor(code: SubscriptionRefusalCode, message: string, field?: string) {
    super(message, field);
    this.code = code;
  }
}

export type SubscriptionRefusalCode =
  | StateRefusalCode
  | "subscription_already_canceling"
  | "subscription_not_canceling"
  | "subscription_canceling"
  | "subscription_change_backdated"
  | "scheduled_change_not_ahead"
  | "scheduled_change_too_far_ahead"
  | "scheduled_change_after_end";

const reasons: Readonly<Record<StateRefusalCode, string>> = {
  subscription_canceled: "the subscription is canceled; open a new one, which may refer to it",
  subscription_incomplete: "the first invoice is not paid yet; the subscription begins when it is",
  subscription_incomplete_expired: "the first invoice was not paid in time; open a new subscription",
  subscription_paused: "the subscription is paused; resume it before changing it",
  subscription_not_paused: "the subscription is not paused",
  subscription_trialing: "the subscription is in its trial, in which nothing is charged; end that first",
  subscription_not_trialing: "the subscription is not in a trial",
};

/**
 * Refuses what the state does not allow; answers nothing when the command may go ahead.
 *
 * @throws SubscriptionRefusal with a stable code and what to do instead; CommandShapeError where its times cannot be meant
 */
export function admitCommand(standing: SubscriptionStanding, command: SubscriptionCommandFacts): void {
  const { status, cancelAt, periodStart } = standing;
  const isTerminated = status === "canceled" || status === "incomplete_expired";
  if (!isTerminated && Date.parse(command.at) < Date.parse(periodStart)) {
    throw new SubscriptionRefusal(
      "subscription_change_backdated",
      `a change cannot be dated ${command.at}, before the period in course, which began ${periodStart}`,
      "at",
    );
  }
  const admission = commandTable[status][command.kind];
  if (admission !== "allowed") throw new SubscriptionRefusal(admission, reasons[admission]);
  if (command.kind === "cancel" && cancelAt !== null) {
    throw new SubscriptionRefusal(
      "subscription_already_canceling",
      `the subscription is already canceled as of ${cancelAt}; nothing more is needed`,
    );
  }
  if (command.kind === "uncancel" && cancelAt === null) {
    throw new SubscriptionRefusal("subscription_not_canceling", "no end of the subscription is agreed");
  }
  if (command.kind === "end_trial" && cancelAt !== null) {
    throw new SubscriptionRefusal(
      "subscription_canceling",
      `the subscription ends ${cancelAt}, so no paid period can begin before: take that back first`,
    );
  }
  admitTime(standing, command);
  if (command.kind === "pause") requirePauseEnds(changeInstant(standing, command), command.resumesAt);
}

/** Three years: longer than any plan's period that is sold. */
const aheadDaysMax = 3 * 366;

/** When a command's change is made. */
export function changeInstant(
  { periodEnd }: SubscriptionStanding,
  command: SubscriptionCommandFacts,
): string {
  const { when = "now", at } = command;
  if (when === "now") return at;
  return when === "period_end" ? periodEnd : when.at;
}

function admitTime(standing: SubscriptionStanding, command: SubscriptionCommandFacts): void {
  const { when = "now", at } = command;
  if (when === "now") return;
  const effectiveAt = changeInstant(standing, command);
  const aheadMs = Date.parse(effectiveAt) - Date.parse(at);
  if (aheadMs <= 0) {
    const message = `${effectiveAt} is not ahead of ${at}: ask for the change now instead`;
    throw new SubscriptionRefusal("scheduled_change_not_ahead", message, "when");
  }
  if (aheadMs > aheadDaysMax * 86_400_000) {
    const message = `${effectiveAt} is more than ${aheadDaysMax} days ahead`;
    throw new SubscriptionRefusal("scheduled_change_too_far_ahead", message, "when");
  }
  const { cancelAt } = standing;
  if (command.kind === "cancel" || cancelAt === null || Date.parse(effectiveAt) < Date.parse(cancelAt))
    return;
  const message = `the subscription ends ${cancelAt}, so nothing can change ${effectiveAt}`;
  throw new SubscriptionRefusal("scheduled_change_after_end", message, "when");
}

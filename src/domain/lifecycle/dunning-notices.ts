import type { DunningOutcome, DunningStep } from "./dunning.ts";
import type { DunningPolicy } from "./dunning-policy.ts";
import { type DunningEvent, type DunningStanding, scheduleInForce } from "./dunning-standing.ts";
import type { AccessLevel, DeclineClass, NoticeMoment } from "./dunning-terms.ts";

/** Something to be said to the customer: the name of a notice, and the moment it is for. */
export interface DunningNotice {
  readonly moment: NoticeMoment;
  readonly notice: string;
}

/** What is said when the first charge fails; and of access, when a policy ends it at once. */
export function noticesOfBeginning(policy: DunningPolicy, decline: DeclineClass): DunningNotice[] {
  const level = policy.access.findLast(({ afterMs }) => afterMs === 0)?.level ?? "granted";
  const moment = decline === "authentication" ? "action_required" : "attempt_failed";
  return [...named(policy, moment), ...noticesOfAccess(policy, level)];
}

/** What is said of an event; `before` is how the dunning stood until then. */
export function noticesOfEvent(
  policy: DunningPolicy,
  before: DunningStanding,
  event: DunningEvent,
): DunningNotice[] {
  switch (event.type) {
    case "declined": {
      if (event.decline === "authentication") return named(policy, "action_required");
      if (event.cause !== "schedule") return named(policy, "attempt_failed");
      const own = scheduleInForce(policy, before)?.attempts[before.passed]?.notice ?? null;
      return own === null ? named(policy, "attempt_failed") : [{ moment: "attempt_failed", notice: own }];
    }
    case "action_expired":
      return named(policy, "attempt_failed");
    case "action_reminded":
      return named(policy, "action_reminder");
    default:
      return [];
  }
}

/** Another payment method is asked for once, when nothing else is left to wait for. */
export function noticesOfStep(
  policy: DunningPolicy,
  before: DunningStep["kind"] | null,
  step: DunningStep,
): DunningNotice[] {
  const isNews = step.kind === "await_payment_method" && before !== "await_payment_method";
  return isNews ? named(policy, "payment_method_needed") : [];
}

export function noticesOfAccess(policy: DunningPolicy, level: AccessLevel): DunningNotice[] {
  if (level === "granted") return [];
  return named(policy, level === "limited" ? "access_limited" : "access_ended");
}

export function noticesOfEnding(policy: DunningPolicy, outcome: DunningOutcome): DunningNotice[] {
  if (outcome === "recovered") return named(policy, "recovered");
  return outcome === "exhausted" ? named(policy, "given_up") : [];
}

function named({ notices }: DunningPolicy, moment: NoticeMoment): DunningNotice[] {
  const notice = notices[moment];
  return notice === null ? [] : [{ moment, notice }];
}

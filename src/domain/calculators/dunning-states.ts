import { type Instant, instantOfEpochMs } from "../calendar/index.ts";
import { type AccessLevel, accessAt, type DunningPolicy } from "../lifecycle/index.ts";
import type { DunningEnding, DunningQuestion, DunningWait } from "./dunning-schedule.ts";

/** How things stand from `from` until the next state, the last one for good. */
export interface DunningState {
  readonly from: Instant;
  readonly invoice: "open" | "paid" | "void" | "uncollectible";
  readonly dunning: DunningWait["dunning"] | DunningEnding["outcome"];
  readonly subscription: "past_due" | "active" | "canceled" | "paused";
  readonly access: AccessLevel;
}

/** Cut at each change of what is waited for, and of access, which has instants of its own. */
export function statesOf(
  { policy, failedAt }: Pick<DunningQuestion, "policy" | "failedAt">,
  waits: readonly DunningWait[],
  { outcome, endedAt }: DunningEnding,
): DunningState[] {
  const changes = policy.access.map(({ afterMs }) => instantOfEpochMs(failedAt + afterMs));
  const levelAt = (at: Instant) => accessAt(policy, failedAt, at).level;
  const cuts = [failedAt, ...waits.map(({ from }) => from), ...changes].filter((at) => at < endedAt);
  const during = [...new Set(cuts)]
    .toSorted((one, other) => one - other)
    .map(
      (from): DunningState => ({
        from,
        invoice: "open",
        dunning: waits.findLast((wait) => wait.from <= from)?.dunning ?? "retrying",
        subscription: "past_due",
        access: levelAt(from),
      }),
    );
  const ended = afterwards(policy, outcome);
  const last = (from: Instant): DunningState => ({
    from,
    dunning: outcome,
    ...ended,
    access: ended.access ?? levelAt(from),
  });
  // What is past due for good loses its access as the policy says, though nothing is tried any more.
  const later = ended.access === null ? changes.filter((at) => at > endedAt) : [];
  return [...during, last(endedAt), ...later.map(last)].filter(differsFromBefore);
}

/** Null: access goes on by the policy's steps. */
function afterwards(policy: DunningPolicy, outcome: DunningEnding["outcome"]) {
  switch (outcome) {
    case "recovered":
      return { invoice: "paid", subscription: "active", access: "granted" } as const;
    case "closed":
      return { invoice: "void", subscription: "active", access: "granted" } as const;
    case "stopped":
      return { invoice: "open", subscription: "active", access: "granted" } as const;
    case "disputed":
      return { invoice: "open", subscription: "past_due", access: null } as const;
    case "exhausted":
      return { invoice: "uncollectible", ...afterFinalAction(policy) } as const;
  }
}

function afterFinalAction({ finalAction }: DunningPolicy) {
  switch (finalAction) {
    case "cancel":
      return { subscription: "canceled", access: "ended" } as const;
    case "pause":
      return { subscription: "paused", access: "ended" } as const;
    case "uncollectible":
      return { subscription: "past_due", access: null } as const;
    case "keep_active":
      return { subscription: "active", access: "granted" } as const;
  }
}

function differsFromBefore(state: DunningState, index: number, all: readonly DunningState[]): boolean {
  const before = all[index - 1];
  return before === undefined || before.dunning !== state.dunning || before.access !== state.access;
}

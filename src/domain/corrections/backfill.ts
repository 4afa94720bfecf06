import { BillingError } from "../errors.ts";

/**
 * The life of a backfill, which is usage reported afterwards under one name:
 *
 *     open     takes events
 *     closed   takes no more
 *     reverted all of its events are voided; terminal
 *
 *     open → closed → reverted;  open → reverted, which closes it first where somebody else must agree
 */
export const backfillStates = ["open", "closed", "reverted"] as const;
export type BackfillState = (typeof backfillStates)[number];

export const backfillCommands = ["add_events", "close", "revert"] as const;
export type BackfillCommand = (typeof backfillCommands)[number];

/** How late an event of a backfill may come, in days of 24 hours: five years. */
export const backfillEventAgeDaysMax = 1_827;

const next: Readonly<Record<BackfillState, Partial<Record<BackfillCommand, BackfillState>>>> = {
  open: { add_events: "open", close: "closed", revert: "reverted" },
  closed: { close: "closed", revert: "reverted" },
  reverted: { revert: "reverted" },
};

export class BackfillStateError extends BillingError {
  readonly code: "usage_backfill_closed" | "usage_backfill_reverted";

  constructor(state: Exclude<BackfillState, "open">) {
    super(`the backfill is ${state}: open another one`);
    this.code = `usage_backfill_${state}`;
  }
}

/**
 * The state that a command leads to; where it is that already, doing it again changes nothing.
 * @throws BackfillStateError where the state does not allow it
 */
export function backfillAfter(state: BackfillState, command: BackfillCommand): BackfillState {
  const after = next[state][command];
  // An open backfill allows everything.
  if (after === undefined) throw new BackfillStateError(state === "reverted" ? "reverted" : "closed");
  return after;
}

import type { RefusalCode } from "./usage-event.ts";

/** What went wrong. Branch on it; `detail` is for people. */
export type UsageProblemCode =
  /** `report` was given something that can never be sent; `reason` says why. */
  | "event_refused"
  /** The memory was full and the disk took nothing: these events are lost, unless they are reported again. */
  | "event_dropped"
  /** The API refused the event for good. */
  | "event_invalid"
  /** The API has another event under this key, and that one counts. */
  | "event_conflict"
  /** The API keeps the event until its customer, or a meter for it, exists. */
  | "event_quarantined"
  | "api_unreachable"
  | "api_failing"
  | "api_overloaded"
  | "api_key_refused"
  /** Something answers at the API's address, but not as Reckoner does. */
  | "api_unexpected"
  /** The API does not take heartbeats from this key or this source: closes do not wait for it. */
  | "heartbeat_refused"
  | "spool_full"
  | "spool_unwritable"
  | "spool_unreadable"
  /** A segment held what is not an event: a line that was never acknowledged, or damage to the disk. */
  | "spool_damaged";

export interface UsageProblem {
  readonly code: UsageProblemCode;
  /** For people. */
  readonly detail: string;
  /** How many events it is about; 0 when it is about none in particular. */
  readonly count: number;
  /** The event, when it is about one; `json` is what was sent. Undefined for one that was refused unwritten. */
  readonly event?: { readonly source: string; readonly id: string; readonly json: string } | undefined;
  /** The code that the API gave, or why an event was refused here. */
  readonly reason?: RefusalCode | (string & {}) | undefined;
  /** The part of the event at fault. */
  readonly field?: string | undefined;
}

/** Said once when what a problem said is over. */
export interface UsageRecovery {
  readonly code: "api_answers" | "spool_writes" | "heartbeats_taken";
  readonly detail: string;
}

/** What the API said of one event. */
export interface UsageAnswer {
  readonly source: string;
  readonly id: string;
  readonly status: AnswerStatus;
  readonly code?: string | undefined;
  readonly field?: string | undefined;
  readonly detail?: string | undefined;
}

export type AnswerStatus = "accepted" | "duplicate" | "conflict" | "invalid" | "quarantined";

/** What a host may want to hear of; each is called as it happens and must return soon. */
export interface Listeners {
  readonly onProblem: (problem: UsageProblem) => void;
  readonly onRecovery?: ((recovery: UsageRecovery) => void) | undefined;
  readonly onAnswer?: ((answer: UsageAnswer) => void) | undefined;
}

/** Calls a listener. Whatever it does, also fail, later or at once, is no business of the reporter. */
export function tell<Notice>(listener: ((notice: Notice) => unknown) | undefined, notice: Notice): void {
  if (listener === undefined) return;
  try {
    const result = listener(notice);
    if (result instanceof Promise) result.catch(() => {});
  } catch {
    // A listener that throws has heard it.
  }
}

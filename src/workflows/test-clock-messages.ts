/** What may be said to the run of a test clock, and what it says. */
import { defineSignal, defineUpdate } from "@temporalio/workflow";

export interface TestClockInput {
  readonly clockId: string;
  readonly now: string;
  /** Carried over continue-as-new. */
  readonly target?: string;
  readonly isAdvancing?: boolean;
  readonly waiters?: readonly ClockWaiter[];
  readonly expected?: readonly string[];
  readonly settledEarly?: readonly string[];
  readonly announced?: readonly Expected[];
  readonly wakes?: number;
}

export interface ClockWaiter {
  readonly workflowId: string;
  readonly wakeAt: string;
}

/** Time goes on only when every token that was announced here has been settled. */
export const expectSettling = defineSignal<[Expected]>("expectSettling");
export interface Expected {
  readonly token: string;
  /** Who announces a start and may die before it says in how long, in seconds, the run is there if it ever is. */
  readonly startsWithinSeconds?: number;
}
/** A run has done what there was to do and sleeps until `wakeAt` (null: until something is told to it). */
export const clockWaiting =
  defineSignal<
    [{ readonly workflowId: string; readonly wakeAt: string | null; readonly settles: readonly string[] }]
  >("clockWaiting");
export const clockWake = defineSignal<[{ readonly now: string; readonly token: string }]>("clockWake");
export const advance = defineUpdate<{ readonly target: string }, [{ readonly to: string }]>("advance");

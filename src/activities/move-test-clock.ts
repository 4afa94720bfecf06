import { moveTestClock } from "../db/billing/test-clocks.ts";
import { type Database, inTransaction } from "../db/database.ts";
import { tellDueOnClock } from "../db/notices/due-notices.ts";
import { instant } from "../domain/calendar/index.ts";

export interface ClockMove {
  readonly clockId: string;
  readonly now: string;
  readonly target: string;
  /** Whether all that was due until `now` is done. */
  readonly isSettled: boolean;
}

/**
 * Moves a test clock, before those who sleep on it are woken: what its customers are told ahead of time is told on the way, of the
 * state in which they are until then.
 */
export async function moveClock(db: Database, { clockId, now, target, isSettled }: ClockMove): Promise<void> {
  const currentAt = instant(now);
  await inTransaction(db, async (tx) => {
    await tellDueOnClock(tx, clockId, currentAt);
    await moveTestClock(tx, clockId, { currentAt, targetAt: instant(target), isSettled });
  });
}

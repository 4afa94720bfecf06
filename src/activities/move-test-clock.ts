import { findTestClock, moveTestClock } from "../db/billing/test-clocks.ts";
import { type Database, inTransaction } from "../db/database.ts";
import { tellDueOnClock } from "../db/notices/due-notices.ts";
import { instant } from "../domain/calendar/index.ts";
import { keepUpGrantsOnClock } from "./keep-up-grants.ts";

export interface ClockMove {
  readonly clockId: string;
  readonly now: string;
  readonly target: string;
  /** Whether all that was due until `now` is done. */
  readonly isSettled: boolean;
}

/**
 * Moves a test clock, before those who sleep on it are woken: credit is given and ends on the way, and what its customers are told
 * ahead of time is told, of the state in which they are until then. A late repetition of an earlier step changes nothing.
 */
export async function moveClock(db: Database, { clockId, now, target, isSettled }: ClockMove): Promise<void> {
  const currentAt = instant(now);
  await inTransaction(db, async (tx) => {
    const clock = await findTestClock(tx, clockId);
    if (clock === undefined || clock.currentAt > currentAt) return;
    await keepUpGrantsOnClock(tx, clock, currentAt);
    await tellDueOnClock(tx, clockId, currentAt);
    await moveTestClock(tx, clockId, { currentAt, targetAt: instant(target), isSettled });
  });
}

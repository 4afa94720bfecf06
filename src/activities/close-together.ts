import { type Database, inTransaction } from "../db/database.ts";
import { isDatabaseAway } from "../db/lost-connection.ts";
import { type ClosePeriodInput, closePeriodIn, closePeriodOnce, type PeriodOutcome } from "./close-period.ts";
import type { WaitingForUsage } from "./wait-for-usage.ts";

/**
 * Closes periods of different customers in one transaction, whose statements are of all of them: each takes less CPU than by
 * itself. Where one cannot be closed, nothing of that stays, and each is closed by itself, one after the other, so that never more
 * than one transaction is open.
 * @param inputs of no customer more than one, some ten at most: all of them are locked until the last one is closed
 * @returns what became of each, in their order
 * @throws where the database is away, which is the fault of none of them; some may be closed by then
 */
export async function closePeriodsTogether(
  db: Database,
  inputs: readonly ClosePeriodInput[],
  waiting: WaitingForUsage,
): Promise<PromiseSettledResult<PeriodOutcome>[]> {
  const together = inputs.length > 1 ? await allOrNone(db, inputs, waiting) : null;
  if (together !== null) return together.map((value) => ({ status: "fulfilled", value }));
  const outcomes: PromiseSettledResult<PeriodOutcome>[] = [];
  for (const input of inputs) {
    const [outcome] = await Promise.allSettled([closePeriodOnce(db, input, waiting)]);
    if (outcome.status === "rejected" && isDatabaseAway(outcome.reason)) throw outcome.reason;
    outcomes.push(outcome);
  }
  return outcomes;
}

async function allOrNone(
  db: Database,
  inputs: readonly ClosePeriodInput[],
  waiting: WaitingForUsage,
): Promise<PeriodOutcome[] | null> {
  try {
    return await inTransaction(db, async (tx) => {
      const closing = inputs.map((input) => closePeriodIn(db, tx, input, waiting));
      try {
        // What failed first says why: whatever else is sent then fails because of it.
        return await Promise.all(closing);
      } finally {
        // Nothing may be under way any more when the transaction is taken back.
        await Promise.allSettled(closing);
      }
    });
  } catch (error) {
    if (isDatabaseAway(error)) throw error;
    return null;
  }
}

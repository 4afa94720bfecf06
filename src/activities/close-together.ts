import { type Database, inTransaction } from "../db/database.ts";
import { type ClosePeriodInput, closePeriodIn, closePeriodOnce, type PeriodOutcome } from "./close-period.ts";
import type { WaitingForUsage } from "./wait-for-usage.ts";

/**
 * Closes periods of different customers in one transaction, whose statements are of all of them: each takes less CPU than by
 * itself. Where one cannot be closed, nothing of that stays, and each is closed by itself.
 * @param inputs of no customer more than one, some ten at most: all of them are locked until the last one is closed
 * @returns what became of each, in their order
 */
export async function closePeriodsTogether(
  db: Database,
  inputs: readonly ClosePeriodInput[],
  waiting: WaitingForUsage,
): Promise<PromiseSettledResult<PeriodOutcome>[]> {
  const together = inputs.length > 1 ? await allOrNone(db, inputs, waiting) : null;
  if (together !== null) return together.map((value) => ({ status: "fulfilled", value }));
  return await Promise.allSettled(inputs.map((input) => closePeriodOnce(db, input, waiting)));
}

async function allOrNone(
  db: Database,
  inputs: readonly ClosePeriodInput[],
  waiting: WaitingForUsage,
): Promise<PeriodOutcome[] | null> {
  try {
    return await inTransaction(db, async (tx) => {
      // Nothing may be under way any more when the transaction is taken back.
      const ended = await Promise.allSettled(inputs.map((input) => closePeriodIn(db, tx, input, waiting)));
      return ended.map((each) => {
        if (each.status === "rejected") throw each.reason;
        return each.value;
      });
    });
  } catch {
    return null;
  }
}

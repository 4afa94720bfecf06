import type { Instant } from "../../domain/calendar/index.ts";
import { invariant } from "../../domain/errors.ts";
import { rows, sql, type Tx } from "../database.ts";
import { budgetLook } from "../schema/budgets.ts";
import { timestamp } from "../timestamp.ts";
import type { Snapshot } from "../usage/usage-reads.ts";

/** Which customers a pass has to look at, and what the next pass may begin from. */
export interface ChangedBudgets {
  readonly customers: readonly string[];
  /** Everything that is visible in it was there when they were found. */
  readonly snapshot: Snapshot;
}

/**
 * The customers with an alert or a rule in force of whom something has changed that a look with the snapshot `seen` did not see,
 * or whom time may have changed by now.
 * @param seen null: all of them
 * @param wall the time of who has no test clock
 */
export async function changedBudgets(tx: Tx, seen: Snapshot | null, wall: Instant): Promise<ChangedBudgets> {
  const [row] = await rows<{ found: ChangedBudgets }>(
    tx,
    sql`select billing.budget_changes(${seen}::text::pg_snapshot, ${timestamp(wall)}) as found`,
  );
  invariant(row, "a snapshot is always there");
  return row.found;
}

/** One look at a customer at a time: what it reads is not older than what the look before has written. */
export async function lockBudgets(tx: Tx, customerId: string): Promise<void> {
  await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${`budget_look/${customerId}`}, 0))`);
}

/** When the customer is to be looked at though nothing has changed; null: only when something has. */
export async function noteLookAt(tx: Tx, customerId: string, lookAt: Instant | null): Promise<void> {
  await tx
    .insert(budgetLook)
    .values({ customerId, lookAt })
    .onConflictDoUpdate({ target: budgetLook.customerId, set: { lookAt } });
}

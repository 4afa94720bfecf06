import { eq, getTableColumns } from "drizzle-orm";
import type { Instant } from "../../domain/calendar/index.ts";
import type { Tx } from "../database.ts";
import { customer, testClock } from "../schema/billing.ts";

export type StoredTestClock = typeof testClock.$inferSelect;

export async function insertTestClock(tx: Tx, id: string, at: Instant): Promise<void> {
  await tx.insert(testClock).values({ id, currentAt: at, targetAt: at }).onConflictDoNothing();
}

export async function findTestClock(tx: Tx, id: string): Promise<StoredTestClock | undefined> {
  const [row] = await tx.select().from(testClock).where(eq(testClock.id, id));
  return row;
}

export async function hasTestClocks(tx: Tx): Promise<boolean> {
  const found = await tx.select({ id: testClock.id }).from(testClock).limit(1);
  return found.length > 0;
}

/** Moves a clock; late repetitions of earlier steps do not move it back. */
export async function moveTestClock(
  tx: Tx,
  id: string,
  { currentAt, targetAt, isSettled }: Omit<StoredTestClock, "id">,
): Promise<void> {
  const clock = await findTestClock(tx, id);
  if (clock === undefined || clock.currentAt > currentAt || clock.targetAt > targetAt) return;
  await tx.update(testClock).set({ currentAt, targetAt, isSettled }).where(eq(testClock.id, id));
}

/** What time it is for a customer on a test clock; undefined on the wall clock. */
export async function testClockOf(tx: Tx, customerId: string): Promise<StoredTestClock | undefined> {
  const [row] = await tx
    .select(getTableColumns(testClock))
    .from(testClock)
    .innerJoin(customer, eq(customer.testClockId, testClock.id))
    .where(eq(customer.id, customerId));
  return row;
}

import { and, asc, eq } from "drizzle-orm";
import type { Tx } from "../database.ts";
import { payment } from "../schema/billing.ts";
import { dunningCommand, dunningNotice } from "../schema/dunning.ts";

export type StoredDunningCommand = typeof dunningCommand.$inferSelect;

/** Writes down what an operator decided; the same request again changes nothing. Answers with what is written. */
export async function insertDunningCommand(
  tx: Tx,
  command: typeof dunningCommand.$inferInsert,
): Promise<StoredDunningCommand | undefined> {
  await tx.insert(dunningCommand).values(command).onConflictDoNothing();
  const [row] = await tx
    .select()
    .from(dunningCommand)
    .where(
      and(eq(dunningCommand.invoiceId, command.invoiceId), eq(dunningCommand.requestId, command.requestId)),
    );
  return row;
}

export async function dunningCommandsOf(tx: Tx, invoiceId: string): Promise<StoredDunningCommand[]> {
  return await tx
    .select()
    .from(dunningCommand)
    .where(eq(dunningCommand.invoiceId, invoiceId))
    .orderBy(asc(dunningCommand.number));
}

/** Writes down what is to be said, once for each fact and moment. */
export async function insertDunningNotices(
  tx: Tx,
  notices: readonly (typeof dunningNotice.$inferInsert)[],
): Promise<void> {
  if (notices.length > 0)
    await tx
      .insert(dunningNotice)
      .values([...notices])
      .onConflictDoNothing();
}

export async function dunningNoticesOf(tx: Tx, invoiceId: string) {
  return await tx
    .select()
    .from(dunningNotice)
    .where(eq(dunningNotice.invoiceId, invoiceId))
    .orderBy(asc(dunningNotice.number));
}

/** The invoice that a payment was for, by Stripe's payment intent. */
export async function invoiceOfPayment(tx: Tx, stripePaymentIntentId: string): Promise<string | undefined> {
  const [row] = await tx
    .select({ invoiceId: payment.invoiceId })
    .from(payment)
    .where(eq(payment.stripePaymentIntentId, stripePaymentIntentId));
  return row?.invoiceId;
}

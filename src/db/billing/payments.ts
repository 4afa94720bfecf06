import { and, desc, eq, inArray } from "drizzle-orm";
import type { Tx } from "../database.ts";
import { invoice, payment, paymentAttempt } from "../schema/billing.ts";
import { dunning, type OpenDunningState } from "../schema/dunning.ts";
import { invoicePart } from "../schema/invoice-documents.ts";

export type StoredDunning = typeof dunning.$inferSelect;
export type StoredAttempt = typeof paymentAttempt.$inferSelect;

/** Records an attempt; the same attempt again changes nothing. */
export async function insertAttempt(tx: Tx, attempt: typeof paymentAttempt.$inferInsert): Promise<void> {
  await tx.insert(paymentAttempt).values(attempt).onConflictDoNothing();
}

export async function attemptsOf(tx: Tx, invoiceId: string) {
  return await tx
    .select()
    .from(paymentAttempt)
    .where(eq(paymentAttempt.invoiceId, invoiceId))
    .orderBy(paymentAttempt.attempt);
}

/** Records a payment once, by Stripe's payment intent. Answers whether it is news. */
export async function insertPayment(tx: Tx, row: typeof payment.$inferInsert): Promise<boolean> {
  const inserted = await tx
    .insert(payment)
    .values(row)
    .onConflictDoNothing()
    .returning({ id: payment.invoiceId });
  return inserted.length > 0;
}

export async function findPayment(tx: Tx, stripePaymentIntentId: string) {
  const [row] = await tx
    .select()
    .from(payment)
    .where(eq(payment.stripePaymentIntentId, stripePaymentIntentId));
  return row;
}

/** The payment that a charge of Stripe's made. */
export async function findPaymentOfCharge(tx: Tx, stripeChargeId: string) {
  const [row] = await tx.select().from(payment).where(eq(payment.stripeChargeId, stripeChargeId));
  return row;
}

export async function paymentsOf(tx: Tx, invoiceId: string) {
  return await tx
    .select()
    .from(payment)
    .where(eq(payment.invoiceId, invoiceId))
    .orderBy(desc(payment.receivedAt));
}

export async function findDunning(tx: Tx, invoiceId: string): Promise<StoredDunning | undefined> {
  const [row] = await tx.select().from(dunning).where(eq(dunning.invoiceId, invoiceId));
  return row;
}

export async function insertDunning(tx: Tx, row: typeof dunning.$inferInsert): Promise<void> {
  await tx.insert(dunning).values(row).onConflictDoNothing();
}

/** States of a dunning that still goes on. */
const openStates: readonly OpenDunningState[] = [
  "retrying",
  "awaiting_payment_method",
  "awaiting_action",
  "disputed",
];

export const isOpenDunning = ({ state }: StoredDunning) => openStates.some((open) => open === state);

/** Moves an open dunning; one that has ended stays as it ended. */
export async function updateDunning(
  tx: Tx,
  invoiceId: string,
  change: Partial<typeof dunning.$inferInsert>,
): Promise<void> {
  await tx
    .update(dunning)
    .set(change)
    .where(and(eq(dunning.invoiceId, invoiceId), inArray(dunning.state, [...openStates])));
}

/** The dunnings of a customer's invoices, the newest first, at most a hundred. */
export async function dunningsOf(tx: Tx, customerId: string): Promise<StoredDunning[]> {
  const found = await tx
    .select({ dunning })
    .from(dunning)
    .innerJoin(invoice, eq(invoice.id, dunning.invoiceId))
    .where(eq(invoice.customerId, customerId))
    .orderBy(desc(dunning.startedAt), desc(dunning.invoiceId))
    .limit(100);
  return found.map((row) => row.dunning);
}

/** Invoices of a customer that dunning is at work on. */
export async function openDunningsOf(tx: Tx, customerId: string): Promise<string[]> {
  const found = await tx
    .select({ invoiceId: dunning.invoiceId })
    .from(dunning)
    .innerJoin(invoice, eq(invoice.id, dunning.invoiceId))
    .where(and(eq(invoice.customerId, customerId), inArray(dunning.state, [...openStates])));
  return found.map(({ invoiceId }) => invoiceId);
}

/** Whether dunning is at work on another invoice of the same subscription. */
export async function otherOpenDunning(
  tx: Tx,
  subscriptionId: string,
  exceptInvoice: string,
): Promise<boolean> {
  const found = await tx
    .select({ invoiceId: dunning.invoiceId })
    .from(dunning)
    .innerJoin(invoicePart, eq(invoicePart.invoiceId, dunning.invoiceId))
    .where(and(eq(invoicePart.subscriptionId, subscriptionId), inArray(dunning.state, [...openStates])));
  return found.some(({ invoiceId }) => invoiceId !== exceptInvoice);
}

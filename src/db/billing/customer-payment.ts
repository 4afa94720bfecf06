import { eq } from "drizzle-orm";
import type { Tx } from "../database.ts";
import { customer, type PaymentMethodSummary } from "../schema/billing.ts";

export async function setStripeCustomer(tx: Tx, customerId: string, stripeCustomerId: string): Promise<void> {
  await tx.update(customer).set({ stripeCustomerId }).where(eq(customer.id, customerId));
}

export async function setPaymentMethod(
  tx: Tx,
  customerId: string,
  method: PaymentMethodSummary,
): Promise<void> {
  await tx.update(customer).set({ paymentMethod: method }).where(eq(customer.id, customerId));
}

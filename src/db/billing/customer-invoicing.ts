import { asc, eq } from "drizzle-orm";
import type { Invoicing, InvoicingChoice } from "../../domain/invoicing/index.ts";
import type { Tx } from "../database.ts";
import { customerInvoicing } from "../schema/invoice-documents.ts";

export type StoredChoice = typeof customerInvoicing.$inferSelect;

/** What was chosen for a customer, in the order in which it was; empty where nothing ever was. */
export async function invoicingChoices(tx: Tx, customerId: string): Promise<StoredChoice[]> {
  return await tx
    .select()
    .from(customerInvoicing)
    .where(eq(customerInvoicing.customerId, customerId))
    .orderBy(asc(customerInvoicing.choice));
}

/**
 * Chooses how a customer's subscriptions are invoiced, for periods that end after now; what counts already is not written again.
 * The caller's transaction has locked the customer, so that no period is closed meanwhile.
 */
export async function chooseInvoicing(
  tx: Tx,
  customerId: string,
  { invoicing, effectiveAt, chosenBy }: InvoicingChoice & { readonly chosenBy: string },
): Promise<void> {
  const choices = await invoicingChoices(tx, customerId);
  const counting: Invoicing = choices.at(-1)?.invoicing ?? "separate";
  if (counting === invoicing) return;
  const choice = choices.length + 1;
  await tx.insert(customerInvoicing).values({ customerId, choice, invoicing, effectiveAt, chosenBy });
}

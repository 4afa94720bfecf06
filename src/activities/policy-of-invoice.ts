import { type ChosenPolicy, policyInForce } from "../db/billing/dunning-policies.ts";
import { subscriptionsOfInvoice } from "../db/billing/invoice-parts.ts";
import type { StoredInvoice } from "../db/billing/invoices.ts";
import { findDunning } from "../db/billing/payments.ts";
import { termsHistory } from "../db/billing/subscriptions.ts";
import type { Tx } from "../db/database.ts";
import { termsAt } from "../domain/invoicing/index.ts";
import { type DunningPolicy, defaultDunningTerms } from "../domain/lifecycle/index.ts";

type InvoiceOfPolicy = Pick<StoredInvoice, "id" | "customerId" | "issuedAt">;

/** The policy of the dunning that the invoice is in, or of the one that would begin now. */
export async function policyOfInvoice(tx: Tx, invoice: InvoiceOfPolicy): Promise<DunningPolicy> {
  const { policy = null } = (await findDunning(tx, invoice.id)) ?? {};
  return policy ?? (await policyToBegin(tx, invoice)).policy;
}

/** What was chosen for the customer, or agreed when the invoice was issued, of several subscriptions with the first. */
export async function policyToBegin(
  tx: Tx,
  { id, customerId, issuedAt }: InvoiceOfPolicy,
): Promise<ChosenPolicy> {
  const [subscriptionId] = await subscriptionsOfInvoice(tx, id);
  const history = subscriptionId === undefined ? [] : await termsHistory(tx, subscriptionId);
  const terms = history.length === 0 ? undefined : termsAt(history, issuedAt).items[0]?.plan.dunning;
  return await policyInForce(tx, customerId, terms ?? defaultDunningTerms);
}

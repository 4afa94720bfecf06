import { findGrant } from "../db/billing/credit-grants.ts";
import { factsOfMeans } from "../db/billing/invoice-facts.ts";
import { findInvoiceBySource } from "../db/billing/invoices.ts";
import { lockCustomer } from "../db/billing/subscriptions.ts";
import { noteTax, requiredTax } from "../db/billing/tax-ahead.ts";
import { taxedAtOnce } from "../db/billing/tax-given.ts";
import { type Database, inTransaction } from "../db/database.ts";
import { instant } from "../domain/calendar/index.ts";
import { invariant } from "../domain/errors.ts";
import {
  creditPurchaseLine,
  invoiceEntries,
  invoiceTotals,
  taxInvoiceLines,
} from "../domain/invoicing/index.ts";
import { currency, money } from "../domain/money/index.ts";
import { issueInvoice } from "./issue-invoice.ts";

/** Issues the invoice of a purchase of credits. Issued twice, it is the same invoice. */
export async function issueCreditPurchase(
  db: Database,
  input: { readonly grantId: string; readonly at: string },
): Promise<{ invoiceId: string }> {
  const at = instant(input.at);
  return await inTransaction(db, async (tx) => {
    const grant = await findGrant(tx, input.grantId);
    invariant(grant?.invoiceId, "a purchase of credits is written down with its invoice's id first");
    const { customerId, invoiceId: id } = grant;
    await lockCustomer(tx, customerId);
    const sourceKey = `credit-purchase/${grant.id}`;
    if ((await findInvoiceBySource(tx, sourceKey)) !== undefined) return { invoiceId: id };
    const amount = money(grant.amountMinor, grant.currency);
    const inCurrency = currency(grant.currency);
    const bought = [creditPurchaseLine({ grantId: grant.id, amount, at })];
    const tax = await requiredTax(tx, {
      customerId,
      of: taxedAtOnce.purchase(customerId),
      lines: bought,
      at,
    });
    const lines = [...bought, ...taxInvoiceLines(tax ?? undefined, at)];
    // Credits are paid with money: neither with other credits nor out of the customer's balance.
    const known = { grants: [], customerBalance: money(0n, grant.currency), currency: inCurrency, asOf: at };
    const means = { ...known, ...(tax === null ? {} : { tax }) };
    const totals = invoiceTotals(lines, means);
    const identity = { invoiceId: id, customerId, currency: inCurrency, issuedAt: at };
    const part = { subscriptionId: null, period: null, lines, facts: factsOfMeans(means) };
    await issueInvoice(
      tx,
      {
        ...identity,
        id,
        sourceKey,
        kind: "credit_purchase",
        parts: [part],
        totals,
      },
      invoiceEntries(identity, [part], totals),
    );
    await noteTax(tx, id, tax);
    return { invoiceId: id };
  });
}

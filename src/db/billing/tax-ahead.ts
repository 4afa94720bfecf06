import type { Instant } from "../../domain/calendar/index.ts";
import {
  type GivenTax,
  type InvoiceLine,
  requireTaxFits,
  SubscriptionRuleError,
  type TaxBasis,
  taxableLines,
} from "../../domain/invoicing/index.ts";
import type { Tx } from "../database.ts";
import { taxStandingOf } from "./tax-choices.ts";
import { aheadOf, findTaxGiven, insertInvoiceTax, isTaxUsed, taxOf, taxQuoteOf } from "./tax-given.ts";

export interface InvoicedAtOnce {
  readonly customerId: string;
  /** What the invoice is for, as quotes say it. */
  readonly of: string;
  readonly lines: readonly InvoiceLine[];
  readonly at: Instant;
}

/** The tax of an invoice that is issued at once; null where nobody reckons any. */
export type TaxAhead = { readonly tax: GivenTax | null } | { readonly missing: string };

/** Finds the tax that was given ahead, for exactly these lines and for no other invoice; or names the quote that it is missing for. */
export async function taxAhead(tx: Tx, invoiced: InvoicedAtOnce): Promise<TaxAhead> {
  const { customerId, lines } = invoiced;
  const quoted = await quoteAhead(tx, invoiced);
  if (quoted === null) return { tax: null };
  const { quote, basis } = quoted;
  const given = await findTaxGiven(tx, customerId, quote);
  if (given === undefined || (await isTaxUsed(tx, given))) return { missing: quote };
  const tax = taxOf(given, basis);
  requireTaxFits(tax.lines, taxableLines(lines));
  return { tax };
}

/** Names the lines of an invoice that is issued at once, for their tax; null where nobody reckons any. */
export const taxQuoteAhead = async (tx: Tx, invoiced: InvoicedAtOnce): Promise<string | null> =>
  (await quoteAhead(tx, invoiced))?.quote ?? null;

async function quoteAhead(
  tx: Tx,
  { customerId, of, lines, at }: InvoicedAtOnce,
): Promise<{ readonly quote: string; readonly basis: TaxBasis } | null> {
  const parts = taxableLines(lines);
  if (parts.length === 0) return null;
  const { handling, basis } = await taxStandingOf(tx, { customerId, at });
  return handling === "none" ? null : { quote: taxQuoteOf(of, basis, parts), basis };
}

/** As {@link taxAhead}, where the invoice cannot wait. @throws SubscriptionRuleError `tax_missing` */
export async function requiredTax(tx: Tx, invoiced: InvoicedAtOnce): Promise<GivenTax | null> {
  const ahead = await taxAhead(tx, invoiced);
  if ("tax" in ahead) return ahead.tax;
  throw new SubscriptionRuleError("tax_missing", aheadOf(invoiced.customerId, ahead.missing));
}

/** Says with which tax an invoice that was issued at once was issued. */
export async function noteTax(tx: Tx, invoiceId: string | null, tax: GivenTax | null): Promise<void> {
  if (tax !== null && invoiceId !== null) await insertInvoiceTax(tx, invoiceId, tax);
}

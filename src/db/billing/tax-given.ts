import { createHash } from "node:crypto";
import { and, desc, eq, ne } from "drizzle-orm";
import type { Instant, Period } from "../../domain/calendar/index.ts";
import { invariant } from "../../domain/errors.ts";
import {
  type ClosedTogether,
  cycleIdOf,
  firstBilled,
  type GivenTax,
  type GivenTaxLine,
  type PeriodFacts,
  type TaxablePart,
  type TaxBasis,
  taxableParts,
  taxQuoteText,
} from "../../domain/invoicing/index.ts";
import { canonicalJson, type JsonValue } from "../../domain/metering/index.ts";
import { type Currency, decimal, money, sumMoney } from "../../domain/money/index.ts";
import type { Tx } from "../database.ts";
import { invoice } from "../schema/billing.ts";
import { invoiceTax, type TaxLineJson, taxGiven } from "../schema/tax.ts";

export type StoredTax = typeof taxGiven.$inferSelect;

/** Names taxable lines: the same, exactly when they are. @param of what the invoice is for, such as `cycle/sub_1/2026-01-01T00:00:00.000Z` */
export function taxQuoteOf(of: string, basis: TaxBasis, parts: readonly TaxablePart[]): string {
  return createHash("sha256")
    .update(taxQuoteText(of, basis, parts))
    .digest("hex")
    .slice(0, 24);
}

/** What an invoice that closes periods is for, in the quotes of its tax: the same when it is billed anew. */
export function taxedInvoice(
  periods: readonly { readonly subscriptionId: string; readonly period: Period }[],
  closed: ClosedTogether,
): string {
  const first = periods[firstBilled(closed)];
  invariant(first, "an invoice is of a period");
  return `cycle/${cycleIdOf(first.subscriptionId, first.period, 0)}`;
}

/** The quote of an invoice's taxable lines as they follow from its facts, beside that of the tax that it was issued with. */
export function derivedTaxQuote(
  parts: readonly { readonly subscriptionId: string | null }[],
  facts: readonly PeriodFacts[],
  closed: ClosedTogether,
): { readonly taxQuote?: { readonly found: string; readonly kept: string } } {
  const periods = facts.map((each, place) => ({
    subscriptionId: parts[place]?.subscriptionId ?? "",
    ...each,
  }));
  const tax = periods.find((period) => period.tax !== undefined)?.tax;
  if (tax === undefined) return {};
  const { basis, quote: kept } = tax;
  const found = taxQuoteOf(taxedInvoice(periods, closed), basis, taxableParts(closed, basis));
  return { taxQuote: { found, kept } };
}

/** What was last given for a quote; undefined when nothing was. */
export async function findTaxGiven(
  tx: Tx,
  customerId: string,
  quote: string,
): Promise<StoredTax | undefined> {
  const [row] = await tx
    .select()
    .from(taxGiven)
    .where(and(eq(taxGiven.customerId, customerId), eq(taxGiven.quote, quote)))
    .orderBy(desc(taxGiven.number))
    .limit(1);
  return row;
}

/** As the domain knows it. */
export function taxOf({ id, quote, currency, lines }: StoredTax, basis: TaxBasis): GivenTax {
  return {
    id,
    quote,
    basis,
    lines: lines.map(({ rate, taxableMinor, amountMinor, ...line }) => ({
      ...line,
      rate: decimal(rate),
      taxable: money(BigInt(taxableMinor), currency),
      amount: money(BigInt(amountMinor), currency),
    })),
  };
}

export interface TaxToKeep {
  readonly id: string;
  readonly customerId: string;
  readonly quote: string;
  readonly currency: Currency;
  readonly lines: readonly GivenTaxLine[];
  readonly givenBy: string;
  readonly givenAt: Instant;
}

/** Keeps tax that was given; what says the same as the last of its quote is that. The caller holds the customer's lock. */
export async function keepTaxGiven(tx: Tx, { lines, ...tax }: TaxToKeep): Promise<StoredTax> {
  const toStore = lines.map(lineToJson);
  const before = await findTaxGiven(tx, tax.customerId, tax.quote);
  if (before !== undefined && isSame(before.lines, toStore)) return before;
  const sum = sumMoney(
    lines.map(({ amount }) => amount),
    tax.currency,
  );
  const row = { ...tax, lines: toStore, taxMinor: sum.amountMinor };
  const [stored] = await tx.insert(taxGiven).values(row).returning();
  return stored as StoredTax;
}

const isSame = (one: readonly TaxLineJson[], other: readonly TaxLineJson[]): boolean =>
  canonicalJson(one as unknown as JsonValue) === canonicalJson(other as unknown as JsonValue);

const lineToJson = ({ rate, taxable, amount, ...line }: GivenTaxLine): TaxLineJson => ({
  ...line,
  rate: rate.text,
  taxableMinor: taxable.amountMinor.toString(),
  amountMinor: amount.amountMinor.toString(),
});

/** Says with which tax an invoice was issued, also where that was none; in the transaction that issues it. */
export async function insertInvoiceTax(tx: Tx, invoiceId: string, { id, basis }: GivenTax): Promise<void> {
  await tx.insert(invoiceTax).values({ invoiceId, givenId: id, basis });
}

/** Whether an invoice that is not void was issued with it. */
export async function isTaxUsed(tx: Tx, { id }: StoredTax): Promise<boolean> {
  const [row] = await tx
    .select({ id: invoiceTax.invoiceId })
    .from(invoiceTax)
    .innerJoin(invoice, eq(invoice.id, invoiceTax.invoiceId))
    .where(and(eq(invoiceTax.givenId, id), ne(invoice.status, "void")))
    .limit(1);
  return row !== undefined;
}

/** What somebody is told whose invoice is to be issued at once, and wants tax. */
export const aheadOf = (customerId: string, quote: string): string =>
  `its tax is reckoned outside and not given: give it by PUT /v1/customers/${customerId}/tax-lines/${quote}, and ask again for the same`;

/** What an invoice is for that is issued at once, in the quotes of its tax. */
export const taxedAtOnce = {
  activation: (customerId: string) => `activation/${customerId}`,
  change: (subscriptionId: string) => `change/${subscriptionId}`,
  purchase: (customerId: string) => `credit_purchase/${customerId}`,
} as const;

import { createHash } from "node:crypto";
import { factsOfMeans } from "../db/billing/invoice-facts.ts";
import type { PartToStore } from "../db/billing/invoice-parts.ts";
import { type InvoiceToStore, statusAtIssue } from "../db/billing/invoices.ts";
import { type IssuedRows, insertIssued } from "../db/billing/issued-rows.ts";
import type { StoredSubscription } from "../db/billing/subscriptions.ts";
import { insertInvoiceTax } from "../db/billing/tax-given.ts";
import type { Tx } from "../db/database.ts";
import { type PostingResult, postEntries } from "../db/ledger/ledger.ts";
import { tellIfLow } from "../db/notices/low-credit.ts";
import { tellIssued } from "../db/notices/notices-of-facts.ts";
import type { CreditGrant } from "../domain/credits/index.ts";
import { invariant } from "../domain/errors.ts";
import { addUpInvoice, type GivenTax, invoiceEntries } from "../domain/invoicing/index.ts";
import type { JournalEntryDraft } from "../domain/ledger/index.ts";
import { currency, type Money } from "../domain/money/index.ts";

/** The outcome of something that may have issued an invoice, as workflows see it: ids and states. */
export interface Issued {
  readonly invoiceId: string | null;
  /** Whether there is something to be paid. */
  readonly collect: boolean;
}

export const nothingIssued: Issued = { invoiceId: null, collect: false };

/** An invoice's id is made from the fact behind it: whoever comes again, comes to the same one. */
export function invoiceIdOf(sourceKey: string): string {
  return `inv_${createHash("sha256").update(sourceKey).digest("hex").slice(0, 20)}`;
}

interface Besides extends Partial<Pick<IssuedRows, "runs" | "seller" | "movedOn">> {
  /** Where credit may pay a part of it: the customer's grants, with what it leaves of each. */
  readonly creditLeft?: readonly CreditGrant[];
}

/** Stores an invoice and posts its entries, in the caller's transaction. */
export async function issueInvoice(
  tx: Tx,
  invoice: InvoiceToStore,
  entries: readonly JournalEntryDraft[],
  { creditLeft = [], ...besides }: Besides = {},
): Promise<Issued> {
  // What is told is asked first: others wait for their number from when this one has been taken until the transaction ends.
  await Promise.all([
    tellIfLow(tx, invoice, creditLeft),
    tellIssued(tx, invoice),
    storeIssued(tx, { runs: [], ...besides, invoice, entries }),
  ]);
  return { invoiceId: invoice.id, collect: statusAtIssue(invoice.totals) === "open" };
}

/** Stores what is written together, and requires that its entries are news: see {@link book}. */
export async function storeIssued(tx: Tx, toStore: IssuedRows): Promise<void> {
  requireCreated(toStore.entries, await insertIssued(tx, toStore));
}

interface LinesToIssue
  extends Pick<InvoiceToStore, "sourceKey" | "kind" | "issuedAt">,
    Pick<PartToStore, "period" | "lines"> {}

/** What a subscription's lines come to as an invoice; no credits, which pay for usage only. */
export async function issueLines(
  tx: Tx,
  { id: subscriptionId, customerId, currency: code }: StoredSubscription,
  { period, lines: given, ...invoice }: LinesToIssue,
  customerBalance: Money,
  tax: GivenTax | null,
): Promise<Issued> {
  if (given.length === 0) return nothingIssued;
  const id = invoiceIdOf(invoice.sourceKey);
  const inCurrency = currency(code);
  const { issuedAt } = invoice;
  const known = { grants: [], customerBalance, currency: inCurrency, asOf: issuedAt };
  const means = { ...known, ...(tax === null ? {} : { tax }) };
  const { lines, totals } = addUpInvoice(given, means);
  const part = { subscriptionId, period, lines, facts: factsOfMeans(means) };
  const identity = { invoiceId: id, customerId, currency: inCurrency, issuedAt };
  const entries = invoiceEntries(identity, [part], totals);
  const issued = await issueInvoice(tx, { ...invoice, totals, id, customerId, parts: [part] }, entries);
  if (tax !== null) await insertInvoiceTax(tx, id, tax);
  return issued;
}

/**
 * Posts entries that must be news, because the rows they go with are. Anything else is a bug or a broken floor, and
 * takes the whole transaction back.
 */
export async function book(tx: Tx, entries: readonly JournalEntryDraft[]): Promise<void> {
  requireCreated(entries, await postEntries(tx, entries));
}

function requireCreated(entries: readonly JournalEntryDraft[], results: readonly PostingResult[]): void {
  for (const [index, result] of results.entries()) {
    const entry = entries[index];
    invariant(
      result.status === "created",
      `entry ${entry?.sourceKey} (${entry?.kind}) is new and allowed, but was: ${result.status}`,
    );
  }
}

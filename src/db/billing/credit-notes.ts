import { and, asc, desc, eq, inArray } from "drizzle-orm";
import type { ReasonCode } from "../../domain/adjustments/index.ts";
import type { Instant } from "../../domain/calendar/index.ts";
import { invariant } from "../../domain/errors.ts";
import {
  type CreditableInvoice,
  type CreditDestination,
  type CreditedLine,
  type PlannedCreditNote,
  taxOfLine,
} from "../../domain/invoicing/index.ts";
import { currency, exactOfLedgerAmount, ledgerAmount, type Money, money } from "../../domain/money/index.ts";
import type { Tx } from "../database.ts";
import { availableBalances } from "../ledger/ledger.ts";
import { type NewestFirst, olderThan, type Page, type PageRequest, pageOf, rowsToRead } from "../page.ts";
import {
  type CreditNoteOutcome,
  type CreditNoteStatus,
  creditNote,
  creditNoteDecision,
  creditNoteLine,
  creditNoteRequest,
  creditNoteStanding,
} from "../schema/invoice-documents.ts";
import { accountOfGrant, findGrantOfInvoice } from "./credit-grants.ts";
import { nextNumber } from "./document-numbers.ts";
import { lineOfRow, linesOfInvoice, type StoredInvoice } from "./invoices.ts";
import { refundablePayments } from "./refunds.ts";

export type { CreditNoteOutcome, CreditNoteStatus };
export type StoredCreditNote = typeof creditNoteStanding.$inferSelect;
export type StoredCreditNoteLine = typeof creditNoteLine.$inferSelect;

export interface CreditNoteToRequest {
  readonly id: string;
  readonly invoice: StoredInvoice;
  readonly lines: readonly CreditedLine[];
  readonly total: Money;
  readonly destination: CreditDestination;
  readonly reasonCode: ReasonCode;
  readonly reason: string | null;
  readonly requestedBy: string;
  readonly requestedAt: Instant;
  /** Null: in this currency somebody else must always agree. */
  readonly approvalLimit: Money | null;
  /** The end of a subscription that gives unused time back by it. */
  readonly subscriptionId?: string;
  readonly changeId?: string;
}

/** Writes down what is asked for; the database says whether it needs somebody else. The caller holds the customer's lock. */
export async function insertCreditNoteRequest(tx: Tx, asked: CreditNoteToRequest): Promise<StoredCreditNote> {
  const { id, invoice, lines, total, approvalLimit, ...rest } = asked;
  await tx.insert(creditNoteRequest).values({
    ...rest,
    id,
    invoiceId: invoice.id,
    customerId: invoice.customerId,
    currency: invoice.currency,
    totalMinor: total.amountMinor,
    approvalLimitMinor: approvalLimit?.amountMinor ?? null,
  });
  await tx.insert(creditNoteLine).values(
    lines.map(({ line, amount }) => ({
      creditNoteId: id,
      invoiceId: invoice.id,
      line,
      amountMinor: amount.amountMinor,
    })),
  );
  const stored = await findCreditNote(tx, id);
  invariant(stored, "what was written down is there");
  return stored;
}

/** Gives a note its number; the caller books it in the same transaction. */
export async function insertCreditNote(
  tx: Tx,
  { id, customerId }: StoredCreditNote,
  { lowersDue, toBalance, toRefund }: PlannedCreditNote,
  issued: { readonly issuedBy: string; readonly issuedAt: Instant },
): Promise<void> {
  const numbered = await nextNumber(tx, "credit_note", { customerId, issuedAt: issued.issuedAt });
  const amounts = {
    lowersDueMinor: lowersDue.amountMinor,
    toBalanceMinor: toBalance.amountMinor,
    toRefundMinor: toRefund.amountMinor,
  };
  await tx.insert(creditNote).values({ id, ...numbered, ...amounts, ...issued });
}

export async function insertCreditNoteDecision(
  tx: Tx,
  decision: typeof creditNoteDecision.$inferInsert,
): Promise<void> {
  await tx.insert(creditNoteDecision).values(decision);
}

export async function findCreditNote(tx: Tx, id: string): Promise<StoredCreditNote | undefined> {
  const [row] = await tx.select().from(creditNoteStanding).where(eq(creditNoteStanding.id, id));
  return row;
}

export async function linesOfCreditNote(tx: Tx, id: string): Promise<StoredCreditNoteLine[]> {
  return await tx
    .select()
    .from(creditNoteLine)
    .where(eq(creditNoteLine.creditNoteId, id))
    .orderBy(asc(creditNoteLine.line));
}

export interface CreditNoteFilter {
  readonly invoiceId?: string | undefined;
  readonly customerId?: string | undefined;
  readonly status?: CreditNoteStatus | undefined;
}

export async function listCreditNotes(
  tx: Tx,
  { invoiceId, customerId, status }: CreditNoteFilter,
  page: PageRequest<NewestFirst>,
): Promise<Page<StoredCreditNote, NewestFirst>> {
  const standing = creditNoteStanding;
  const found = await tx
    .select()
    .from(standing)
    .where(
      and(
        invoiceId === undefined ? undefined : eq(standing.invoiceId, invoiceId),
        customerId === undefined ? undefined : eq(standing.customerId, customerId),
        status === undefined ? undefined : eq(standing.status, status),
        olderThan(standing.requestedAt, standing.id, page.after),
      ),
    )
    .orderBy(desc(standing.requestedAt), desc(standing.id))
    .limit(rowsToRead(page));
  return pageOf(found, page, ({ requestedAt, id }) => ({ at: requestedAt, id }));
}

export interface IssuedCreditNote {
  readonly number: string;
  readonly issuedAt: Instant;
  readonly totalMinor: bigint;
}

/** The notes of an invoice that are issued, the oldest first. */
export async function issuedCreditNotes(tx: Tx, invoiceId: string): Promise<IssuedCreditNote[]> {
  const found = await tx
    .select()
    .from(creditNoteStanding)
    .where(and(eq(creditNoteStanding.invoiceId, invoiceId), eq(creditNoteStanding.status, "issued")))
    .orderBy(asc(creditNoteStanding.issuedAt), asc(creditNoteStanding.number));
  return found.flatMap(({ number, issuedAt, totalMinor }) =>
    number === null || issuedAt === null ? [] : [{ number, issuedAt, totalMinor }],
  );
}

/** What the issued notes of an invoice took of what was due, in the order in which they did. */
export async function lowerings(
  tx: Tx,
  invoiceId: string,
): Promise<{ readonly creditNoteId: string; readonly lowersDueMinor: bigint }[]> {
  const found = await tx
    .select({ creditNoteId: creditNote.id, lowersDueMinor: creditNote.lowersDueMinor })
    .from(creditNote)
    .innerJoin(creditNoteRequest, eq(creditNoteRequest.id, creditNote.id))
    .where(eq(creditNoteRequest.invoiceId, invoiceId))
    .orderBy(asc(creditNote.issuedAt), asc(creditNote.number));
  return found.filter(({ lowersDueMinor }) => lowersDueMinor > 0n);
}

/** An invoice as a credit note meets it, with what notes have taken: those that are issued, and those that wait. */
export async function creditableInvoice(tx: Tx, invoice: StoredInvoice): Promise<CreditableInvoice> {
  const of = (amount: bigint) => money(amount, invoice.currency);
  const taken = await tx
    .select({ line: creditNoteLine.line, amount: creditNoteLine.amountMinor })
    .from(creditNoteLine)
    .innerJoin(creditNoteStanding, eq(creditNoteStanding.id, creditNoteLine.creditNoteId))
    .where(
      and(
        eq(creditNoteLine.invoiceId, invoice.id),
        inArray(creditNoteStanding.status, ["issued", "approved", "pending_approval"]),
      ),
    );
  const lines = await linesOfInvoice(tx, invoice.id);
  const isPurchase = lines.some(({ kind }) => kind === "credit_purchase");
  const boughtCredit = isPurchase ? await unusedCreditOf(tx, invoice) : undefined;
  return {
    ...(boughtCredit === undefined ? {} : { boughtCredit }),
    status: invoice.status,
    currency: currency(invoice.currency),
    total: of(invoice.totalMinor),
    paid: of(invoice.amountPaidMinor),
    balanceApplied: of(invoice.balanceAppliedMinor),
    lowered: of(invoice.creditedMinor),
    payments: await refundablePayments(tx, invoice),
    isBeingVoided: invoice.voidingSince !== null,
    lines: lines.map((row) => {
      const { line, kind } = row;
      const { amount, detail } = lineOfRow(row, invoice.currency);
      const credited = of(taken.reduce((sum, each) => (each.line === line ? sum + each.amount : sum), 0n));
      return { line, kind, amount, credited, tax: taxOfLine({ kind, amount, detail }) };
    }),
  };
}

/** What is left of credits that were bought, in whole minor units: less what was spent, set aside, or has expired. */
async function unusedCreditOf(tx: Tx, invoice: StoredInvoice): Promise<CreditableInvoice["boughtCredit"]> {
  const grant = await findGrantOfInvoice(tx, invoice.id);
  if (grant === undefined || invoice.status !== "paid") return undefined;
  const [balance] = await availableBalances(tx, [accountOfGrant(grant)]);
  const exact = exactOfLedgerAmount(balance?.available ?? ledgerAmount(0n));
  return { grantId: grant.id, unused: money(exact.rounded(0, "down").toBigInt(), invoice.currency) };
}

import { and, desc, eq, isNull, type SQL } from "drizzle-orm";
import type { ReasonCode } from "../../domain/adjustments/index.ts";
import type { Instant } from "../../domain/calendar/index.ts";
import { type LedgerAmount, ledgerAmount } from "../../domain/money/index.ts";
import type { Tx } from "../database.ts";
import { adjustmentsOfGrants, type StoredAdjustment } from "../ledger/adjustments.ts";
import { availableBalances } from "../ledger/ledger.ts";
import { type NewestFirst, olderThan, type Page, type PageRequest, pageOf, rowsToRead } from "../page.ts";
import { type InvoiceStatus, invoice } from "../schema/billing.ts";
import { creditGrant, creditGrantEnd } from "../schema/credit-grants.ts";
import { accountOfGrant, type StoredGrant } from "./credit-grants.ts";
import type { StoredInvoice } from "./invoices.ts";

/** What the API shows and nothing else needs. */

export interface InvoiceFilter {
  readonly customerId?: string | undefined;
  readonly status?: InvoiceStatus | undefined;
}

export async function listInvoices(
  tx: Tx,
  { customerId, status }: InvoiceFilter,
  page: PageRequest<NewestFirst>,
): Promise<Page<StoredInvoice, NewestFirst>> {
  const found = await tx
    .select()
    .from(invoice)
    .where(
      and(
        customerId === undefined ? undefined : eq(invoice.customerId, customerId),
        status === undefined ? undefined : eq(invoice.status, status),
        olderThan(invoice.issuedAt, invoice.id, page.after),
      ),
    )
    .orderBy(desc(invoice.issuedAt), desc(invoice.id))
    .limit(rowsToRead(page));
  return pageOf(found, page, ({ issuedAt, id }) => ({ at: issuedAt, id }));
}

export interface CreditGrantStanding extends StoredGrant {
  /** What the ledger says is left; zero before the invoice it was bought with is paid. */
  readonly remaining: LedgerAmount;
  /** What is left and not reserved by running requests. */
  readonly available: LedgerAmount;
  /** Of the invoice it was bought with; null for credit that was given. */
  readonly invoiceStatus: InvoiceStatus | null;
  /** Why it was given; null for credit that was bought. */
  readonly reasonCode: ReasonCode | null;
  /** What adjustments have added; negative: what they have taken. Without the void. */
  readonly adjusted: LedgerAmount;
  /** When it was voided; null when it was not. */
  readonly voidedAt: Instant | null;
  /** What was left of it when it ran out of time; null when it has not, or may still be drawn on for usage from before. */
  readonly ended: typeof creditGrantEnd.$inferSelect | null;
}

export async function findCreditGrant(tx: Tx, id: string): Promise<CreditGrantStanding | undefined> {
  const [found] = await grantsWhere(tx, eq(creditGrant.id, id), 1);
  return found;
}

export async function listCreditGrants(
  tx: Tx,
  customerId: string,
  page: PageRequest<NewestFirst>,
): Promise<Page<CreditGrantStanding, NewestFirst>> {
  const older = olderThan(creditGrant.createdAt, creditGrant.id, page.after);
  const found = await grantsWhere(tx, and(eq(creditGrant.customerId, customerId), older), rowsToRead(page));
  return pageOf(found, page, ({ createdAt, id }) => ({ at: createdAt, id }));
}

/** All of a customer's grants that have not ended and were not voided, paid for or not. */
export async function openGrantsOfCustomer(tx: Tx, customerId: string): Promise<CreditGrantStanding[]> {
  const found = await grantsWhere(
    tx,
    and(eq(creditGrant.customerId, customerId), isNull(creditGrantEnd.grantId)),
  );
  return found.filter(({ voidedAt }) => voidedAt === null);
}

async function grantsWhere(
  tx: Tx,
  condition: SQL | undefined,
  limit = 10_000,
): Promise<CreditGrantStanding[]> {
  const found = await tx
    .select({ grant: creditGrant, invoiceStatus: invoice.status, ended: creditGrantEnd })
    .from(creditGrant)
    .leftJoin(invoice, eq(invoice.id, creditGrant.invoiceId))
    .leftJoin(creditGrantEnd, eq(creditGrantEnd.grantId, creditGrant.id))
    .where(condition)
    .orderBy(desc(creditGrant.createdAt), desc(creditGrant.id))
    .limit(limit);
  const grants = found.map(({ grant }) => grant);
  const balances = await availableBalances(tx, grants.map(accountOfGrant));
  const adjustments = await adjustmentsOfGrants(
    tx,
    grants.map(({ id }) => id),
  );
  const byGrant = Map.groupBy(adjustments, ({ grantId }) => grantId);
  return found.map(({ grant, invoiceStatus, ended }, index) => ({
    ...grant,
    remaining: balances[index]?.balance ?? ledgerAmount(0n),
    available: balances[index]?.available ?? ledgerAmount(0n),
    invoiceStatus,
    ended,
    ...correctionsOf(byGrant.get(grant.id) ?? []),
  }));
}

function correctionsOf(
  adjustments: readonly StoredAdjustment[],
): Pick<CreditGrantStanding, "reasonCode" | "adjusted" | "voidedAt"> {
  const changes = adjustments.filter(({ kind }) => kind === "adjust_grant").map(({ change }) => change);
  return {
    reasonCode: adjustments.find(({ kind }) => kind === "grant_credit")?.reasonCode ?? null,
    adjusted: ledgerAmount(changes.reduce((sum, change) => sum + change, 0n)),
    voidedAt: adjustments.find(({ kind }) => kind === "void_grant")?.effectiveAt ?? null,
  };
}

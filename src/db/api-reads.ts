import { and, desc, eq, type SQL } from "drizzle-orm";
import { type AccountRef, prepaidCredits, promotionalCredits } from "../domain/ledger/index.ts";
import { currency, type LedgerAmount, ledgerAmount } from "../domain/money/index.ts";
import type { StoredGrant } from "./credit-grants.ts";
import type { Tx } from "./database.ts";
import type { StoredInvoice } from "./invoices.ts";
import { accountBalances } from "./ledger.ts";
import { type NewestFirst, olderThan, type Page, type PageRequest, pageOf, rowsToRead } from "./page.ts";
import { creditGrant, type InvoiceStatus, invoice } from "./schema/billing.ts";

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
  /** What the ledger says can be spent; zero before the invoice it was bought with is paid. */
  readonly remaining: LedgerAmount;
  /** Of the invoice it was bought with; null for credit that was given. */
  readonly invoiceStatus: InvoiceStatus | null;
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

async function grantsWhere(
  tx: Tx,
  condition: SQL | undefined,
  limit: number,
): Promise<CreditGrantStanding[]> {
  const found = await tx
    .select({ grant: creditGrant, invoiceStatus: invoice.status })
    .from(creditGrant)
    .leftJoin(invoice, eq(invoice.id, creditGrant.invoiceId))
    .where(condition)
    .orderBy(desc(creditGrant.createdAt), desc(creditGrant.id))
    .limit(limit);
  const balances = await accountBalances(
    tx,
    found.map(({ grant }) => accountOf(grant)),
  );
  return found.map(({ grant, invoiceStatus }, index) => {
    return { ...grant, remaining: balances[index] ?? ledgerAmount(0n), invoiceStatus };
  });
}

function accountOf({ id, customerId, kind, currency: code }: StoredGrant): AccountRef {
  return (kind === "paid" ? prepaidCredits : promotionalCredits)(customerId, id, currency(code));
}

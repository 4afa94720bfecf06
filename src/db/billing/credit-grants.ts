import { and, asc, eq } from "drizzle-orm";
import type { CreditGrant } from "../../domain/credits/index.ts";
import { type AccountRef, creditsOfGrant } from "../../domain/ledger/index.ts";
import { currency, ledgerAmount } from "../../domain/money/index.ts";
import { sql, type Tx } from "../database.ts";
import { availableBalances } from "../ledger/ledger.ts";
import { adjustmentStanding } from "../schema/adjustments.ts";
import { creditGrant } from "../schema/billing.ts";

export type StoredGrant = typeof creditGrant.$inferSelect;

export async function insertGrant(tx: Tx, row: typeof creditGrant.$inferInsert): Promise<void> {
  await tx.insert(creditGrant).values(row).onConflictDoNothing();
}

export async function findGrant(tx: Tx, id: string): Promise<StoredGrant | undefined> {
  const [row] = await tx.select().from(creditGrant).where(eq(creditGrant.id, id));
  return row;
}

export async function findGrantOfInvoice(tx: Tx, invoiceId: string): Promise<StoredGrant | undefined> {
  const [row] = await tx.select().from(creditGrant).where(eq(creditGrant.invoiceId, invoiceId));
  return row;
}

/**
 * A customer's grants with what can be spent of each: nothing of an unpaid one, nothing that running requests have
 * reserved. Those that were voided are left out: they cannot be spent again, whatever should come to be in their account.
 */
export async function grantsOfCustomer(tx: Tx, customerId: string): Promise<CreditGrant[]> {
  const stored = await tx
    .select()
    .from(creditGrant)
    .where(
      and(
        eq(creditGrant.customerId, customerId),
        sql`not exists (select from ${adjustmentStanding} as voiding where voiding.grant_id = ${creditGrant.id}
          and voiding.kind = 'void_grant' and voiding.status = 'executed')`,
      ),
    )
    .orderBy(asc(creditGrant.createdAt), asc(creditGrant.id));
  const balances = await availableBalances(tx, stored.map(accountOfGrant));
  return stored.map((row, index) => {
    const { id, kind, priority, effectiveAt, expiresAt, createdAt } = row;
    const remaining = balances[index]?.available ?? ledgerAmount(0n);
    return {
      id,
      kind,
      priority,
      effectiveAt,
      expiresAt,
      createdAt,
      currency: currency(row.currency),
      remaining,
    };
  });
}

/** Where the ledger keeps what is left of a grant. */
export function accountOfGrant({ kind, customerId, id, currency: code }: StoredGrant): AccountRef {
  return creditsOfGrant(kind, customerId, id, currency(code));
}

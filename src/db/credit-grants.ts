import { asc, eq } from "drizzle-orm";
import type { CreditGrant } from "../domain/credits/index.ts";
import { prepaidCredits, promotionalCredits } from "../domain/ledger/index.ts";
import { currency } from "../domain/money/index.ts";
import type { Tx } from "./database.ts";
import { accountBalance } from "./ledger.ts";
import { creditGrant } from "./schema/billing.ts";

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

/** A customer's grants with what the ledger says is left of each; an unpaid one has nothing to spend. */
export async function grantsOfCustomer(tx: Tx, customerId: string): Promise<CreditGrant[]> {
  const stored = await tx
    .select()
    .from(creditGrant)
    .where(eq(creditGrant.customerId, customerId))
    .orderBy(asc(creditGrant.createdAt), asc(creditGrant.id));
  const grants: CreditGrant[] = [];
  for (const row of stored) {
    const of = row.kind === "paid" ? prepaidCredits : promotionalCredits;
    const grantCurrency = currency(row.currency);
    const remaining = await accountBalance(tx, of(customerId, row.id, grantCurrency));
    const { id, kind, priority, effectiveAt, expiresAt, createdAt } = row;
    grants.push({
      id,
      kind,
      priority,
      effectiveAt,
      expiresAt,
      createdAt,
      currency: grantCurrency,
      remaining,
    });
  }
  return grants;
}

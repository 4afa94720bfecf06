import { and, asc, eq, getTableColumns, inArray, isNotNull } from "drizzle-orm";
import type { CreditGrant } from "../../domain/credits/index.ts";
import { type AccountRef, creditsOfGrant } from "../../domain/ledger/index.ts";
import {
  currency,
  type LedgerAmount,
  ledgerAmount,
  ledgerAmountOfMoney,
  money,
} from "../../domain/money/index.ts";
import { arrayLiteral } from "../array-literal.ts";
import { askedTogether } from "../asked-together.ts";
import { sql, type Tx } from "../database.ts";
import { availableBalances } from "../ledger/ledger.ts";
import { adjustmentStanding } from "../schema/adjustments.ts";
import { creditGrant, creditGrantEnd } from "../schema/credit-grants.ts";

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

const isVoided = sql`exists (select from ${adjustmentStanding} as voiding where voiding.grant_id = ${creditGrant.id}
  and voiding.kind = 'void_grant' and voiding.status = 'executed')`;
const isEnded = sql`exists (select from ${creditGrantEnd} as ended where ended.grant_id = ${creditGrant.id})`;

/**
 * A customer's grants with what can be spent of each: nothing of an unpaid one, nothing that running requests have
 * reserved. Those that were voided or have ended are left out: they cannot be spent again, whatever should come to be in
 * their account. One that has expired is among them as long as usage from before that may still be billed. Asked of many
 * customers at once.
 */
export const grantsOfCustomer = askedTogether(
  async (tx: Tx, customerIds: readonly string[]): Promise<CreditGrant[][]> => {
    const stored = await tx
      .select({ ...getTableColumns(creditGrant), heldBy: heldBy.mapWith(BigInt) })
      .from(creditGrant)
      .where(
        and(
          sql`${creditGrant.customerId} = any (${arrayLiteral(customerIds)}::text[])`,
          sql`not ${isVoided} and not ${isEnded}`,
        ),
      )
      .orderBy(asc(creditGrant.createdAt), asc(creditGrant.id));
    const balances = await availableBalances(tx, stored.map(accountOfGrant));
    const placed = stored.map((row, place) => ({ row, available: balances[place]?.available }));
    const found = Map.groupBy(placed, ({ row }) => row.customerId);
    return customerIds.map((id) => (found.get(id) ?? []).map(grantOf));
  },
);

const heldBy = sql<bigint | null>`billing.holder_of(${creditGrant.id}, ${creditGrant.recurringGrantId})`;

function grantOf({
  row,
  available,
}: {
  readonly row: StoredGrant & { readonly heldBy: bigint | null };
  readonly available: LedgerAmount | undefined;
}): CreditGrant {
  const { id, kind, priority, effectiveAt, expiresAt, createdAt, scope } = row;
  return {
    id,
    kind,
    priority,
    effectiveAt,
    expiresAt,
    createdAt,
    currency: currency(row.currency),
    remaining: available ?? ledgerAmount(0n),
    ...(scope === null ? {} : { scope }),
    ...(row.rolledOverFrom === null ? {} : { isRollover: true }),
    ...(row.heldBy === null ? {} : { heldBy: row.heldBy }),
  };
}

/** Of these grants those that are over: voided, or ended. */
export async function endedGrants(tx: Tx, ids: readonly string[]): Promise<ReadonlySet<string>> {
  if (ids.length === 0) return new Set();
  const found = await tx
    .select({ id: creditGrant.id })
    .from(creditGrant)
    .where(and(inArray(creditGrant.id, [...ids]), sql`(${isVoided} or ${isEnded})`));
  return new Set(found.map(({ id }) => id));
}

export async function insertGrantEnd(tx: Tx, row: typeof creditGrantEnd.$inferInsert): Promise<void> {
  await tx.insert(creditGrantEnd).values(row);
}

/** What went over from a recurring grant's times and has not ended, the oldest first, with what is left of each. */
export async function openRollovers(
  tx: Tx,
  recurringGrantId: string,
): Promise<{ readonly grant: StoredGrant; readonly held: LedgerAmount; readonly available: LedgerAmount }[]> {
  const stored = await tx
    .select()
    .from(creditGrant)
    .where(
      and(
        eq(creditGrant.recurringGrantId, recurringGrantId),
        isNotNull(creditGrant.rolledOverFrom),
        sql`not ${isVoided} and not ${isEnded}`,
      ),
    )
    .orderBy(asc(creditGrant.occurrence), asc(creditGrant.id));
  const balances = await availableBalances(tx, stored.map(accountOfGrant));
  return stored.map((grant, index) => ({
    grant,
    held: balances[index]?.balance ?? ledgerAmount(0n),
    available: balances[index]?.available ?? ledgerAmount(0n),
  }));
}

/** What a grant began with. */
export function amountOfGrant({ amountMinor, amountFraction, currency: code }: StoredGrant): LedgerAmount {
  return ledgerAmount(ledgerAmountOfMoney(money(amountMinor, code)) + amountFraction);
}

/** Where the ledger keeps what is left of a grant. */
export function accountOfGrant({
  kind,
  customerId,
  id,
  currency: code,
}: Pick<StoredGrant, "kind" | "customerId" | "id" | "currency">): AccountRef {
  return creditsOfGrant(kind, customerId, id, currency(code));
}

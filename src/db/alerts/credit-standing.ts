import { and, eq, inArray, isNull, or } from "drizzle-orm";
import { creditLeft } from "../../domain/alerts/index.ts";
import type { Instant } from "../../domain/calendar/index.ts";
import { type LedgerAmount, ledgerAmount, sumLedger } from "../../domain/money/index.ts";
import { amountOfGrant } from "../billing/credit-grants.ts";
import type { Tx } from "../database.ts";
import type { SpendingReader } from "../entitlements/spending.ts";
import { invoice } from "../schema/billing.ts";
import { creditGrant } from "../schema/credit-grants.ts";

/** All credit of a customer that is in force and paid for. */
export interface CreditStanding {
  /** What it began with. */
  readonly granted: LedgerAmount;
  /** What can be spent of it, less what usage that is not billed yet will draw. */
  readonly left: LedgerAmount;
}

export async function creditStanding(
  tx: Tx,
  spending: SpendingReader,
  now: Instant,
): Promise<CreditStanding> {
  const left = creditLeft(await spending.means(), now);
  if (left.size === 0) return { granted: ledgerAmount(0n), left: ledgerAmount(0n) };
  const funded = await tx
    .select({ grant: creditGrant })
    .from(creditGrant)
    .leftJoin(invoice, eq(invoice.id, creditGrant.invoiceId))
    .where(
      and(
        inArray(creditGrant.id, [...left.keys()]),
        or(isNull(creditGrant.invoiceId), eq(invoice.status, "paid")),
      ),
    );
  return {
    granted: ledgerAmount(sumLedger(funded.map(({ grant }) => amountOfGrant(grant)))),
    left: ledgerAmount(sumLedger([...left.values()])),
  };
}

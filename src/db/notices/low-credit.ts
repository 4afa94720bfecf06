import { and, eq, isNull, or } from "drizzle-orm";
import type { Instant } from "../../domain/calendar/index.ts";
import type { CreditGrant } from "../../domain/credits/index.ts";
import type { InvoiceTotals } from "../../domain/invoicing/index.ts";
import { sumLedger } from "../../domain/money/index.ts";
import { isLow } from "../../domain/notices/index.ts";
import { arrayLiteral } from "../array-literal.ts";
import { askedTogether } from "../asked-together.ts";
import { amountOfGrant } from "../billing/credit-grants.ts";
import { sql, type Tx } from "../database.ts";
import { invoice } from "../schema/billing.ts";
import { creditGrant } from "../schema/credit-grants.ts";
import { enqueueNotice } from "./enqueue-notice.ts";

const unitsPerMinor = 100_000_000n;

/** An invoice that credit may have paid a part of. */
interface Drawing {
  readonly customerId: string;
  readonly totals: Pick<InvoiceTotals, "draws" | "total">;
  readonly issuedAt: Instant;
}

/**
 * Tells a customer whose credit is drawn on when little is left of all that can be spent; once for each time that credit was
 * added. In the transaction that draws.
 * @param left the customer's grants, with what the invoice leaves of each
 */
export async function tellIfLow(
  tx: Tx,
  { customerId, totals, issuedAt: asOf }: Drawing,
  left: readonly CreditGrant[],
): Promise<void> {
  if (totals.draws.length === 0) return;
  const { currency } = totals.total;
  const open = left.filter(
    (grant) =>
      grant.currency === currency &&
      grant.effectiveAt <= asOf &&
      (grant.expiresAt === null || grant.expiresAt > asOf),
  );
  const ids = open.map(({ id }) => id);
  if (ids.length === 0) return;
  const stored = await spendableOf(tx, ids);
  const newest = stored.at(-1);
  const remaining = sumLedger(open.map((grant) => grant.remaining));
  const granted = sumLedger(stored.map(amountOfGrant));
  if (newest === undefined || !isLow(remaining, granted)) return;
  await enqueueNotice(tx, {
    key: `credits-low/${customerId}/${currency}/${newest.id}`,
    kind: "credits.low",
    customerId,
    subject: {
      currency,
      remainingMinor: (remaining / unitsPerMinor).toString(),
      grantedMinor: (granted / unitsPerMinor).toString(),
    },
    occurredAt: asOf,
  });
}

/** Those of some grants that cost nothing or were paid for, the newest last. Asked of many customers' at once. */
const spendableOf = askedTogether(async (tx: Tx, asked: readonly (readonly string[])[]) => {
  const found = await tx
    .select({ grant: creditGrant })
    .from(creditGrant)
    .leftJoin(invoice, eq(invoice.id, creditGrant.invoiceId))
    .where(
      and(
        sql`${creditGrant.id} = any (${arrayLiteral(asked.flat())}::text[])`,
        or(isNull(creditGrant.invoiceId), eq(invoice.status, "paid")),
      ),
    )
    .orderBy(creditGrant.createdAt, creditGrant.id);
  return asked.map((ids) => found.flatMap(({ grant }) => (ids.includes(grant.id) ? [grant] : [])));
});

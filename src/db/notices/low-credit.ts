import { and, eq, inArray, isNull, or } from "drizzle-orm";
import type { Instant } from "../../domain/calendar/index.ts";
import type { InvoiceTotals } from "../../domain/invoicing/index.ts";
import { sumLedger } from "../../domain/money/index.ts";
import { isLow } from "../../domain/notices/index.ts";
import { amountOfGrant, grantsOfCustomer } from "../billing/credit-grants.ts";
import type { Tx } from "../database.ts";
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
 * Tells a customer whose credit has just been drawn on when little is left of all that can be spent; once for each time that
 * credit was added. In the transaction that drew, after it was posted.
 */
export async function tellIfLow(tx: Tx, { customerId, totals, issuedAt: asOf }: Drawing): Promise<void> {
  if (totals.draws.length === 0) return;
  const { currency } = totals.total;
  const open = (await grantsOfCustomer(tx, customerId)).filter(
    (grant) =>
      grant.currency === currency &&
      grant.effectiveAt <= asOf &&
      (grant.expiresAt === null || grant.expiresAt > asOf),
  );
  const ids = open.map(({ id }) => id);
  if (ids.length === 0) return;
  const stored = await tx
    .select({ grant: creditGrant })
    .from(creditGrant)
    .leftJoin(invoice, eq(invoice.id, creditGrant.invoiceId))
    .where(and(inArray(creditGrant.id, ids), or(isNull(creditGrant.invoiceId), eq(invoice.status, "paid"))))
    .orderBy(creditGrant.createdAt, creditGrant.id);
  const newest = stored.at(-1)?.grant;
  const remaining = sumLedger(open.map((grant) => grant.remaining));
  const granted = sumLedger(stored.map(({ grant }) => amountOfGrant(grant)));
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

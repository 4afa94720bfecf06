import { and, asc, eq, gte, inArray, lt, ne } from "drizzle-orm";
import type { Instant, Period } from "../../domain/calendar/index.ts";
import type { RecordedDraw, ReturnedDraw } from "../../domain/invoicing/index.ts";
import { type LedgerAmount, ledgerAmount } from "../../domain/money/index.ts";
import { sql, type Tx } from "../database.ts";
import { invoice, invoiceLine } from "../schema/billing.ts";
import { creditDraw, creditGrant, creditReturn } from "../schema/credit-grants.ts";
import { invoicePart } from "../schema/invoice-documents.ts";
import { endedGrants } from "./credit-grants.ts";
import { isLineOfPart } from "./invoice-parts.ts";

/** A draw of an invoice's line with what is left of it after returns. */
export interface StoredDraw extends RecordedDraw {
  /** Before anything went back. */
  readonly drawn: LedgerAmount;
  readonly drawnAt: Instant;
}

/** What credit paid of the usage of a subscription's period, less what went back, in the order in which it was drawn. */
export async function drawsOfPeriod(
  tx: Tx,
  subscriptionId: string,
  period: Period,
  asOf: Instant,
): Promise<StoredDraw[]> {
  return await drawsWhere(
    tx,
    and(
      eq(invoicePart.subscriptionId, subscriptionId),
      ne(invoice.status, "void"),
      inArray(invoiceLine.kind, ["usage", "late_usage"]),
      // What was billed before the period was cut short ends behind its end.
      gte(invoiceLine.periodStart, period.start),
      lt(invoiceLine.periodStart, period.end),
    ),
    asOf,
  );
}

/** What credit paid of an invoice, less what went back, in the order in which it was drawn. */
export async function drawsOfInvoice(tx: Tx, invoiceId: string, asOf: Instant): Promise<StoredDraw[]> {
  return await drawsWhere(tx, eq(invoice.id, invoiceId), asOf);
}

/** What was drawn from a grant, less what went back to it or beyond, the oldest first. */
export async function drawsOfGrant(tx: Tx, grantId: string, asOf: Instant): Promise<StoredDraw[]> {
  return await drawsWhere(tx, eq(creditDraw.grantId, grantId), asOf);
}

async function drawsWhere(tx: Tx, condition: ReturnType<typeof and>, asOf: Instant): Promise<StoredDraw[]> {
  const returned = sql<string>`coalesce((select sum(${creditReturn.amount}) from ${creditReturn}
    where ${creditReturn.invoiceId} = ${creditDraw.invoiceId} and ${creditReturn.position} = ${creditDraw.position}), 0)::text`;
  const found = await tx
    .select({ draw: creditDraw, line: invoiceLine, grant: creditGrant, returned })
    .from(creditDraw)
    .innerJoin(invoice, eq(invoice.id, creditDraw.invoiceId))
    .innerJoin(
      invoiceLine,
      and(eq(invoiceLine.invoiceId, creditDraw.invoiceId), eq(invoiceLine.line, creditDraw.line)),
    )
    .innerJoin(invoicePart, isLineOfPart)
    .innerJoin(creditGrant, eq(creditGrant.id, creditDraw.grantId))
    .where(condition)
    .orderBy(asc(creditDraw.drawnAt), asc(creditDraw.invoiceId), asc(creditDraw.position));
  const ended = await endedGrants(
    tx,
    found.map(({ grant }) => grant.id),
  );
  return found.map(({ draw, line, grant, returned: back }) => ({
    invoiceId: draw.invoiceId,
    position: draw.position,
    line: draw.line,
    grantId: grant.id,
    kind: grant.kind,
    isEnded: ended.has(grant.id) || (grant.expiresAt !== null && grant.expiresAt <= asOf),
    drawn: ledgerAmount(BigInt(draw.amount)),
    drawnAt: draw.drawnAt,
    amount: ledgerAmount(BigInt(draw.amount) - BigInt(back)),
    product: line.product,
    planKey: line.planKey,
    priceKey: line.priceKey,
    lineStart: line.periodStart,
  }));
}

/** What undid the draws. */
export interface ReturnCause {
  readonly type: "usage_correction" | "credit_note" | "invoice_void";
  readonly id: string;
}

/** Writes down what went back; its entries say the same, and are the caller's. The database refuses more than was drawn. */
export async function insertReturns(
  tx: Tx,
  cause: ReturnCause,
  returned: readonly ReturnedDraw[],
  returnedAt: Instant,
): Promise<void> {
  if (returned.length === 0) return;
  await tx.insert(creditReturn).values(
    returned.map(({ invoiceId, position, amount, to }) => ({
      causeType: cause.type,
      causeId: cause.id,
      invoiceId,
      position,
      amount,
      returnedTo: to,
      returnedAt,
    })),
  );
}

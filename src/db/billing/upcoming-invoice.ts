import type { Instant } from "../../domain/calendar/index.ts";
import type { InvoiceToPrint } from "../../domain/invoicing/document/index.ts";
import { currency } from "../../domain/money/index.ts";
import type { Tx } from "../database.ts";
import { type ExpectedClosing, ForeseenClosings } from "./foreseen-closings.ts";
import { wholeOf } from "./invoice-parts.ts";
import { customerToPrint, planNamesOf } from "./printable-invoice.ts";
import { currentSeller } from "./seller.ts";
import type { StoredSubscription } from "./subscriptions.ts";

/** The period whose invoice comes first, or the one after that. */
export type UpcomingPeriod = "current" | "next";

/**
 * The invoice that will close a period, with the usage of now, by the function that closes it; nothing is stored, and no lock
 * is taken: call it in `inSnapshot`, so that all is of one moment. What is agreed for later comes in its time, and credit that
 * will have been given until the closing pays. The one after it finds what the first one leaves. Other
 * subscriptions that are invoiced together with it are on it. Null when the subscription
 * has no such period to close.
 */
export async function upcomingInvoice(
  tx: Tx,
  row: StoredSubscription,
  now: Instant,
  which: UpcomingPeriod = "current",
): Promise<InvoiceToPrint | null> {
  if (row.nextCloseAt === null) return null;
  const foreseen = await ForeseenClosings.of(tx, row, now);
  const first = await foreseen.next(row.id);
  const closing = which === "current" ? first : await foreseen.next(row.id);
  return closing && (await printed(tx, row, closing, now));
}

/** The closing of its period that comes next; null when the subscription has none to close. */
export async function firstClosing(
  tx: Tx,
  row: StoredSubscription,
  now: Instant,
): Promise<ExpectedClosing | null> {
  if (row.nextCloseAt === null) return null;
  const foreseen = await ForeseenClosings.of(tx, row, now);
  return await foreseen.next(row.id);
}

async function printed(
  tx: Tx,
  row: StoredSubscription,
  { periods, closed: { parts, totals } }: ExpectedClosing,
  now: Instant,
): Promise<InvoiceToPrint> {
  const { subtotal, creditsApplied, balanceApplied, total } = totals;
  const lines = parts.flatMap((part) => part.lines);
  return {
    seller: (await currentSeller(tx))?.details ?? null,
    customer: await customerToPrint(tx, row.customerId),
    planNames: await planNamesOf(tx, lines),
    issued: null,
    at: now,
    period: wholeOf(periods.map(({ agreed: { period } }) => period)),
    currency: currency(row.currency),
    lines,
    parts: periods.map(({ row: { id: subscriptionId }, agreed: { period } }, place) => ({
      ...{ subscriptionId, period, lines: parts[place]?.lines ?? [] },
    })),
    subtotal,
    creditsApplied,
    balanceApplied,
    // It is reckoned when the period has ended: then it is on the draft.
    taxLines: [],
    total,
    usageCompleteUntil: null,
  };
}

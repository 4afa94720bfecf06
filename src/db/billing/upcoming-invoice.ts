import type { Instant } from "../../domain/calendar/index.ts";
import type { InvoiceToPrint } from "../../domain/invoicing/document/index.ts";
import { closePeriod } from "../../domain/invoicing/index.ts";
import { currency } from "../../domain/money/index.ts";
import type { Tx } from "../database.ts";
import { type AgreedPeriod, agreedPeriod } from "./agreed-period.ts";
import { loadPeriod } from "./period-facts.ts";
import { customerToPrint, planNamesOf } from "./printable-invoice.ts";
import { currentSeller } from "./seller.ts";
import type { StoredSubscription } from "./subscriptions.ts";

/** The period whose invoice comes first, or the one after that. */
export type UpcomingPeriod = "current" | "next";

/**
 * The invoice that closing a period now would issue, by the function that closes it; nothing is stored, and no lock is taken: call
 * it in `inSnapshot`, so that all is of one moment. Null when the subscription has no such period to close.
 */
export async function upcomingInvoice(
  tx: Tx,
  row: StoredSubscription,
  now: Instant,
  which: UpcomingPeriod = "current",
): Promise<InvoiceToPrint | null> {
  const agreed = await upcomingPeriod(tx, row, which);
  if (agreed === null) return null;
  const facts = await loadPeriod((read) => read(tx), tx, row, agreed, now, { levelsUntil: now });
  // What waits, and what is carried, is on the first invoice that comes.
  const { lines, totals } = closePeriod(which === "current" ? facts : { ...facts, waiting: [], late: [] });
  const { subtotal, creditsApplied, balanceApplied, total } = totals;
  return {
    seller: (await currentSeller(tx))?.details ?? null,
    customer: await customerToPrint(tx, row.customerId),
    planNames: await planNamesOf(tx, lines),
    issued: null,
    at: now,
    period: agreed.period,
    currency: currency(row.currency),
    lines,
    subtotal,
    creditsApplied,
    balanceApplied,
    taxLines: [],
    total,
    usageCompleteUntil: null,
  };
}

async function upcomingPeriod(
  tx: Tx,
  row: StoredSubscription,
  which: UpcomingPeriod,
): Promise<AgreedPeriod | null> {
  if (row.nextCloseAt === null) return null;
  const current = await agreedPeriod(tx, row, row.billedThrough);
  if (which === "current") return current;
  return current.next === null ? null : await agreedPeriod(tx, row, current.next.start);
}

import { addDuration, type Instant } from "../../domain/calendar/index.ts";
import { type CreditGrant, expectedGrants, grantsAfter } from "../../domain/credits/index.ts";
import type { InvoiceToPrint } from "../../domain/invoicing/document/index.ts";
import {
  advanceCharged,
  type ClosedPeriod,
  closePeriod,
  type MeansLeft,
  meansLeft,
} from "../../domain/invoicing/index.ts";
import { currency } from "../../domain/money/index.ts";
import type { Tx } from "../database.ts";
import { type AgreedPeriod, agreedPeriod } from "./agreed-period.ts";
import { grantsOfCustomer } from "./credit-grants.ts";
import { type LoadedPeriod, loadPeriod } from "./period-facts.ts";
import { customerToPrint, planNamesOf } from "./printable-invoice.ts";
import { agreedRecurring, endableGrantsOf } from "./recurring-grants.ts";
import { currentSeller } from "./seller.ts";
import type { StoredSubscription } from "./subscriptions.ts";

/** The period whose invoice comes first, or the one after that. */
export type UpcomingPeriod = "current" | "next";

/**
 * The invoice that will close a period, with the usage of now, by the function that closes it; nothing is stored, and no lock
 * is taken: call it in `inSnapshot`, so that all is of one moment. Credit that will have been given until the closing pays.
 * The one after it finds what the first one leaves. Null when the subscription has no such period to close.
 */
export async function upcomingInvoice(
  tx: Tx,
  row: StoredSubscription,
  now: Instant,
  which: UpcomingPeriod = "current",
): Promise<InvoiceToPrint | null> {
  const first = await firstClosing(tx, row, now);
  if (first === null || which === "current") return first && (await printed(tx, row, first, now));
  const second = await closingAfter(tx, row, first, now);
  return second && (await printed(tx, row, second, now));
}

/** A period as closing it is expected to find it. */
interface ExpectedClosing {
  readonly agreed: AgreedPeriod;
  readonly facts: LoadedPeriod;
  readonly closed: ClosedPeriod;
}

async function firstClosing(tx: Tx, row: StoredSubscription, now: Instant): Promise<ExpectedClosing | null> {
  if (row.nextCloseAt === null) return null;
  const agreed = await agreedPeriod(tx, row, row.billedThrough);
  const at = closingOf(row, agreed, now);
  const grants = await grantsAt(tx, row.customerId, at);
  const facts = await loadPeriod((read) => read(tx), tx, row, agreed, at, { levelsUntil: now, grants });
  return { agreed, facts, closed: closePeriod(facts) };
}

/** What waits, and what came late, is on the first invoice that comes; what that leaves of credit pays the next. */
async function closingAfter(
  tx: Tx,
  row: StoredSubscription,
  first: ExpectedClosing,
  now: Instant,
): Promise<ExpectedClosing | null> {
  if (first.agreed.followingEnd === null) return null;
  const agreed = await agreedPeriod(tx, row, first.agreed.period.end);
  const at = closingOf(row, agreed, now);
  const left = meansLeft(first.facts, first.closed);
  const grants = await grantsLeft(tx, row, first, left, at);
  const loaded = await loadPeriod((read) => read(tx), tx, row, agreed, at, {
    ...{ levelsUntil: now, grants },
    soFar: true,
  });
  const advanceLines = [...loaded.advanceLines, ...left.chargedInAdvance];
  const { customerBalance, carried } = left;
  const advance = advanceCharged(advanceLines);
  const facts = { ...loaded, advanceLines, advance, customerBalance, carried };
  return { agreed, facts, closed: closePeriod(facts) };
}

function closingOf({ graceSeconds }: StoredSubscription, { period }: AgreedPeriod, now: Instant): Instant {
  const at = addDuration(period.end, { seconds: graceSeconds }, "UTC");
  return now > at ? now : at;
}

/** The customer's grants with those that will have been given by then, less those that will have ended. */
async function grantsAt(tx: Tx, customerId: string, at: Instant): Promise<CreditGrant[]> {
  const [grants, agreed, over] = await Promise.all([
    grantsOfCustomer(tx, customerId),
    agreedRecurring(tx, customerId),
    endableGrantsOf(tx, customerId, at),
  ]);
  return [...grantsAfter(grants, agreed, ({ id }) => over.includes(id)), ...expectedGrants(agreed, at)];
}

/** When the period before is closed, what has expired by its end has ended: what is left goes over to the next time. */
async function grantsLeft(
  tx: Tx,
  { customerId }: StoredSubscription,
  { agreed: { period } }: ExpectedClosing,
  { grants }: MeansLeft,
  at: Instant,
): Promise<CreditGrant[]> {
  const agreed = await agreedRecurring(tx, customerId);
  const known = new Set(grants.map(({ id }) => id));
  const added = expectedGrants(agreed, at).filter(({ id }) => !known.has(id));
  const left = grantsAfter(grants, agreed, ({ expiresAt }) => expiresAt !== null && expiresAt <= period.end);
  return [...left, ...added];
}

async function printed(
  tx: Tx,
  row: StoredSubscription,
  { agreed, closed: { lines, totals } }: ExpectedClosing,
  now: Instant,
): Promise<InvoiceToPrint> {
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

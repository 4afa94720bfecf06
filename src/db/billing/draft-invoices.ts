import { and, asc, eq, gt, isNotNull } from "drizzle-orm";
import { type Instant, isoOf, type Period } from "../../domain/calendar/index.ts";
import { invariant } from "../../domain/errors.ts";
import {
  type ClosedTogether,
  closeTogether,
  draftIdOf,
  type UsageCompleteness,
  withTax,
} from "../../domain/invoicing/index.ts";
import { sql, type Tx } from "../database.ts";
import { type Page, type PageRequest, pageOf, rowsToRead } from "../page.ts";
import { customer, subscription, testClock } from "../schema/billing.ts";
import { finaliseRequest } from "../schema/tax.ts";
import { periodOf } from "./agreed-period.ts";
import { closableAt, graceAfter } from "./agreed-rows.ts";
import { completenessOf } from "./period-completeness.ts";
import { findSubscription, type StoredSubscription } from "./subscriptions.ts";
import { taxOf } from "./tax-given.ts";
import { type TaxOfClosing, taxOfClosing } from "./tax-of-closing.ts";
import { firstClosing } from "./upcoming-invoice.ts";

/** A period that has ended and is not closed yet: its invoice is a draft. */
export interface DraftPeriod {
  readonly id: string;
  readonly row: StoredSubscription;
  readonly period: Period;
  /** When its grace for late usage is over. */
  readonly graceEndsAt: Instant;
}

/** The draft of a period's invoice, with what closing it would issue now. */
export interface DraftInvoice extends DraftPeriod, TaxOfClosing {
  /** With the periods of other subscriptions that are on the same invoice. */
  readonly closed: ClosedTogether;
  readonly usage: UsageCompleteness;
}

/** The first period of a subscription that is not closed, if it has ended by then; null when there is none. */
export function draftPeriod(row: StoredSubscription, now: Instant): DraftPeriod | null {
  if (row.nextCloseAt === null) return null;
  const { period } = periodOf(row, row.billedThrough);
  if (period.end > now) return null;
  return {
    id: draftIdOf(row.id, period.start),
    row,
    period,
    graceEndsAt: row.closeWaitsFor === null ? closableAt(row, period.end) : graceAfter(row, period.end),
  };
}

/**
 * The draft as it follows from the facts of now, by the function that closes periods; nothing is stored and no lock is taken:
 * call it in `inSnapshot`, so that all is of one moment. Null when the subscription has no period that has ended and is open.
 */
export async function draftInvoice(
  tx: Tx,
  row: StoredSubscription,
  now: Instant,
): Promise<DraftInvoice | null> {
  const draft = draftPeriod(row, now);
  const expected = draft && (await firstClosing(tx, row, now));
  if (draft === null || expected === null) return null;
  const { customerId } = row;
  const { periods } = expected;
  const [own] = periods.filter((each) => each.row.id === row.id);
  invariant(own, "a draft is of its subscription, whoever else is on it");
  const at = own.facts.asOf;
  const ofClosing = await taxOfClosing(tx, periods, expected.closed, { customerId, at });
  const { standing, tax } = ofClosing;
  const usage = await completenessOf(tx, row, own.agreed, now);
  const facts = periods.map((each) => each.facts);
  const closed =
    tax === undefined
      ? expected.closed
      : closeTogether(withTax(facts, expected.closed, taxOf(tax, standing.basis)));
  return { ...draft, ...ofClosing, usage, closed };
}

export interface DraftFilter {
  readonly customerId?: string | undefined;
  readonly subscriptionId?: string | undefined;
}

/** Drafts by the ids of their subscriptions. @param now of customers that are on no test clock */
export async function listDrafts(
  tx: Tx,
  { customerId, subscriptionId }: DraftFilter,
  now: Instant,
  page: PageRequest<string>,
): Promise<Page<DraftPeriod, string>> {
  const { nextCloseAt, graceSeconds, closeWaitsFor } = subscription;
  const time = sql`coalesce(${testClock.currentAt}, ${isoOf(now)}::timestamptz)`;
  const hasEnded = sql`(${nextCloseAt} - make_interval(secs => ${graceSeconds}) <= ${time} or ${closeWaitsFor} is not null)`;
  const found = await tx
    .select({ row: subscription, now: sql<string>`to_char(${time} at time zone 'UTC', ${isoFormat})` })
    .from(subscription)
    .innerJoin(customer, eq(customer.id, subscription.customerId))
    .leftJoin(testClock, eq(testClock.id, customer.testClockId))
    .where(
      and(
        isNotNull(nextCloseAt),
        hasEnded,
        customerId === undefined ? undefined : eq(subscription.customerId, customerId),
        subscriptionId === undefined ? undefined : eq(subscription.id, subscriptionId),
        page.after === undefined ? undefined : gt(subscription.id, page.after),
      ),
    )
    .orderBy(asc(subscription.id))
    .limit(rowsToRead(page));
  const rows = pageOf(found, page, ({ row }) => row.id);
  const items = rows.items.flatMap(({ row, now: at }) => draftPeriod(row, Date.parse(at) as Instant) ?? []);
  return { ...rows, items };
}

const isoFormat = 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"';

/** The subscription that a draft is of, and whether that period is still open. */
export async function subscriptionOfDraft(
  tx: Tx,
  of: { readonly subscriptionId: string; readonly periodStart: Instant },
): Promise<{ readonly row: StoredSubscription; readonly isOpen: boolean } | undefined> {
  const row = await findSubscription(tx, of.subscriptionId);
  if (row === undefined || of.periodStart < row.startedAt || of.periodStart > row.billedThrough)
    return undefined;
  return { row, isOpen: row.billedThrough === of.periodStart && row.nextCloseAt !== null };
}

/** Writes down who wants a period closed before its grace is over, once. */
export async function insertFinaliseRequest(
  tx: Tx,
  asked: typeof finaliseRequest.$inferInsert,
): Promise<void> {
  await tx.insert(finaliseRequest).values(asked).onConflictDoNothing();
}

import { and, asc, eq, getTableColumns, gt, isNotNull, isNull, notInArray, type SQL } from "drizzle-orm";
import { type Instant, isoOf } from "../../domain/calendar/index.ts";
import {
  cardExpiringDays,
  cardNoticeAt,
  daysAfter,
  type NoticeAhead,
  trialNoticeAt,
  upcomingNoticeAt,
  usualNoticeAhead,
} from "../../domain/notices/index.ts";
import { periodOf } from "../billing/agreed-period.ts";
import { invoiceTogether } from "../billing/invoiced-together.ts";
import { type StoredSubscription, termsHistory } from "../billing/subscriptions.ts";
import { findTestClock } from "../billing/test-clocks.ts";
import { type Database, inTransaction, sql, type Tx } from "../database.ts";
import { customer, subscription } from "../schema/billing.ts";
import { enqueueNotice } from "./enqueue-notice.ts";

/** A look at what is ahead of some customers. */
interface Look {
  /** Which customers: those of one clock, or those of none. */
  readonly whose: SQL | undefined;
  /** What was due until then was told by the look before. */
  readonly since: Instant;
  readonly asOf: Instant;
}

/** Runs a piece of work in a transaction. */
type Within = <T>(work: (tx: Tx) => Promise<T>) => Promise<T>;

const pageRows = 500;

/**
 * Tells customers on the wall clock what is due to be told ahead of time by now: an invoice, the end of a trial or of a card.
 * Each page of them has a transaction of its own; told again, it is still told once.
 */
export async function tellDueNotices(db: Database, now: Instant): Promise<void> {
  const look = { whose: isNull(customer.testClockId), since: now, asOf: now };
  await tellDue((work) => inTransaction(db, work), look);
}

/** The same for the customers of a test clock, in the transaction that moves it on, before anybody is woken. */
export async function tellDueOnClock(tx: Tx, clockId: string, asOf: Instant): Promise<void> {
  const clock = await findTestClock(tx, clockId);
  if (clock === undefined || clock.currentAt >= asOf) return;
  const look = { whose: eq(customer.testClockId, clockId), since: clock.currentAt, asOf };
  await tellDue((work) => work(tx), look);
}

async function tellDue(within: Within, look: Look): Promise<void> {
  for (const tell of [tellUpcoming, tellTrials, tellCards]) {
    for (let after: string | null = ""; after !== null; ) {
      const from: string = after;
      after = await within((tx) => tell(tx, look, from));
    }
  }
}

/** Where the next page begins; null after the last one. */
const nextPage = (found: readonly { readonly id: string }[]): string | null =>
  found.length < pageRows ? null : (found.at(-1)?.id ?? null);

const untold = (key: SQL) => sql`not exists (select from notice.notice where notice.key = ${key})`;

/** An instant in SQL as keys spell it. */
const isoText = (at: SQL) => sql`to_char(${at} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

/** The next page of subscriptions that something is ahead of, and was not told. */
async function subscriptionsAhead(tx: Tx, { whose, since, asOf }: Look, after: string, ahead: Ahead) {
  const { at, days, key, only } = ahead;
  return await tx
    .select(getTableColumns(subscription))
    .from(subscription)
    .innerJoin(customer, eq(customer.id, subscription.customerId))
    .where(
      and(
        whose,
        only,
        gt(subscription.id, after),
        gt(at, since),
        sql`${at} <= ${isoOf(asOf)}::timestamptz + make_interval(days => ${daysMost(days)})`,
        untold(sql`${key} || '/' || ${subscription.id} || '/' || ${isoText(sql`${at}`)}`),
      ),
    )
    .orderBy(asc(subscription.id))
    .limit(pageRows);
}

/** What is ahead of a subscription: when, told how many days before, under which kind of key. */
interface Ahead {
  readonly at: typeof subscription.nextCloseAt | typeof subscription.trialEndsAt;
  readonly days: keyof NoticeAhead;
  readonly key: "invoice-upcoming" | "trial-ending";
  /** Which subscriptions it is ahead of, when not of all. */
  readonly only?: SQL;
}

async function tellUpcoming(tx: Tx, look: Look, after: string): Promise<string | null> {
  const ahead = {
    at: subscription.nextCloseAt,
    days: "upcomingInvoiceDays",
    key: "invoice-upcoming",
    // Of a period that is over and waits to be closed it was told before; what comes after the end has none.
    only: sql`close_waits_for is null and not (status = 'canceled' and billed_through >= cancel_at)`,
  } as const;
  const found = await subscriptionsAhead(tx, look, after, ahead);
  for (const row of found) await tellUpcomingOf(tx, row, look.asOf);
  return nextPage(found);
}

/** The most days that any plan says, or what is usual. */
const daysMost = (name: keyof NoticeAhead) =>
  sql`(select greatest(${usualNoticeAhead[name]}::int, max((definition -> 'notices' ->> ${name})::int)) from catalog.plan)`;

/** Of an invoice for several subscriptions it is told once, by the plan of the first one. */
async function tellUpcomingOf(tx: Tx, row: StoredSubscription, asOf: Instant): Promise<void> {
  const { id, customerId, billedThrough, nextCloseAt } = row;
  if (nextCloseAt === null) return;
  const { rows, invoiceAt } = await invoiceTogether(tx, row);
  if (rows[0]?.id !== id) return;
  const ahead = noticeAheadOf(await planOf(tx, row));
  const occurredAt = upcomingNoticeAt(invoiceAt, billedThrough, ahead);
  if (occurredAt === null || occurredAt > asOf) return;
  await enqueueNotice(tx, {
    key: `invoice-upcoming/${id}/${isoOf(nextCloseAt)}`,
    kind: "invoice.upcoming",
    customerId,
    subject: {
      subscriptionId: id,
      periodStart: isoOf(billedThrough),
      periodEnd: isoOf(periodOf(row, billedThrough).period.end),
      invoiceAt: isoOf(invoiceAt),
    },
    occurredAt,
  });
}

/** The plan that the subscription is on. */
const planOf = async (tx: Tx, { id }: StoredSubscription) =>
  (await termsHistory(tx, id)).at(-1)?.items[0]?.plan;

const noticeAheadOf = (plan: Awaited<ReturnType<typeof planOf>>): NoticeAhead => ({
  ...usualNoticeAhead,
  ...plan?.notices,
});

async function tellTrials(tx: Tx, look: Look, after: string): Promise<string | null> {
  const ahead = { at: subscription.trialEndsAt, days: "trialEndingDays", key: "trial-ending" } as const;
  const trialing = eq(subscription.status, "trialing");
  const found = await subscriptionsAhead(tx, look, after, { ...ahead, only: trialing });
  for (const row of found) await tellTrialOf(tx, row, look.asOf);
  return nextPage(found);
}

async function tellTrialOf(tx: Tx, row: StoredSubscription, asOf: Instant): Promise<void> {
  const { id, customerId, trialEndsAt } = row;
  if (trialEndsAt === null) return;
  const plan = await planOf(tx, row);
  const occurredAt = trialNoticeAt(trialEndsAt, row.startedAt, noticeAheadOf(plan));
  if (occurredAt > asOf) return;
  const endsAt = isoOf(trialEndsAt);
  await enqueueNotice(tx, {
    key: `trial-ending/${id}/${endsAt}`,
    kind: "subscription.trial_ending",
    customerId,
    subject: {
      subscriptionId: id,
      trialEndsAt: endsAt,
      endAction: plan?.trial?.endAction ?? "convert",
    },
    occurredAt,
  });
}

async function tellCards(tx: Tx, { whose, since, asOf }: Look, after: string): Promise<string | null> {
  const expiry = sql`((${customer.paymentMethod} ->> 'expYear')::int * 12 + (${customer.paymentMethod} ->> 'expMonth')::int)`;
  const key = sql`'card-expiring/' || ${customer.id} || '/' || (${customer.paymentMethod} ->> 'id')`;
  const found = await tx
    .select(getTableColumns(customer))
    .from(customer)
    .where(
      and(
        whose,
        gt(customer.id, after),
        isNotNull(customer.paymentMethod),
        // By whole months first, one more on each side: the customer's time zone decides the rest.
        sql`${expiry} between ${monthOf(since) - 1} and ${monthOf(daysAfter(asOf, cardExpiringDays)) + 1}`,
        sql`exists (select from billing.subscription where subscription.customer_id = ${customer.id}
          and ${notInArray(subscription.status, ["canceled", "incomplete_expired"])})`,
        untold(key),
      ),
    )
    .orderBy(asc(customer.id))
    .limit(pageRows);
  for (const { id, timeZone, paymentMethod: card } of found) {
    const due = card && cardNoticeAt(card, timeZone);
    if (!due || due.at > asOf || due.endsAt <= since) continue;
    const { brand, last4, expMonth, expYear } = card;
    await enqueueNotice(tx, {
      key: `card-expiring/${id}/${card.id}`,
      kind: "payment_method.expiring",
      customerId: id,
      subject: { brand, last4, expMonth, expYear },
      // One that was brought late is told of when it is seen.
      occurredAt: due.at > since ? due.at : since,
    });
  }
  return nextPage(found);
}

/** The months since the year 0, as the database counts a card's. */
const monthOf = (at: Instant): number => {
  const [year = 0, month = 0] = isoOf(at).split("-").map(Number);
  return year * 12 + month;
};

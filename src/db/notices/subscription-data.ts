import { type Instant, instant, isoOf } from "../../domain/calendar/index.ts";
import type { NoticeData, NoticeSubjects } from "../../domain/notices/index.ts";
import { findSubscription, termsHistory } from "../billing/subscriptions.ts";
import { testClockOf } from "../billing/test-clocks.ts";
import { upcomingInvoice } from "../billing/upcoming-invoice.ts";
import { type Database, inSnapshot, type Tx } from "../database.ts";

/** What was agreed at an instant: the plan's name and seats. */
async function agreedAt(tx: Tx, subscriptionId: string, at: Instant) {
  const history = await termsHistory(tx, subscriptionId);
  const item = history.findLast(({ effectiveAt }) => effectiveAt <= at)?.items[0];
  return { plan: item?.plan.name ?? null, seats: item?.seats ?? null };
}

export async function subscriptionData(tx: Tx, subscriptionId: string, at: Instant) {
  const { plan } = await agreedAt(tx, subscriptionId, at);
  return { subscription_id: subscriptionId, plan };
}

export async function trialData(
  tx: Tx,
  { subscriptionId, trialEndsAt, endAction }: NoticeSubjects["subscription.trial_ending"],
): Promise<NoticeData["subscription.trial_ending"]> {
  const agreed = await subscriptionData(tx, subscriptionId, instant(trialEndsAt));
  return { ...agreed, trial_ends_at: trialEndsAt, end_action: endAction };
}

export async function changeData(
  tx: Tx,
  { subscriptionId, changeId, change, effectiveAt }: NoticeSubjects["subscription.changed"],
): Promise<NoticeData["subscription.changed"]> {
  const { plan, seats } = await agreedAt(tx, subscriptionId, instant(effectiveAt));
  const row = await findSubscription(tx, subscriptionId);
  return {
    subscription_id: subscriptionId,
    plan,
    seats,
    change_id: changeId,
    change,
    effective_at: effectiveAt,
    cancel_at: row?.cancelAt ? isoOf(row.cancelAt) : null,
  };
}

/** With what the period has come to so far, as long as it is the next to be closed. */
export async function upcomingData(
  db: Database,
  { subscriptionId, periodStart, periodEnd, invoiceAt }: NoticeSubjects["invoice.upcoming"],
): Promise<NoticeData["invoice.upcoming"]> {
  const start = instant(periodStart);
  const row = await findSubscription(db.orm, subscriptionId);
  const clock = row && (await testClockOf(db.orm, row.customerId));
  const isNext = row?.billedThrough === start && row.nextCloseAt !== null;
  const asOf = clock?.currentAt ?? instant(invoiceAt);
  const invoice = isNext ? await inSnapshot(db, (tx) => upcomingInvoice(tx, row, asOf)) : null;
  return {
    ...(await subscriptionData(db.orm, subscriptionId, start)),
    period_start: periodStart,
    period_end: periodEnd,
    invoice_at: invoiceAt,
    currency: row?.currency ?? "",
    total_so_far_minor: invoice === null ? null : invoice.total.amountMinor.toString(),
  };
}

import { type Instant, instant, isoOf } from "../../domain/calendar/index.ts";
import type { NoticeData, NoticeSubjects } from "../../domain/notices/index.ts";
import { askedTogether } from "../asked-together.ts";
import { knownCatalog } from "../billing/known-catalog.ts";
import { findSubscription } from "../billing/subscriptions.ts";
import { learnPlans, versionKey } from "../billing/terms-histories.ts";
import { testClockOf } from "../billing/test-clocks.ts";
import { upcomingInvoice } from "../billing/upcoming-invoice.ts";
import { type Database, inSnapshot, rows, sql, type Tx } from "../database.ts";
import type { SubscriptionItem } from "../schema/billing.ts";
import { parseTimestamp } from "../schema/columns.ts";

/** What was agreed at an instant: the plan's name and seats; and when it ends. */
async function agreedAt(db: Database, subscriptionId: string, at: Instant) {
  const { item, cancelAt } = await firstItemAt(db.orm, { subscriptionId, at });
  const { plans } = knownCatalog(db);
  if (item !== null) await learnPlans(db.orm, [item], plans);
  const plan = item && plans.get(versionKey(item.planKey, item.planVersion));
  return { plan: plan?.name ?? null, seats: item?.seats ?? null, cancelAt };
}

interface AgreedItem {
  readonly item: SubscriptionItem | null;
  readonly cancelAt: string | null;
}

/** Of all that is told at once it is asked in one statement. */
const firstItemAt = askedTogether(
  async (tx: Tx, asked: readonly { readonly subscriptionId: string; readonly at: Instant }[]) => {
    const about = asked.map(({ subscriptionId: id, at }, place) => ({ place, id, at: isoOf(at) }));
    return await rows<AgreedItem>(
      tx,
      sql`select terms.item, subscription.cancel_at as "cancelAt"
        from json_to_recordset(${JSON.stringify(about)}::text::json) as about (place int, id text, at timestamptz)
        left join billing.subscription on subscription.id = about.id
        left join lateral (
          select items -> 0 as item from billing.subscription_terms
          where subscription_id = about.id and effective_at <= about.at order by effective_at desc limit 1
        ) as terms on true
        order by about.place`,
    );
  },
);

export async function subscriptionData(db: Database, subscriptionId: string, at: Instant) {
  const { plan } = await agreedAt(db, subscriptionId, at);
  return { subscription_id: subscriptionId, plan };
}

export async function trialData(
  db: Database,
  { subscriptionId, trialEndsAt, endAction }: NoticeSubjects["subscription.trial_ending"],
): Promise<NoticeData["subscription.trial_ending"]> {
  const agreed = await subscriptionData(db, subscriptionId, instant(trialEndsAt));
  return { ...agreed, trial_ends_at: trialEndsAt, end_action: endAction };
}

export async function changeData(
  db: Database,
  { subscriptionId, changeId, change, effectiveAt }: NoticeSubjects["subscription.changed"],
): Promise<NoticeData["subscription.changed"]> {
  const { plan, seats, cancelAt } = await agreedAt(db, subscriptionId, instant(effectiveAt));
  return {
    subscription_id: subscriptionId,
    plan,
    seats,
    change_id: changeId,
    change,
    effective_at: effectiveAt,
    cancel_at: cancelAt === null ? null : isoOf(parseTimestamp(cancelAt)),
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
    ...(await subscriptionData(db, subscriptionId, start)),
    period_start: periodStart,
    period_end: periodEnd,
    invoice_at: invoiceAt,
    currency: row?.currency ?? "",
    total_so_far_minor: invoice === null ? null : invoice.total.amountMinor.toString(),
  };
}

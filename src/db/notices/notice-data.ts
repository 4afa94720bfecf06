import { and, eq } from "drizzle-orm";
import { instant, isoOf } from "../../domain/calendar/index.ts";
import { invariant } from "../../domain/errors.ts";
import { draftIdOf } from "../../domain/invoicing/index.ts";
import { ledgerAmount } from "../../domain/money/index.ts";
import { minorText } from "../../domain/money/ledger-amount.ts";
import type { NoticeData, NoticeKind, NoticeSubjects } from "../../domain/notices/index.ts";
import { arrayLiteral } from "../array-literal.ts";
import { askedTogether } from "../asked-together.ts";
import { findGrant } from "../billing/credit-grants.ts";
import type { StoredInvoice } from "../billing/invoices.ts";
import { findDunning } from "../billing/payments.ts";
import { findRefund } from "../billing/refunds.ts";
import { type Database, sql, type Tx } from "../database.ts";
import { invoice, paymentAttempt } from "../schema/billing.ts";
import { creditGrantEnd } from "../schema/credit-grants.ts";
import { endpoint } from "../schema/notices.ts";
import { budgetData, forecastData, limitData, shareData, stoppedData } from "./budget-data.ts";
import { changeData, subscriptionData, trialData, upcomingData } from "./subscription-data.ts";

type Reader<Kind extends NoticeKind> = (
  db: Database,
  subject: NoticeSubjects[Kind],
) => Promise<NoticeData[Kind]>;

/** How what each kind says is read from the rows it is about. They are facts, but for what says otherwise in `NoticeData`. */
const readers: { readonly [Kind in NoticeKind]: Reader<Kind> } = {
  "invoice.upcoming": upcomingData,
  "invoice.issued": async ({ orm }, { invoiceId }) => {
    const invoice = await invoiceOf(orm, invoiceId);
    const isToBePaid = invoice.totalMinor > 0n;
    return { ...invoiceData(invoice), kind: invoice.kind, ...periodData(invoice), is_to_be_paid: isToBePaid };
  },
  "invoice.tax_wanted": async (_db, { subscriptionId, periodStart, periodEnd, quote }) => ({
    draft_id: draftIdOf(subscriptionId, instant(periodStart)),
    subscription_id: subscriptionId,
    period_start: periodStart,
    period_end: periodEnd,
    quote,
  }),
  "invoice.payment_failed": ({ orm }, subject) => failureData(orm, subject),
  "invoice.payment_recovered": async ({ orm }, { invoiceId }) => invoiceData(await invoiceOf(orm, invoiceId)),
  "invoice.dunning": async ({ orm }, { invoiceId, moment, notice }) => ({
    ...invoiceData(await invoiceOf(orm, invoiceId)),
    moment,
    notice,
  }),
  "refund.failed": ({ orm }, { refundId }) => refundData(orm, refundId),
  "usage.threshold_reached": async ({ orm }, { invoiceId }) => {
    const invoice = await invoiceOf(orm, invoiceId);
    return { ...invoiceData(invoice), ...periodData(invoice) };
  },
  "subscription.trial_ending": trialData,
  "subscription.changed": changeData,
  "subscription.paused": changeData,
  "subscription.resumed": changeData,
  "subscription.canceled": async (db, { subscriptionId, effectiveAt }) => ({
    ...(await subscriptionData(db, subscriptionId, instant(effectiveAt))),
    effective_at: effectiveAt,
  }),
  "payment_method.expiring": async (_db, { brand, last4, expMonth, expYear }) => ({
    brand,
    last4,
    exp_month: expMonth,
    exp_year: expYear,
  }),
  "credits.low": async (_db, { currency, remainingMinor, grantedMinor }) => ({
    currency,
    remaining_minor: remainingMinor,
    granted_minor: grantedMinor,
  }),
  "credits.expired": ({ orm }, { grantId }) => expiredData(orm, grantId),
  "budget.share_reached": ({ orm }, crossing) => shareData(orm, crossing),
  "budget.limit_reached": ({ orm }, crossing) => budgetData(orm, crossing),
  "budget.overrun_forecast": ({ orm }, crossing) => forecastData(orm, crossing),
  "budget.recovered": ({ orm }, crossing) => budgetData(orm, crossing),
  "top_up.stopped": ({ orm }, { ruleId }) => stoppedData(orm, ruleId),
  "top_up.limit_reached": ({ orm }, { ruleId, monthStart }) => limitData(orm, ruleId, monthStart),
  "webhook_endpoint.disabled": async ({ orm }, { endpointId, reason, failingSince }) => {
    const [row] = await orm.select({ url: endpoint.url }).from(endpoint).where(eq(endpoint.id, endpointId));
    return { endpoint_id: endpointId, url: row?.url ?? "", reason, failing_since: failingSince };
  },
  "webhook_endpoint.test": async (_db, { endpointId }) => ({ endpoint_id: endpointId }),
};

/** What a notice says, read from what it is about. */
export async function noticeData<Kind extends NoticeKind>(
  db: Database,
  kind: Kind,
  subject: NoticeSubjects[Kind],
): Promise<NoticeData[Kind]> {
  return await readers[kind](db, subject);
}

async function invoiceOf(tx: Tx, id: string): Promise<StoredInvoice> {
  const found = await invoiceNamed(tx, id);
  invariant(found, `invoice ${id} was written with its notice`);
  return found;
}

/** Of all that is told at once it is asked in one statement. */
const invoiceNamed = askedTogether(async (tx: Tx, ids: readonly string[]) => {
  const found = await tx
    .select()
    .from(invoice)
    .where(sql`${invoice.id} = any (${arrayLiteral(ids)}::text[])`);
  const byId = new Map(found.map((row) => [row.id, row]));
  return ids.map((id) => byId.get(id));
});

function invoiceData({ id, number, subscriptionId, currency, totalMinor }: StoredInvoice) {
  const total = { currency, total_minor: totalMinor.toString() };
  return { invoice_id: id, number, subscription_id: subscriptionId, ...total };
}

function periodData({ periodStart, periodEnd }: StoredInvoice) {
  return {
    period_start: periodStart === null ? null : isoOf(periodStart),
    period_end: periodEnd === null ? null : isoOf(periodEnd),
  };
}

async function failureData(
  tx: Tx,
  { invoiceId, attempt }: NoticeSubjects["invoice.payment_failed"],
): Promise<NoticeData["invoice.payment_failed"]> {
  const invoice = await invoiceOf(tx, invoiceId);
  const [made] = await tx
    .select()
    .from(paymentAttempt)
    .where(and(eq(paymentAttempt.invoiceId, invoiceId), eq(paymentAttempt.attempt, attempt)));
  const dunning = await findDunning(tx, invoiceId);
  // Of this attempt only as long as no other has followed it.
  const next = dunning?.attempts === attempt ? dunning.nextAttemptAt : null;
  return {
    ...invoiceData(invoice),
    attempt,
    decline_code: made?.declineCode ?? null,
    decline_class: made?.declineClass ?? null,
    next_attempt_at: next === null ? null : isoOf(next),
    pay_url: invoice.hostedInvoiceUrl,
  };
}

async function refundData(tx: Tx, refundId: string): Promise<NoticeData["refund.failed"]> {
  const refund = await findRefund(tx, refundId);
  invariant(refund, `refund ${refundId} was written before it failed`);
  const { number } = await invoiceOf(tx, refund.invoiceId);
  return {
    refund_id: refundId,
    invoice_id: refund.invoiceId,
    number,
    currency: refund.currency,
    amount_minor: refund.amountMinor.toString(),
    failure_code: refund.failureCode,
  };
}

async function expiredData(tx: Tx, grantId: string): Promise<NoticeData["credits.expired"]> {
  const grant = await findGrant(tx, grantId);
  invariant(grant, `grant ${grantId} was written before it ended`);
  const [ended] = await tx.select().from(creditGrantEnd).where(eq(creditGrantEnd.grantId, grantId));
  const lost = ended === undefined ? 0n : ended.held - ended.rolledOver;
  return {
    grant_id: grantId,
    currency: grant.currency,
    expired_minor: minorText(ledgerAmount(lost)),
  };
}

import type { SQL } from "drizzle-orm";
import { sql } from "../database.ts";

export const timelineAbouts = ["subscription", "invoice", "payment", "credit", "notice"] as const;
export type TimelineAbout = (typeof timelineAbouts)[number];

export interface TimelineSource {
  readonly about: TimelineAbout;
  /** about, kind, key, at, subject type and id, invoice, amount in minor units, currency, actor, note, workflow, Stripe's id. */
  readonly query: SQL;
}

/** Where it is written what happened to a customer. */
export const timelineSources = (customerId: string): readonly TimelineSource[] => [
  ...subscriptionSources(customerId),
  ...invoiceSources(customerId),
  ...paymentSources(customerId),
  ...creditSources(customerId),
  {
    about: "notice",
    query: sql`select 'notice', 'notice_' || kind, id, occurred_at, 'notice', id, null::text, null::bigint, null::text, null::text,
        kind, null::text, null::text
      from notice.notice where customer_id = ${customerId}`,
  },
];

const subscriptionSources = (customerId: string): TimelineSource[] =>
  [
    sql`select 'subscription', 'customer_created', id, created_at, 'customer', id, null::text, null::bigint, currency, null::text,
        null::text, null::text, stripe_customer_id
      from billing.customer where id = ${customerId}`,
    sql`select 'subscription', 'subscription_started', id, started_at, 'subscription', id, null::text, null::bigint, null::text,
        null::text, null::text, 'subscription/' || id, null::text
      from billing.subscription where customer_id = ${customerId}`,
    sql`select 'subscription', change.kind, change.change_id, change.effective_at, 'subscription', subscription.id,
        change.invoice_id, null::bigint, null::text, null::text, null::text, 'subscription/' || subscription.id, null::text
      from billing.subscription_change as change join billing.subscription on subscription.id = change.subscription_id
      where subscription.customer_id = ${customerId}`,
    sql`select 'subscription', 'scheduled_' || scheduled.kind, scheduled.change_id, scheduled.requested_at, 'subscription',
        subscription.id, null::text, null::bigint, null::text, null::text,
        to_char(scheduled.effective_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), 'subscription/' || subscription.id, null::text
      from billing.scheduled_change as scheduled join billing.subscription on subscription.id = scheduled.subscription_id
      where subscription.customer_id = ${customerId}`,
  ].map((query) => ({ about: "subscription", query }));

const invoiceSources = (customerId: string): TimelineSource[] =>
  [
    sql`select 'invoice', 'invoice_issued', id, issued_at, 'invoice', id, id, total_minor, currency, null::text, number,
        collected_by, coalesce(stripe_invoice_id, stripe_payment_intent_id)
      from billing.invoice where customer_id = ${customerId}`,
    sql`select 'invoice', 'invoice_voided', invoice.id, void.voided_at, 'invoice', invoice.id, invoice.id, invoice.total_minor,
        invoice.currency, void.voided_by, coalesce(void.reason, void.reason_code), null::text, invoice.stripe_invoice_id
      from billing.invoice_void as void join billing.invoice on invoice.id = void.invoice_id
      where invoice.customer_id = ${customerId}`,
    sql`select 'invoice', 'credit_note_issued', asked.id, note.issued_at, 'credit_note', asked.id, asked.invoice_id,
        asked.total_minor, asked.currency, note.issued_by, coalesce(asked.reason, asked.reason_code), null::text, null::text
      from billing.credit_note_request as asked join billing.credit_note as note on note.id = asked.id
      where asked.customer_id = ${customerId}`,
  ].map((query) => ({ about: "invoice", query }));

const paymentSources = (customerId: string): TimelineSource[] =>
  [
    sql`select 'payment', 'payment_received', payment.stripe_payment_intent_id, payment.received_at, 'payment',
        payment.stripe_payment_intent_id, invoice.id, payment.amount_minor, invoice.currency, null::text, invoice.number,
        invoice.collected_by, payment.stripe_payment_intent_id
      from billing.payment join billing.invoice on invoice.id = payment.invoice_id where invoice.customer_id = ${customerId}`,
    sql`select 'payment', 'payment_' || attempt.outcome, invoice.id || '/' || attempt.attempt, attempt.attempted_at, 'invoice',
        invoice.id, invoice.id, invoice.total_minor, invoice.currency, null::text, attempt.decline_code,
        'dunning/' || invoice.id, coalesce(invoice.stripe_invoice_id, invoice.stripe_payment_intent_id)
      from billing.payment_attempt as attempt join billing.invoice on invoice.id = attempt.invoice_id
      where invoice.customer_id = ${customerId} and attempt.outcome <> 'paid'`,
    sql`select 'payment', 'dunning_started', invoice.id, dunning.started_at, 'invoice', invoice.id, invoice.id, null::bigint,
        null::text, null::text, invoice.number, 'dunning/' || invoice.id, null::text
      from billing.dunning join billing.invoice on invoice.id = dunning.invoice_id where invoice.customer_id = ${customerId}`,
    sql`select 'payment', 'dunning_' || dunning.state, invoice.id, dunning.ended_at, 'invoice', invoice.id, invoice.id,
        null::bigint, null::text, null::text, invoice.number, 'dunning/' || invoice.id, null::text
      from billing.dunning join billing.invoice on invoice.id = dunning.invoice_id
      where invoice.customer_id = ${customerId} and dunning.ended_at is not null`,
    sql`select 'payment', 'refund_requested', id, requested_at, 'refund', id, invoice_id, amount_minor, currency, null::text,
        state, 'refund/' || id, stripe_refund_id
      from billing.refund where customer_id = ${customerId}`,
    sql`select 'payment', 'dispute_opened', stripe_dispute_id, opened_at, 'dispute', stripe_dispute_id, invoice_id, amount_minor,
        currency, null::text, reason, null::text, stripe_dispute_id
      from billing.invoice_dispute where customer_id = ${customerId}`,
  ].map((query) => ({ about: "payment", query }));

const creditSources = (customerId: string): TimelineSource[] =>
  [
    sql`select 'credit', 'credit_granted', id, created_at, 'credit_grant', id, invoice_id, amount_minor, currency, null::text,
        reason, null::text, null::text
      from billing.credit_grant where customer_id = ${customerId}`,
    sql`select 'credit', 'credit_' || ended.cause, ended.grant_id, ended.ended_at, 'credit_grant', ended.grant_id, null::text,
        null::bigint, null::text, null::text, null::text, null::text, null::text
      from billing.credit_grant_end as ended join billing.credit_grant as granted on granted.id = ended.grant_id
      where granted.customer_id = ${customerId}`,
    sql`select 'credit', kind || '_' || status, id, requested_at, 'adjustment', id, null::text,
        (change / 100000000)::bigint, currency, requested_by, coalesce(reason, reason_code), null::text, null::text
      from billing.adjustment_standing where customer_id = ${customerId}`,
  ].map((query) => ({ about: "credit", query }));

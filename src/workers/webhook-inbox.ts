import type { Logger } from "pino";
import { bookPayment } from "../activities/book-payment.ts";
import type { ActivityDependencies } from "../activities/dependencies.ts";
import { settleDispute } from "../activities/dispute-settle.ts";
import { recoverGivenUp } from "../activities/dunning-steps.ts";
import { settlePayout } from "../activities/payout-settle.ts";
import { settleRefund } from "../activities/refund-settle.ts";
import { findInvoiceAtStripe } from "../db/billing/invoices.ts";
import { testClockOf } from "../db/billing/test-clocks.ts";
import {
  claimWebhooks,
  finishWebhook,
  postponeWebhook,
  type WaitingWebhook,
} from "../db/billing/webhook-inbox.ts";
import { isoOf } from "../domain/calendar/index.ts";
import { type WebhookSubject, webhookSubject } from "../stripe/index.ts";
import { withCorrelationId } from "../temporal/correlation.ts";
import { workflowIds } from "../workflows/messages.ts";

export interface WebhookInbox {
  stop(): Promise<void>;
}

/** How many events are applied at once; those of one invoice wait for each other in the database. */
const atOnce = 8;
/** The notification is a hint that may be lost, so the inbox is looked at now and then anyway. */
const lookEveryMs = 1_000;

/**
 * Works through the webhooks that were received: reads the object each one is about, books what has become of it, and
 * tells the workflow that waits for it. An event that cannot be applied is tried again later and parked in the end,
 * without holding up the others.
 */
export async function startWebhookInbox(deps: ActivityDependencies, logger: Logger): Promise<WebhookInbox> {
  let isStopping = false;
  let wake = () => {};
  const listening = await deps.db.sql.listen("webhook_received", () => wake());

  async function run(): Promise<void> {
    while (!isStopping) {
      const claimed = await claim(deps, logger);
      await Promise.all(claimed.map((webhook) => apply(deps, webhook, logger)));
      if (claimed.length > 0) continue;
      await new Promise<void>((resolve) => {
        wake = resolve;
        setTimeout(resolve, lookEveryMs);
      });
    }
  }

  const running = run();
  return {
    async stop() {
      isStopping = true;
      wake();
      await listening.unlisten().catch(() => {});
      await running;
    },
  };
}

/** A database that is away is waited for. */
async function claim(deps: ActivityDependencies, logger: Logger): Promise<WaitingWebhook[]> {
  try {
    return await claimWebhooks(deps.db.orm, atOnce);
  } catch (error) {
    logger.warn({ err: error }, "the webhook inbox cannot be read");
    return [];
  }
}

async function apply(deps: ActivityDependencies, webhook: WaitingWebhook, logger: Logger): Promise<void> {
  const { event_id: eventId, type, attempts } = webhook;
  try {
    const outcome = await withCorrelationId(eventId, () => applied(deps, webhook));
    await finishWebhook(deps.db.orm, eventId, outcome);
    logger.debug({ event_id: eventId, type, outcome }, "webhook applied");
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    logger.warn({ event_id: eventId, type, attempts, err: error }, "webhook postponed");
    await postponeWebhook(deps.db.orm, eventId, attempts, message).catch(() => {});
  }
}

async function applied(deps: ActivityDependencies, webhook: WaitingWebhook): Promise<"done" | "ignored"> {
  const subject = webhookSubject({ rawBody: webhook.body });
  switch (subject.kind) {
    case "dispute":
      return await settleDispute(deps, subject.stripeDisputeId, webhook.event_id);
    case "refund":
      return (await settleRefund(deps, subject.stripeRefundId)) === undefined ? "ignored" : "done";
    case "payout":
      await settlePayout(deps, subject.payoutId);
      return "done";
    case "invoice":
      return outcomes.has(webhook.type) ? await applyInvoice(deps, webhook, subject) : "ignored";
    default:
      return "ignored";
  }
}

async function applyInvoice(
  deps: ActivityDependencies,
  webhook: WaitingWebhook,
  subject: Extract<WebhookSubject, { kind: "invoice" }>,
): Promise<"done" | "ignored"> {
  const { db, gateway } = deps;
  const invoice = await findInvoiceAtStripe(db.orm, subject.stripeInvoiceId);
  if (invoice === undefined) {
    // Ours, but its id has not been written down yet: the event came before our own call's answer.
    if (subject.invoiceId !== null)
      throw new Error(`invoice ${subject.invoiceId} is not known at Stripe yet`);
    return "ignored";
  }
  const clock = await testClockOf(db.orm, invoice.customerId);
  const now = clock?.currentAt ?? deps.now();
  await bookPayment(deps, subject.stripeInvoiceId, now);
  await recoverGivenUp(deps, invoice.id, isoOf(now));
  // Nobody else waits for a payment: whoever charges books it, and has ended by now.
  if (invoice.collectedBy === workflowIds.dunning(invoice.id)) {
    const reading = clock === undefined ? null : { clockId: clock.id, now: isoOf(clock.currentAt) };
    await gateway.tellInvoiceChanged(invoice.collectedBy, reading, webhook.event_id);
  }
  return "done";
}

/** Events after which an invoice stands otherwise than before. All others are about what we did ourselves. */
const outcomes = new Set(["invoice.paid", "invoice.voided", "invoice.marked_uncollectible"]);

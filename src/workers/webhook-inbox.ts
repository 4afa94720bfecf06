import type { Logger } from "pino";
import { AwaitedError, applyIntent, applyInvoice } from "../activities/apply-payment.ts";
import type { ActivityDependencies } from "../activities/dependencies.ts";
import { settleDispute } from "../activities/dispute-settle.ts";
import { applyChosenCard, applySetup } from "../activities/follow-cards.ts";
import { noteMeterErrors } from "../activities/note-meter-errors.ts";
import { settlePayout } from "../activities/payout-settle.ts";
import { settleRefund } from "../activities/refund-settle.ts";
import { applyCreditNote } from "../activities/tell-copies.ts";
import {
  claimWebhooks,
  finishWebhook,
  postponeWebhook,
  type WaitingWebhook,
} from "../db/billing/webhook-inbox.ts";
import { snapshotType, webhookSubject } from "../stripe/index.ts";
import { withCorrelationId } from "../temporal/correlation.ts";

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
    const level = error instanceof AwaitedError ? "debug" : "warn";
    logger[level]({ event_id: eventId, type, attempts, err: error }, "webhook postponed");
    await postponeWebhook(deps.db.orm, eventId, attempts, message).catch(() => {});
  }
}

/** Reads the object that a webhook is about, and books what has become of it. */
export async function applied(
  deps: ActivityDependencies,
  webhook: Pick<WaitingWebhook, "event_id" | "type" | "body">,
): Promise<"done" | "ignored"> {
  const subject = webhookSubject({ rawBody: webhook.body });
  const type = snapshotType(webhook.type);
  switch (subject.kind) {
    case "unread": {
      const object = await deps.rail.readObject(subject.path);
      return await applied(deps, { ...webhook, type, body: JSON.stringify({ data: { object } }) });
    }
    case "meter_errors":
      await noteMeterErrors(deps, subject.eventId);
      return "done";
    case "setup":
      return await applySetup(deps, subject.setupIntentId);
    case "customer":
      return webhook.type === "customer.updated"
        ? await applyChosenCard(deps, subject.stripeCustomerId)
        : "ignored";
    case "credit_note":
      return await applyCreditNote(deps, subject.stripeCreditNoteId);
    case "dispute":
      return await settleDispute(deps, subject.stripeDisputeId, webhook.event_id);
    case "refund":
      return (await settleRefund(deps, subject.stripeRefundId)) === undefined ? "ignored" : "done";
    case "payout":
      await settlePayout(deps, subject.payoutId);
      return "done";
    case "invoice":
      return outcomes.has(type) ? await applyInvoice(deps, subject, webhook.event_id) : "ignored";
    case "payment_intent":
      return outcomes.has(type) ? await applyIntent(deps, subject, webhook.event_id) : "ignored";
    default:
      return "ignored";
  }
}

/** Events after which an invoice stands otherwise than before. All others are about what we did ourselves. */
const outcomes = new Set([
  "invoice.paid",
  "invoice.voided",
  "invoice.marked_uncollectible",
  "payment_intent.succeeded",
]);

import { findCustomer } from "../db/billing/customers.ts";
import { findInvoice, updateInvoice } from "../db/billing/invoices.ts";
import { insertDunning, otherOpenDunning, updateDunning } from "../db/billing/payments.ts";
import { findSubscription, termsHistory, updateSubscription } from "../db/billing/subscriptions.ts";
import { inTransaction } from "../db/database.ts";
import { tellRecovered } from "../db/notices/notices-of-facts.ts";
import type { DunningState } from "../db/schema/billing.ts";
import { instant } from "../domain/calendar/index.ts";
import { invariant } from "../domain/errors.ts";
import { termsAt } from "../domain/invoicing/index.ts";
import { type DunningPolicy, defaultDunningPolicy } from "../domain/lifecycle/index.ts";
import { WorkflowRefusal } from "../temporal/workflow-refusal.ts";
import * as messages from "../workflows/messages.ts";
import { lockedSubscription } from "./apply-change.ts";
import type { ActivityDependencies } from "./dependencies.ts";

export interface EndDunningInput {
  readonly invoiceId: string;
  readonly outcome: "recovered" | "exhausted" | "closed";
  readonly attempts: number;
  readonly at: string;
}

/** Writes down that dunning is at work, marks the subscription past due, and answers with the policy that was agreed. */
export async function openDunning(
  deps: ActivityDependencies,
  { invoiceId, startedAt }: { invoiceId: string; startedAt: string },
): Promise<DunningPolicy> {
  const { invoice, clock } = await load(deps, invoiceId, startedAt);
  const { subscriptionId } = invoice;
  await inTransaction(deps.db, async (tx) => {
    await insertDunning(tx, { invoiceId, state: "retrying", attempts: 1, startedAt: instant(startedAt) });
    // From here on webhooks about the invoice are told to the dunning.
    await updateInvoice(tx, invoiceId, { collectedBy: messages.workflowIds.dunning(invoiceId) });
    if (subscriptionId === null) return;
    const { status } = await lockedSubscription(tx, subscriptionId);
    if (status === "active") await updateSubscription(tx, subscriptionId, { status: "past_due" });
  });
  if (subscriptionId === null) return defaultDunningPolicy;
  await deps.gateway.tellPaymentStanding(subscriptionId, clock, true, `past-due/${invoiceId}`);
  const terms = termsAt(await termsHistory(deps.db.orm, subscriptionId), invoice.issuedAt);
  return terms.items[0]?.plan.dunning ?? defaultDunningPolicy;
}

/** Keeps what a customer's page shows of a dunning that goes on. */
export async function noteDunning(
  { db }: ActivityDependencies,
  note: { invoiceId: string; attempts: number; state: DunningState; nextAttemptAt: string | null },
): Promise<void> {
  const { invoiceId, nextAttemptAt, ...rest } = note;
  await updateDunning(db.orm, invoiceId, {
    ...rest,
    nextAttemptAt: nextAttemptAt === null ? null : instant(nextAttemptAt),
  });
}

/** The end of a dunning: the subscription is active again, or the policy's final action is taken. */
export async function endDunning(deps: ActivityDependencies, input: EndDunningInput): Promise<void> {
  const { invoiceId, outcome, attempts, at } = input;
  const { invoice, clock } = await load(deps, invoiceId, at);
  const { subscriptionId } = invoice;
  const recovers = await inTransaction(deps.db, async (tx) => {
    const endedAt = instant(at);
    await updateDunning(tx, invoiceId, { state: outcome, attempts, nextAttemptAt: null, endedAt });
    if (outcome === "recovered") await tellRecovered(tx, invoice, endedAt);
    if (subscriptionId === null || outcome === "exhausted") return false;
    const { status } = await lockedSubscription(tx, subscriptionId);
    if (await otherOpenDunning(tx, subscriptionId, invoiceId)) return false;
    if (status === "past_due") await updateSubscription(tx, subscriptionId, { status: "active" });
    // Also when an earlier attempt of this step did it and died before it could say so.
    return status === "past_due" || status === "active";
  });
  if (subscriptionId === null) return;
  if (recovers) {
    await deps.gateway.tellPaymentStanding(subscriptionId, clock, false, `recovered/${invoiceId}`);
  }
  if (outcome === "exhausted") await takeFinalAction(deps, subscriptionId, invoiceId, at);
}

/** It is ending, ended or paused already. Any other refusal is seen by a person, never passed over. */
const nothingLeftToDo = new Set([
  "subscription_already_canceling",
  "subscription_canceled",
  "subscription_paused",
  "workflow_ended",
]);

async function takeFinalAction(
  { db, gateway }: ActivityDependencies,
  subscriptionId: string,
  invoiceId: string,
  at: string,
): Promise<void> {
  const row = await findSubscription(db.orm, subscriptionId);
  if (row === undefined || row.status === "canceled") return;
  const terms = termsAt(await termsHistory(db.orm, subscriptionId), instant(at));
  const { finalAction } = terms.items[0]?.plan.dunning ?? defaultDunningPolicy;
  const requestId = `dunning/${invoiceId}`;
  try {
    if (finalAction === "cancel") {
      // Nothing is given back for time that was never paid for.
      await gateway.commandSubscription(subscriptionId, messages.cancel, {
        requestId,
        at,
        when: "now",
        credit: "none",
      });
    }
    if (finalAction === "pause") {
      await gateway.commandSubscription(subscriptionId, messages.pause, { requestId, at });
    }
  } catch (error) {
    if (!(error instanceof WorkflowRefusal && nothingLeftToDo.has(error.code))) throw error;
  }
}

async function load({ db }: ActivityDependencies, invoiceId: string, now: string) {
  const invoice = await findInvoice(db.orm, invoiceId);
  invariant(invoice, `invoice ${invoiceId} exists`);
  const customer = await findCustomer(db.orm, invoice.customerId);
  const clockId = customer?.testClockId ?? null;
  return { invoice, clock: clockId === null ? null : { clockId, now } };
}

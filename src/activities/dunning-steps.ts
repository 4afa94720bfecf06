import { findCustomer } from "../db/billing/customers.ts";
import { openDisputesOf } from "../db/billing/disputes.ts";
import { recentPaymentTimes } from "../db/billing/dunning-policies.ts";
import { subscriptionsOfInvoice } from "../db/billing/invoice-parts.ts";
import { findInvoice, type StoredInvoice, updateInvoice } from "../db/billing/invoices.ts";
import { findDunning, insertDunning, otherOpenDunning, updateDunning } from "../db/billing/payments.ts";
import { findSubscription, lockCustomer, updateSubscription } from "../db/billing/subscriptions.ts";
import { inTransaction, type Tx } from "../db/database.ts";
import { tellRecovered } from "../db/notices/notices-of-facts.ts";
import type { OpenDunningState } from "../db/schema/dunning.ts";
import { type Instant, instant } from "../domain/calendar/index.ts";
import { invariant } from "../domain/errors.ts";
import {
  type DunningOutcome,
  type DunningPolicy,
  defaultDunningTerms,
  dunningPolicy,
  type FinalAction,
  hourOfMostPayments,
} from "../domain/lifecycle/index.ts";
import { WorkflowRefusal } from "../temporal/workflow-refusal.ts";
import * as messages from "../workflows/messages.ts";
import { lockedSubscription } from "./apply-change.ts";
import type { ActivityDependencies } from "./dependencies.ts";
import { type DunningSaying, sayOfDunning } from "./dunning-notices.ts";
import { policyToBegin } from "./policy-of-invoice.ts";

/** What a dunning goes by, from its beginning to its end. */
export interface DunningFacts {
  readonly policy: DunningPolicy;
  readonly timeZone: string;
  readonly learntHour: number | null;
  /** Disputes about the invoice that were open when it began. */
  readonly disputes: readonly string[];
}

/** Writes down that dunning is at work, marks the subscriptions past due, and answers with the policy that counts. */
export async function openDunning(
  deps: ActivityDependencies,
  { invoiceId, startedAt }: { invoiceId: string; startedAt: string },
): Promise<DunningFacts> {
  const { invoice, subscriptions, clock, timeZone } = await load(deps, invoiceId, startedAt);
  const facts = await inTransaction(deps.db, async (tx) => {
    await lockCustomer(tx, invoice.customerId);
    await begin(tx, invoice, timeZone, instant(startedAt));
    // From here on webhooks about the invoice are told to the dunning.
    await updateInvoice(tx, invoiceId, { collectedBy: messages.workflowIds.dunning(invoiceId) });
    const disputes = await openDisputesOf(tx, invoiceId);
    const row = await findDunning(tx, invoiceId);
    invariant(row?.policy, `the dunning of ${invoiceId} has begun`);
    for (const subscriptionId of subscriptions) {
      const { status } = await lockedSubscription(tx, subscriptionId);
      if (status === "active") await updateSubscription(tx, subscriptionId, { status: "past_due" });
    }
    return { policy: row.policy, timeZone: row.timeZone, learntHour: row.learntHour, disputes };
  });
  for (const subscriptionId of subscriptions) {
    await deps.gateway.tellPaymentStanding(subscriptionId, clock, true, `past-due/${invoiceId}`);
  }
  return facts;
}

/** What a dunning goes by is decided once: a policy that changes later is for later failures. */
async function begin(tx: Tx, invoice: StoredInvoice, timeZone: string, startedAt: Instant): Promise<void> {
  const { policy, policyKey } = await policyToBegin(tx, invoice);
  const paidAt = policy.learnsHour ? await recentPaymentTimes(tx, invoice.customerId) : [];
  await insertDunning(tx, {
    invoiceId: invoice.id,
    state: "retrying",
    attempts: 1,
    startedAt,
    policy,
    policyKey,
    timeZone,
    learntHour: hourOfMostPayments(
      paidAt.map((time) => instant(time)),
      timeZone,
    ),
  });
}

export interface DunningNote {
  readonly invoiceId: string;
  readonly at: string;
  readonly attempts: number;
  readonly state: OpenDunningState;
  /** When something happens next by itself; null while a dispute is open. */
  readonly nextAt: string | null;
  readonly why: string;
  readonly sayings: readonly DunningSaying[];
}

/** Keeps what a customer's page shows of a dunning that goes on, and what is to be said of what has happened. */
export async function noteDunning({ db }: ActivityDependencies, note: DunningNote): Promise<void> {
  const { invoiceId, attempts, state, why, sayings } = note;
  const nextAt = note.nextAt === null ? null : instant(note.nextAt);
  await inTransaction(db, async (tx) => {
    const nextAttemptAt = state === "retrying" ? nextAt : null;
    await updateDunning(tx, invoiceId, { attempts, state, why, nextAt, nextAttemptAt });
    await sayOfDunning(tx, { invoiceId, at: instant(note.at) }, sayings);
  });
}

export interface EndDunningInput {
  readonly invoiceId: string;
  readonly outcome: DunningOutcome;
  readonly attempts: number;
  readonly at: string;
  readonly sayings: readonly DunningSaying[];
}

/** The end of a dunning: the subscriptions are active again, or the policy's final action is taken on each. */
export async function endDunning(deps: ActivityDependencies, input: EndDunningInput): Promise<void> {
  const { invoiceId, outcome, attempts, at, sayings } = input;
  const { invoice, subscriptions, clock } = await load(deps, invoiceId, at);
  const { finalAction, notices } = (await findDunning(deps.db.orm, invoiceId))?.policy ?? usualPolicy;
  const goesOn = outcome !== "exhausted" || finalAction === "keep_active";
  const recovering = await inTransaction(deps.db, async (tx) => {
    const ended = { state: outcome, attempts, nextAttemptAt: null, nextAt: null, why: null } as const;
    await updateDunning(tx, invoiceId, { ...ended, endedAt: instant(at) });
    await sayOfDunning(tx, { invoiceId, at: instant(at) }, sayings);
    if (outcome === "recovered" && notices.recovered !== null) await tellRecovered(tx, invoice, instant(at));
    return goesOn ? await reactivated(tx, subscriptions, invoiceId) : [];
  });
  for (const subscriptionId of recovering) {
    await deps.gateway.tellPaymentStanding(subscriptionId, clock, false, `recovered/${invoiceId}`);
  }
  if (outcome !== "exhausted") return;
  for (const subscriptionId of subscriptions) {
    await takeFinalAction(deps, subscriptionId, { invoiceId, at, finalAction });
  }
}

const usualPolicy = dunningPolicy(defaultDunningTerms);

/** Those that go on. */
async function reactivated(
  tx: Tx,
  subscriptions: readonly string[],
  exceptInvoice: string,
): Promise<string[]> {
  const goingOn: string[] = [];
  for (const subscriptionId of subscriptions) {
    if (await reactivates(tx, subscriptionId, exceptInvoice)) goingOn.push(subscriptionId);
  }
  return goingOn;
}

/** Unless other invoices keep it past due. */
async function reactivates(tx: Tx, subscriptionId: string, exceptInvoice: string): Promise<boolean> {
  const { status } = await lockedSubscription(tx, subscriptionId);
  if (await otherOpenDunning(tx, subscriptionId, exceptInvoice)) return false;
  if (status === "past_due") await updateSubscription(tx, subscriptionId, { status: "active" });
  // Also when an earlier attempt of this step did it and died before it could say so, and to who waits for a first payment.
  return status === "past_due" || status === "active" || status === "incomplete";
}

/** An invoice that was given up has been paid after all: the subscriptions that it kept past due go on. */
export async function recoverGivenUp(
  deps: ActivityDependencies,
  invoiceId: string,
  at: string,
): Promise<void> {
  const { invoice, subscriptions, clock } = await load(deps, invoiceId, at);
  const dunning = await findDunning(deps.db.orm, invoiceId);
  if (dunning?.state !== "exhausted" || invoice.status !== "paid") return;
  const recovering = await inTransaction(deps.db, (tx) => reactivated(tx, subscriptions, invoiceId));
  for (const subscriptionId of recovering) {
    await deps.gateway.tellPaymentStanding(subscriptionId, clock, false, `recovered/${invoiceId}`);
  }
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
  { invoiceId, at, finalAction }: { invoiceId: string; at: string; finalAction: FinalAction },
): Promise<void> {
  const row = await findSubscription(db.orm, subscriptionId);
  if (row === undefined || row.status === "canceled") return;
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
  const clock = clockId === null ? null : { clockId, now };
  const subscriptions = await subscriptionsOfInvoice(db.orm, invoiceId);
  return { invoice, subscriptions, clock, timeZone: customer?.timeZone ?? "UTC" };
}

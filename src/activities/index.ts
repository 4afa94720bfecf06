import type { CollectionInput, DunningInput } from "../workflows/messages.ts";
import { type ApplyChangeInput, applyChange } from "./apply-change.ts";
import { type ApplyScheduledInput, applyScheduled } from "./apply-scheduled.ts";
import {
  type CollectInput,
  collectInvoice,
  giveUpInvoice,
  type InvoiceAt,
  type PayInput,
  payInvoice,
  settleInvoice,
} from "./collect-invoice.ts";
import { type CollectPagesOptions, collectPageOf } from "./collect-pages.ts";
import type { CycleOptions } from "./cycle-activities.ts";
import type { ActivityDependencies } from "./dependencies.ts";
import { type EndDunningInput, endDunning, noteDunning, openDunning } from "./dunning-steps.ts";
import { atTheEdge } from "./edge.ts";
import { issueCreditPurchase } from "./issue-credit-purchase.ts";
import { type ClockMove, moveClock } from "./move-test-clock.ts";
import { type OpenSubscriptionInput, openSubscription } from "./open-subscription.ts";
import { readInvoiceStatus } from "./read-invoice-status.ts";
import { sendRefund, startRefunds } from "./refund-send.ts";
import {
  type CancellationInput,
  endSubscription,
  type ScheduleInput,
  scheduleCancellation,
  scheduleChange,
  uncancel,
  withdrawScheduled,
} from "./schedule-change.ts";
import { type ActivationInput, settleActivation } from "./settle-activation.ts";
import { startBillingCycle } from "./start-billing-cycle.ts";
import { type WithdrawnInvoice, withdrawInvoice } from "./void-invoice.ts";

export { type CycleActivities, type CycleOptions, cycleActivities } from "./cycle-activities.ts";
export type { ActivityDependencies } from "./dependencies.ts";

export type DatabaseActivities = ReturnType<typeof databaseActivities>;
export type StripeActivities = ReturnType<typeof stripeActivities>;

/** What workflows have done in our own database, and which runs they begin, on the billing queue. */
export function databaseActivities(deps: ActivityDependencies, { closing }: Pick<CycleOptions, "closing">) {
  const { db } = deps;
  return atTheEdge({
    openSubscription: async (input: OpenSubscriptionInput) => {
      const opened = await openSubscription(db, input, deps.trialGate);
      return { ...opened, standing: { ...opened.standing, closing } };
    },
    applyChange: (input: ApplyChangeInput) => applyChange(db, input),
    applyScheduled: (input: ApplyScheduledInput) => applyScheduled(db, input),
    scheduleChange: (input: ScheduleInput) => scheduleChange(db, input),
    withdrawScheduled: (input: Parameters<typeof withdrawScheduled>[1]) => withdrawScheduled(db, input),
    scheduleCancellation: (input: CancellationInput) => scheduleCancellation(db, input),
    uncancel: (input: Parameters<typeof uncancel>[1]) => uncancel(db, input),
    settleActivation: (input: ActivationInput) => settleActivation(db, input),
    endSubscription: (input: Parameters<typeof endSubscription>[1]) => endSubscription(db, input),
    issueCreditPurchase: (input: { grantId: string; at: string }) => issueCreditPurchase(db, input),
    readInvoiceStatus: ({ invoiceId }: { invoiceId: string }) => readInvoiceStatus(db, invoiceId),
    openDunning: (input: { invoiceId: string; startedAt: string }) => openDunning(deps, input),
    noteDunning: (input: Parameters<typeof noteDunning>[1]) => noteDunning(deps, input),
    endDunning: (input: EndDunningInput) => endDunning(deps, input),
    startBillingCycle: (input: Parameters<typeof startBillingCycle>[1]) => startBillingCycle(deps, input),
    startCollection: (input: CollectionInput) => deps.gateway.startCollection(input),
    startDunning: (input: DunningInput) => deps.gateway.startDunning(input),
    startRefunds: (input: Parameters<typeof startRefunds>[1]) => startRefunds(deps, input),
    moveTestClock: (move: ClockMove) => moveClock(db, move),
    findStarted: async ({ workflowId }: { workflowId: string }) => ({
      hasRun: await deps.gateway.hasRun(workflowId),
    }),
  });
}

/** What calls Stripe, on a queue of its own. */
export function stripeActivities(deps: ActivityDependencies, pages: CollectPagesOptions) {
  return atTheEdge({
    collectInvoice: (input: CollectInput) => collectInvoice(deps, input),
    collectDuePage: collectPageOf(deps, pages),
    payInvoice: (input: PayInput) => payInvoice(deps, input),
    settleInvoice: (input: InvoiceAt) => settleInvoice(deps, input),
    giveUpInvoice: (input: InvoiceAt) => giveUpInvoice(deps, input),
    voidInvoice: (input: WithdrawnInvoice) => withdrawInvoice(deps, input),
    sendRefund: (input: { refundId: string }) => sendRefund(deps, input),
  });
}

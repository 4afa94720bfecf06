import { InvoiceNotVoidableError, SubscriptionRuleError } from "../../../src/domain/invoicing/index.ts";
import {
  cancel,
  changePlan,
  changeQuantity,
  endTrial,
  uncancel,
  withdrawScheduled,
} from "../../../src/workflows/messages.ts";
import { resultOf } from "../../workflows/support/runs.ts";
import type { Scene, SceneClock } from "../../workflows/support/scene.ts";
import {
  type ActivityName,
  declined,
  nothingApplied,
  type StandIns,
} from "../../workflows/support/stand-ins.ts";
import { beginSubscription } from "../../workflows/support/subscriptions.ts";
import { date, inJanuary, january, march, paying, type Recorded, runOf } from "./recorded.ts";

type AnswerOf<Name extends ActivityName> = Awaited<ReturnType<StandIns["activities"][Name]>>;

/** Periods count from the date since then. */
const fromDate = { at: date, unit: "month", count: 1, timeZone: "UTC", from: date, periodIndex: 0 } as const;

export async function changesAhead(scene: Scene): Promise<Recorded> {
  const clock = await scene.startClock(january);
  paying(scene, clock);
  const anchored = await beginSubscription(scene, clock);
  const issued = [{ invoiceId: scene.id("inv"), collect: true }];
  applying(scene, { planKey: "yearly", anchor: fromDate, issued });
  await anchored.send(changePlan, { at: inJanuary, planKey: "yearly", when: { at: date } });
  const anchoredRun = await runOf(scene, anchored.workflowId);
  await clock.advance(march);

  const boundary = await beginSubscription(scene, clock);
  applying(scene, {});
  await boundary.send(changeQuantity, { at: march, seats: 7, when: "period_end" });
  const boundaryRun = await runOf(scene, boundary.workflowId);
  await clock.advance("2026-05-10T00:00:00.000Z");
  return {
    "subscription-change-ahead-with-anchor": { workflowId: anchored.workflowId, runId: anchoredRun },
    "subscription-change-ahead-at-boundary": { workflowId: boundary.workflowId, runId: boundaryRun },
  };
}

/** Everything that was agreed for later is taken back, one thing is refused, and it ends inside a period. */
export async function changesAheadTakenBack(scene: Scene): Promise<Recorded> {
  const clock = await scene.startClock(january);
  const { send, workflowId } = await beginSubscription(scene, clock);
  const later = { at: inJanuary, seats: 7, when: { at: date } };
  await send(changeQuantity, { ...later, requestId: "later" });
  await send(withdrawScheduled, { at: inJanuary, changeId: "later" });
  scene.standIns.on("scheduleChange", () => {
    throw new SubscriptionRuleError("plan_not_found", "there is no such plan");
  });
  await send(changeQuantity, later).catch(() => {});
  await send(cancel, { at: inJanuary, when: { at: date } });
  await send(uncancel, { at: inJanuary });
  await send(cancel, { at: inJanuary, when: { at: date } });
  await clock.advance(march);
  await resultOf(scene.client, workflowId);
  return { "subscription-changes-ahead-taken-back": { workflowId } };
}

/** A trial that is converted, one that ends in each other way, and one that is ended by a command. */
export async function trials(scene: Scene): Promise<Recorded> {
  const outcomes = {
    converted: { anchor: fromDate, issued: [{ invoiceId: scene.id("inv"), collect: true }] },
    canceled: { status: "canceled", cancelAt: date },
    paused: { status: "paused" },
  } as const;
  const recorded: Record<string, Recorded[string]> = {};
  for (const [name, outcome] of Object.entries(outcomes)) {
    applying(scene, outcome);
    const { clock, workflowId } = await beginTrial(scene);
    const runId = await runOf(scene, workflowId);
    await clock.advance(march);
    recorded[`subscription-trial-${name}`] = { workflowId, runId };
  }
  return { ...recorded, "subscription-trial-ended": await aTrialEndedByCommand(scene) };
}

async function aTrialEndedByCommand(scene: Scene): Promise<Recorded[string]> {
  const { clock, workflowId, send } = await beginTrial(scene);
  scene.standIns.on("applyChange", ({ at }) => {
    const anchor = { ...fromDate, at, from: at };
    return { invoiceId: scene.id("inv"), collect: true, effectiveAt: at, anchor, dueAt: null };
  });
  await send(endTrial, { at: inJanuary });
  const runId = await runOf(scene, workflowId);
  await clock.advance(march);
  return { workflowId, runId };
}

async function beginTrial(scene: Scene) {
  const clock = await scene.startClock(january);
  paying(scene, clock);
  beginningWith(scene, { status: "trialing", dueAt: date });
  return { clock, ...(await beginSubscription(scene, clock)) };
}

/** Subscriptions that begin when their first invoice is paid. */
export async function firstPayments(scene: Scene): Promise<Recorded> {
  const clock = await scene.startClock(january);
  const paid = await waitingForPayment(scene, clock, "active");
  const later = await waitingForPayment(scene, clock, "incomplete", "active");
  await scene.gateway.tellPaymentStanding(later.subscriptionId, clock.reading(), false, "paid");
  const expiring = await scene.startClock(january);
  const expired = await waitingForPayment(scene, expiring, "incomplete", "incomplete_expired");
  await expiring.advance("2026-02-01T00:00:00.000Z");
  await resultOf(scene.client, expired.workflowId);
  return {
    "subscription-first-payment-paid": { workflowId: paid.workflowId },
    "subscription-first-payment-paid-later": { workflowId: later.workflowId },
    "subscription-first-payment-expired": { workflowId: expired.workflowId },
    "subscription-first-payment-in-the-last-moment": await aFirstPaymentInTheLastMoment(scene),
  };
}

/** Paid at Stripe when it is to be given up, which is booked minutes later. */
async function aFirstPaymentInTheLastMoment(scene: Scene): Promise<Recorded[string]> {
  const clock = await scene.startClock(january);
  const { workflowId } = await waitingForPayment(scene, clock, "incomplete", "incomplete", "active");
  scene.standIns.on("voidInvoice", () => {
    throw new InvoiceNotVoidableError("invoice_not_voidable", "it was paid at Stripe a moment ago");
  });
  await clock.advance("2026-02-02T00:00:00.000Z");
  return { workflowId };
}

type Settled = AnswerOf<"settleActivation">["status"];

/** Its first invoice is declined unless it settles as active at once; then it settles in this order. */
async function waitingForPayment(scene: Scene, clock: SceneClock, ...settled: readonly Settled[]) {
  const invoiceId = scene.id("inv");
  const firstPayment = { invoiceId, until: "2026-02-01T00:00:00.000Z" };
  if (settled[0] === "active") paying(scene, clock);
  else scene.standIns.on("payInvoice", declined("hard"));
  beginningWith(scene, { status: "incomplete", firstPayment }, { invoiceId, collect: true });
  scene.standIns.inTurn("settleActivation", ...settled.map((status) => () => ({ status })));
  return await beginSubscription(scene, clock);
}

function beginningWith(
  scene: Scene,
  standing: Partial<AnswerOf<"openSubscription">["standing"]>,
  issued: { readonly invoiceId?: string; readonly collect?: boolean } = {},
): void {
  const open = scene.standIns.behaviourOf("openSubscription");
  scene.standIns.on("openSubscription", async (input) => {
    const opened = await open(input);
    return { ...opened, ...issued, standing: { ...opened.standing, ...standing } };
  });
}

function applying(scene: Scene, outcome: Partial<AnswerOf<"applyScheduled">>): void {
  scene.standIns.on("applyScheduled", () => ({ ...nothingApplied, ...outcome }));
}

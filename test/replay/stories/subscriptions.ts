import { SubscriptionRuleError } from "../../../src/domain/invoicing/index.ts";
import {
  addAddOn,
  cancel,
  changePlan,
  changeQuantity,
  closingChanged,
  pause,
  removeAddOn,
  resume,
  standing,
  uncancel,
  workflowIds,
} from "../../../src/workflows/messages.ts";
import { resultOf } from "../../workflows/support/runs.ts";
import { type Scene, until } from "../../workflows/support/scene.ts";
import { beginSubscription } from "../../workflows/support/subscriptions.ts";
import { skipInCyclesToo, startSkipping } from "../../workflows/support/time-skipping.ts";
import { inJanuary, january, paying, type Recorded, runOf } from "./recorded.ts";

export async function aSubscriptionWithEveryCommand(scene: Scene): Promise<Recorded> {
  const clock = await scene.startClock(january);
  const { send, workflowId, subscriptionId } = await beginSubscription(scene, clock);
  await send(changePlan, { at: inJanuary, planKey: "team", seats: 3 });
  await send(changeQuantity, { at: inJanuary, seats: 5 });
  await send(addAddOn, { at: inJanuary, planKey: "extra", seats: 1 });
  await send(removeAddOn, { at: inJanuary, planKey: "extra" });
  await send(cancel, { at: inJanuary, when: "period_end" });
  await send(uncancel, { at: inJanuary });
  await send(pause, { at: inJanuary });
  await send(resume, { at: inJanuary });
  await scene.gateway.tellPaymentStanding(subscriptionId, clock.reading(), true, "past due");
  await scene.gateway.tellPaymentStanding(subscriptionId, clock.reading(), false, "recovered");
  const first = await runOf(scene, workflowId);
  await clock.advance("2026-03-01T00:00:00.000Z");
  const second = await runOf(scene, workflowId);
  await send(cancel, { at: "2026-03-01T00:00:00.000Z", when: "period_end" });
  await clock.advance("2026-05-01T00:00:00.000Z");
  return {
    "subscription-every-command": { workflowId, runId: first },
    "subscription-canceled-at-period-end": { workflowId, runId: second },
    "test-clock": { workflowId: workflowIds.testClock(clock.id) },
  };
}

export async function aSubscriptionThatIsPaidAndEnds(scene: Scene): Promise<Recorded> {
  const clock = await scene.startClock(january);
  const invoiceId = scene.id("inv");
  paying(scene, clock);
  const { send, workflowId } = await beginSubscription(scene, clock, { invoiceId });
  await clock.advance(inJanuary);
  await send(cancel, { at: inJanuary, when: "now" });
  await resultOf(scene.client, workflowId);
  const waiting = await beginSubscription(scene, clock);
  return { "subscription-canceled-now": { workflowId }, "subscription-waiting": waiting };
}

export async function anEndThatGivesMoneyBack(scene: Scene): Promise<Recorded> {
  const clock = await scene.startClock(january);
  const { send, workflowId } = await beginSubscription(scene, clock);
  scene.standIns.on("applyChange", ({ at }) => ({
    ...{ invoiceId: null, collect: false, effectiveAt: at },
    refunds: [scene.id("refund")],
  }));
  await clock.advance(inJanuary);
  await send(cancel, { at: inJanuary, when: "now", credit: "refund" });
  await resultOf(scene.client, workflowId);
  return { "subscription-canceled-with-refund": { workflowId } };
}

export async function aSubscriptionOnTheWallClock(scene: Scene): Promise<Recorded> {
  const subscriptionId = scene.id("sub");
  const workflowId = workflowIds.subscription(subscriptionId);
  skipInCyclesToo(scene);
  await startSkipping(scene, "subscription", workflowId, {
    subscriptionId,
    customerId: scene.id("cus"),
    clock: null,
    standing: {
      status: "active",
      cancelAt: "2027-03-31T00:00:00.000Z",
      anchor: { at: "2027-01-31T00:00:00.000Z", unit: "month", count: 1, timeZone: "UTC" },
      graceSeconds: 3600,
      periodIndex: 0,
      planKey: "solo",
      answered: [],
    },
  });
  const first = await runOf(scene, workflowId);
  await resultOf(scene.client, workflowId);
  await until(() => scene.standIns.asked("closePeriod").length === 2, "both periods are closed");
  const cycle = workflowIds.billingCycle(subscriptionId, "2027-01-31T00:00:00.000Z");
  return {
    "subscription-wall-clock": { workflowId, runId: first },
    "subscription-wall-clock-last": { workflowId },
    "billing-cycle-wall-clock": { workflowId: cycle },
  };
}

export async function changes(scene: Scene): Promise<Recorded> {
  const clock = await scene.startClock(january);
  const { send, subscriptionId, workflowId } = await beginSubscription(scene, clock);
  paying(scene, clock);
  const invoiceId = scene.id("inv");
  // What is not done at once is left to a run of its own.
  const notAtOnce = () => {
    throw new Error("the database is away");
  };
  scene.standIns.inTurn(
    "applyChange",
    notAtOnce,
    ({ at }) => ({ invoiceId, collect: true, effectiveAt: at }),
    notAtOnce,
    () => {
      throw new SubscriptionRuleError("plan_not_found", "there is no such plan");
    },
  );
  await send(changePlan, { requestId: "upgrade", at: inJanuary, planKey: "team" });
  await send(changePlan, { requestId: "refused", at: inJanuary, planKey: "gold" }).catch(() => {});
  await resultOf(scene.client, workflowIds.collection(invoiceId));
  return {
    "proration-invoiced": { workflowId: workflowIds.proration(subscriptionId, "upgrade") },
    "proration-refused": { workflowId: workflowIds.proration(subscriptionId, "refused") },
    "subscription-changes-not-at-once": { workflowId },
  };
}

/** The deployment says twice how periods are closed: as it begins, and while it waits. */
export async function aSubscriptionClosedInPages(scene: Scene): Promise<Recorded> {
  const open = scene.standIns.behaviourOf("openSubscription");
  scene.standIns.on("openSubscription", async (input) => {
    const opened = await open(input);
    return { ...opened, standing: { ...opened.standing, closing: { by: "paged", windowSeconds: 0 } } };
  });
  const subscriptionId = scene.id("sub");
  const at = new Date().toISOString();
  await scene.gateway.activateSubscription(
    { subscriptionId, customerId: scene.id("cus"), clock: null },
    { requestId: "activate", at, items: [{ planKey: "solo", seats: 1 }] },
  );
  const workflowId = workflowIds.subscription(subscriptionId);
  const run = scene.client.workflow.getHandle(workflowId);
  await run.signal(closingChanged, { by: "workflow", windowSeconds: 600 });
  const isTold = async () => (await run.query(standing))?.closing?.by === "workflow";
  await until(isTold, "it knows how its periods are closed");
  const endsAt = new Date().toISOString();
  await scene.gateway.commandSubscription(subscriptionId, cancel, {
    requestId: "end",
    at: endsAt,
    when: "now",
  });
  await resultOf(scene.client, workflowId);
  return { "subscription-closing-changed": { workflowId } };
}

import { InvariantViolation } from "../../../src/domain/errors.ts";
import { StripeCallError } from "../../../src/stripe/index.ts";
import { cancel, changeQuantity, resolveStep, workflowIds } from "../../../src/workflows/messages.ts";
import { resultOf, untilParked } from "../../workflows/support/runs.ts";
import { detailsOf, type Scene, until } from "../../workflows/support/scene.ts";
import { declined, dunningFacts } from "../../workflows/support/stand-ins.ts";
import { beginSubscription } from "../../workflows/support/subscriptions.ts";
import { startSkipping } from "../../workflows/support/time-skipping.ts";
import { april, date, inJanuary, january, march, paying, type Recorded } from "./recorded.ts";

/** Runs with a step that failed for good, and what operators decided about it. */

const broken = () => {
  throw new InvariantViolation("the lines sum to the total");
};

const refusedByStripe = () => {
  const failure = { kind: "invalid_request", code: "amount_too_large", param: null, message: "no" } as const;
  throw new StripeCallError("POST /v1/invoices", failure);
};

async function resolve(scene: Scene, workflowId: string, how: "retry" | "skip"): Promise<void> {
  await untilParked(scene.client, workflowId);
  await scene.client.workflow.getHandle(workflowId).executeUpdate(resolveStep, { args: [{ how }] });
  const isOpen = async () => (await detailsOf(scene.client, workflowId)).includes("**Parked**");
  await until(async () => !(await isOpen()), "it goes on");
}

/** A step that is tried again. */
export async function aParkedCollection(scene: Scene): Promise<Recorded> {
  const invoiceId = scene.id("inv");
  const workflowId = workflowIds.collection(invoiceId);
  scene.standIns.inTurn("collectInvoice", refusedByStripe, () => ({ status: "paid" }));
  const input = { invoiceId, customerId: scene.id("cus"), subscriptionId: null, clock: null };
  await scene.gateway.startCollection(input);
  await resolve(scene, workflowId, "retry");
  await resultOf(scene.client, workflowId);
  return { "collection-parked": { workflowId } };
}

/** A payment that Stripe is asked about, in vain, and a step that is skipped. */
export async function aDunningThatNobodyIsToldOf(scene: Scene): Promise<Recorded> {
  const invoiceId = scene.id("inv");
  const workflowId = workflowIds.dunning(invoiceId);
  scene.standIns.on("settleInvoice", broken);
  const terms = { retryAfterDays: [3], finalAction: "keep_active", accessGraceDays: 7 } as const;
  scene.standIns.on("openDunning", () => dunningFacts(terms));
  const input = { invoiceId, customerId: scene.id("cus"), subscriptionId: null, clock: null };
  const failed = { startedAt: april, lastDecline: "soft" as const };
  await startSkipping(scene, "dunning", workflowId, { ...input, ...failed });
  await until(() => scene.standIns.asked("settleInvoice").length === 1, "Stripe is asked");
  await resolve(scene, workflowId, "skip");
  await resultOf(scene.client, workflowId);
  return { "dunning-nobody-told": { workflowId } };
}

export async function aParkedDunning(scene: Scene): Promise<Recorded> {
  const clock = await scene.startClock(april);
  const invoiceId = scene.id("inv");
  const workflowId = workflowIds.dunning(invoiceId);
  const facts = dunningFacts({ retryAfterDays: [3], finalAction: "keep_active", accessGraceDays: 7 });
  scene.standIns.inTurn("openDunning", broken, () => facts);
  scene.standIns.on("payInvoice", declined("soft"));
  const input = { invoiceId, customerId: scene.id("cus"), subscriptionId: scene.id("sub") };
  await scene.gateway.startCollection({ ...input, clock: clock.reading() });
  await resultOf(scene.client, workflowIds.collection(invoiceId));
  await resolve(scene, workflowId, "retry");
  await until(() => scene.standIns.asked("noteDunning").length === 1, "it waits for the next attempt");
  paying(scene, clock);
  await clock.advance("2026-04-10T00:00:00.000Z");
  await resultOf(scene.client, workflowId);
  return { "dunning-parked": { workflowId } };
}

/** Parked at a change that is due, and once more at its end. */
export async function aParkedSubscription(scene: Scene): Promise<Recorded> {
  const clock = await scene.startClock(january);
  const { send, workflowId } = await beginSubscription(scene, clock);
  const { standIns } = scene;
  standIns.inTurn("applyScheduled", broken, standIns.behaviourOf("applyScheduled"));
  standIns.inTurn("endSubscription", broken, standIns.behaviourOf("endSubscription"));
  await send(changeQuantity, { at: inJanuary, seats: 7, when: { at: date } });
  await scene.gateway.advanceTestClock(clock.id, date);
  await resolve(scene, workflowId, "retry");
  const clockSays = () => detailsOf(scene.client, workflowIds.testClock(clock.id));
  await until(async () => (await clockSays()).includes("ready"), "time has come there", clockSays);
  await send(cancel, { at: date, when: "period_end" });
  await scene.gateway.advanceTestClock(clock.id, march);
  await resolve(scene, workflowId, "retry");
  await resultOf(scene.client, workflowId);
  return { "subscription-parked": { workflowId } };
}

import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { changeQuantity, workflowIds } from "../../src/workflows/messages.ts";
import { resultOf } from "./support/runs.ts";
import { detailsOf, type Scene, until } from "./support/scene.ts";
import { sharedScene } from "./support/shared-scene.ts";
import { declined } from "./support/stand-ins.ts";
import { beginSubscription } from "./support/subscriptions.ts";

/** What operators see of every kind of run, and by what they find it, whoever started it. */

let scene: Scene;
beforeAll(async () => {
  scene = await sharedScene();
});
afterAll(() => scene.close());
beforeEach(() => scene.standIns.reset());

const january = "2026-01-31T00:00:00.000Z";
const endOfFebruary = "2026-02-28T00:00:00.000Z";

async function labelOf(workflowId: string) {
  const description = await scene.client.workflow.getHandle(workflowId).describe();
  const found = description.typedSearchAttributes.getAll().map(({ key, value }) => [key.name, value]);
  return {
    summary: (await description.staticSummary()) ?? "",
    details: (await description.staticDetails()) ?? "",
    found: Object.fromEntries(found) as Record<string, unknown>,
  };
}

/** What is not done at once is left to a run of its own. */
const notAtOnce = () => {
  throw new Error("the database is away");
};

test("a subscription, its changes, its cycles and their clock", async () => {
  const clock = await scene.startClock(january);
  const { subscriptionId, customerId, workflowId, send } = await beginSubscription(scene, clock);
  const { standIns } = scene;
  standIns.inTurn("applyChange", notAtOnce, standIns.behaviourOf("applyChange"));
  await send(changeQuantity, { requestId: "more", at: january, seats: 2 });
  const ids = { CustomerId: customerId, SubscriptionId: subscriptionId, ClockId: clock.id };

  expect(await labelOf(workflowId)).toMatchObject({ summary: `${customerId} on solo`, found: ids });
  await clock.advance(endOfFebruary);
  expect(await labelOf(workflowIds.proration(subscriptionId, "more"))).toMatchObject({
    summary: `${customerId}: change_quantity`,
    details: expect.stringContaining("Change `more` (change_quantity)"),
    found: ids,
  });
  expect(await labelOf(workflowIds.billingCycle(subscriptionId, january))).toMatchObject({
    summary: `${customerId}, solo, period from 2026-01-31`,
    details: expect.stringContaining(`from ${january} to ${endOfFebruary}`),
    found: { ...ids, PlanId: "solo", PeriodEnd: new Date(endOfFebruary) },
  });
  expect(await labelOf(workflowIds.testClock(clock.id))).toMatchObject({
    summary: `Test clock ${clock.id}`,
    details: expect.stringContaining(clock.id),
    found: { ClockId: clock.id },
  });
});

test("what is started from outside: a cycle, a collection and the dunning after it", async () => {
  const [subscriptionId, customerId, invoiceId] = [scene.id("sub"), scene.id("cus"), scene.id("inv")];
  const whose = { subscriptionId, customerId, clock: null };
  const ids = { CustomerId: customerId, SubscriptionId: subscriptionId };
  const period = { periodStart: january, periodEnd: endOfFebruary, graceSeconds: 0 };
  await scene.gateway.startBillingCycle({ ...whose, ...period });
  expect(await labelOf(workflowIds.billingCycle(subscriptionId, january))).toMatchObject({
    summary: `${customerId}, period from 2026-01-31`,
    found: { ...ids, PeriodEnd: new Date(endOfFebruary) },
  });

  scene.standIns.on("payInvoice", declined("soft"));
  await scene.gateway.startCollection({ ...whose, invoiceId });
  await resultOf(scene.client, workflowIds.collection(invoiceId));
  expect(await labelOf(workflowIds.collection(invoiceId))).toMatchObject({
    summary: `Collection of ${invoiceId}`,
    details: expect.stringContaining(`of subscription \`${subscriptionId}\` of customer \`${customerId}\``),
    found: { ...ids, InvoiceId: invoiceId },
  });
  expect(await labelOf(workflowIds.dunning(invoiceId))).toMatchObject({
    summary: `Dunning of ${invoiceId}`,
    details: expect.stringContaining("(soft)"),
    found: { ...ids, InvoiceId: invoiceId, BillingStatus: "past_due" },
  });
  await scene.client.workflow.getHandle(workflowIds.dunning(invoiceId)).terminate("it is looked at");
});

test("a purchase of credits is found by its invoice as soon as that is issued", async () => {
  const [customerId, grantId] = [scene.id("cus"), scene.id("grant")];
  scene.standIns.on("payInvoice", async ({ invoiceId: paid }) => {
    await scene.paymentBooked(paid);
    return { status: "paid" };
  });
  const { invoiceId } = await scene.gateway.purchaseCredits({ customerId, grantId, clock: null }, january);
  const workflowId = workflowIds.topUp(customerId, grantId);
  await until(async () => (await labelOf(workflowId)).found.InvoiceId === invoiceId, "it is found");
  expect(await labelOf(workflowId)).toMatchObject({
    summary: `${customerId} buys credits`,
    details: expect.stringContaining(grantId),
    found: { CustomerId: customerId },
  });
  await resultOf(scene.client, workflowId);
});

test("a withdrawal says what it does while it does it", async () => {
  const [subscriptionId, customerId, invoiceId] = [scene.id("sub"), scene.id("cus"), scene.id("inv")];
  const letGo = scene.standIns.hold("voidInvoice");
  const input = { subscriptionId, customerId, invoiceId, clock: null };
  const withdrawing = scene.gateway.voidInvoice(input, { requestId: "void", at: january });
  await until(() => scene.standIns.asked("voidInvoice").length === 1, "it is voided");
  const workflowId = workflowIds.withdrawal(invoiceId);
  expect(await detailsOf(scene.client, workflowId)).toContain("is being voided");
  expect(await labelOf(workflowId)).toMatchObject({
    summary: `Withdrawal of ${invoiceId}`,
    details: expect.stringContaining(invoiceId),
    found: { CustomerId: customerId, SubscriptionId: subscriptionId, InvoiceId: invoiceId },
  });
  letGo();
  await withdrawing;
});

test("a collection says what it waits for, from its beginning", async () => {
  const invoiceId = scene.id("inv");
  const letGo = scene.standIns.hold("collectInvoice");
  const input = { invoiceId, customerId: scene.id("cus"), subscriptionId: null, clock: null };
  await scene.gateway.startCollection(input);
  const workflowId = workflowIds.collection(invoiceId);
  await until(() => scene.standIns.asked("collectInvoice").length === 1, "it is taken to Stripe");
  expect(await detailsOf(scene.client, workflowId)).toContain("is taken to Stripe");
  letGo();
  expect(await resultOf(scene.client, workflowId)).toBe("paid");
});

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { InvariantViolation } from "../../src/domain/errors.ts";
import { StripeCallError } from "../../src/stripe/index.ts";
import { tryAgain, workflowIds } from "../../src/workflows/messages.ts";
import { attentionOf, resultOf, untilParked } from "./support/runs.ts";
import { detailsOf, type Scene, until } from "./support/scene.ts";
import { sharedScene } from "./support/shared-scene.ts";

let scene: Scene;
beforeAll(async () => {
  scene = await sharedScene();
});
afterAll(() => scene.close());
beforeEach(() => scene.standIns.reset());

const april = "2026-04-01T00:00:00.000Z";
const may = "2026-05-01T00:00:00.000Z";

const broken = () => {
  throw new InvariantViolation("the lines sum to the total");
};

async function parkedCycle() {
  const clock = await scene.startClock(may);
  scene.standIns.on("closePeriod", broken);
  const period = { subscriptionId: scene.id("sub"), periodStart: april, periodEnd: may };
  const input = { ...period, customerId: scene.id("cus"), graceSeconds: 0, clock: clock.reading() };
  await scene.gateway.startBillingCycle(input);
  const workflowId = workflowIds.billingCycle(period.subscriptionId, april);
  return { clock, workflowId, ...(await untilParked(scene.client, workflowId)) };
}

describe("a step that fails for good", () => {
  test("parks the run: it is found, and says what is wrong and what to do", async () => {
    const { workflowId, details, errorClass } = await parkedCycle();
    expect(errorClass).toBe("invariant_violated");
    expect(details).toContain("closing the period failed with `invariant_violated`");
    expect(details).toContain("the lines sum to the total");
    expect(details).toContain("signal `tryAgain`");
    const run = scene.client.workflow.getHandle(workflowId);
    expect((await run.describe()).status.name).toBe("RUNNING");
    expect(scene.standIns.asked("closePeriod")).toHaveLength(1);
  });

  test("is tried again on an operator's word, and the run goes on as if nothing had been", async () => {
    const { workflowId } = await parkedCycle();
    scene.standIns.on("closePeriod", () => ({ outcome: "closed", invoiceId: null, collect: false }));
    await scene.client.workflow.getHandle(workflowId).signal(tryAgain);
    expect(await resultOf(scene.client, workflowId)).toBe("nothing_to_collect");
    await until(async () => (await attentionOf(scene.client, workflowId)) === false, "it needs no attention");
  });

  test("and is not mended, parks it again", async () => {
    const { workflowId } = await parkedCycle();
    await scene.client.workflow.getHandle(workflowId).signal(tryAgain);
    await until(() => scene.standIns.asked("closePeriod").length === 2, "it is tried again");
    expect((await untilParked(scene.client, workflowId)).errorClass).toBe("invariant_violated");
  });

  test("stops its test clock, which says what it waits for", async () => {
    const { clock, workflowId } = await parkedCycle();
    await scene.gateway.advanceTestClock(clock.id, "2026-06-01T00:00:00.000Z");
    const details = await detailsOf(scene.client, workflowIds.testClock(clock.id));
    expect(details).toContain(`waits for \`start:${workflowId}\``);
    scene.standIns.on("closePeriod", () => ({ outcome: "closed", invoiceId: null, collect: false }));
    await scene.client.workflow.getHandle(workflowId).signal(tryAgain);
    await until(() => clock.reading().now === "2026-06-01T00:00:00.000Z", "time goes on");
  });
});

test("a call that Stripe refuses parks the collection under its kind; one that may pass is tried again", async () => {
  const invoiceId = scene.id("inv");
  const failure = {
    kind: "invalid_request",
    code: "amount_too_large",
    param: null,
    message: "too much",
  } as const;
  scene.standIns.on("collectInvoice", () => {
    throw new StripeCallError("POST /v1/invoices", failure);
  });
  await scene.gateway.startCollection({
    invoiceId,
    customerId: scene.id("cus"),
    subscriptionId: null,
    clock: null,
  });
  const workflowId = workflowIds.collection(invoiceId);
  const { errorClass, details } = await untilParked(scene.client, workflowId);
  expect(errorClass).toBe("stripe_invalid_request");
  expect(details).toContain("collecting the invoice");
  scene.standIns.inTurn(
    "collectInvoice",
    () => {
      throw new StripeCallError("POST /v1/invoices", { kind: "unavailable" });
    },
    () => ({ status: "paid" }),
  );
  await scene.client.workflow.getHandle(workflowId).signal(tryAgain);
  expect(await resultOf(scene.client, workflowId)).toBe("paid");
  expect(scene.standIns.asked("collectInvoice")).toHaveLength(3);
});

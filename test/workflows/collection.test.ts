import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { workflowIds } from "../../src/workflows/messages.ts";
import { resultOf } from "./support/runs.ts";
import { type Scene, until } from "./support/scene.ts";
import { sharedScene } from "./support/shared-scene.ts";
import { declined } from "./support/stand-ins.ts";
import { startSkipping } from "./support/time-skipping.ts";

let scene: Scene;
beforeAll(async () => {
  scene = await sharedScene();
});
afterAll(() => scene.close());
beforeEach(() => scene.standIns.reset());

function anInvoice() {
  const invoiceId = scene.id("inv");
  const input = { invoiceId, customerId: scene.id("cus"), subscriptionId: null, clock: null };
  return { invoiceId, input, workflowId: workflowIds.collection(invoiceId) };
}

describe("a charge that succeeds", () => {
  test("is made once, and over with its answer: nobody waits for a webhook", async () => {
    const { invoiceId, input, workflowId } = anInvoice();
    await scene.gateway.startCollection(input);
    expect(await resultOf(scene.client, workflowId)).toBe("paid");
    expect(scene.standIns.steps()).toEqual(["collectInvoice", "payInvoice"]);
    expect(scene.standIns.asked("collectInvoice")).toMatchObject([{ invoiceId, collectedBy: workflowId }]);
  });

  test("is told of what happens meanwhile, and takes no notice", async () => {
    const { invoiceId, input, workflowId } = anInvoice();
    scene.standIns.on("payInvoice", async () => {
      await scene.paymentBooked(invoiceId);
      return { status: "paid" };
    });
    await scene.gateway.startCollection(input);
    expect(await resultOf(scene.client, workflowId)).toBe("paid");
  });

  test("is made again, as the same attempt, when the answer was lost", async () => {
    const { invoiceId, input, workflowId } = anInvoice();
    scene.standIns.inTurn(
      "collectInvoice",
      () => {
        throw new Error("the connection broke");
      },
      () => ({ status: "paid" }),
    );
    await startSkipping(scene, "collection", workflowId, input);
    expect(await resultOf(scene.client, workflowId)).toBe("paid");
    const [first, second] = scene.standIns.asked("collectInvoice");
    expect(first).toMatchObject({ invoiceId });
    expect(second).toEqual(first);
  });
});

describe("a charge that is declined", () => {
  test("hands the invoice over to dunning, which goes on after the collection has ended", async () => {
    const { invoiceId, input, workflowId } = anInvoice();
    scene.standIns.on("payInvoice", declined("hard"));
    await scene.gateway.startCollection(input);
    expect(await resultOf(scene.client, workflowId)).toBe("past_due");
    await until(() => scene.standIns.asked("noteDunning").length === 1, "dunning is at work");
    const dunning = scene.client.workflow.getHandle(workflowIds.dunning(invoiceId));
    expect((await dunning.describe()).status.name).toBe("RUNNING");
    scene.standIns.on("readInvoiceStatus", () => ({ status: "paid" }));
    await scene.paymentBooked(invoiceId);
    expect(await dunning.result()).toBe("recovered");
  });
});

test("a second start finds the first", async () => {
  const { input, workflowId } = anInvoice();
  await Promise.all([scene.gateway.startCollection(input), scene.gateway.startCollection(input)]);
  await resultOf(scene.client, workflowId);
  await scene.gateway.startCollection(input);
  expect(scene.standIns.asked("payInvoice")).toHaveLength(1);
});

test("a purchase of credits answers with its invoice and collects it", async () => {
  const { gateway, standIns, client } = scene;
  const clock = await scene.startClock("2026-04-01T00:00:00.000Z");
  const grantId = scene.id("grant");
  standIns.on("payInvoice", async ({ invoiceId }) => {
    await scene.paymentBooked(invoiceId, clock);
    return { status: "paid" };
  });
  const input = { grantId, customerId: scene.id("cus"), clock: clock.reading() };
  const bought = await gateway.purchaseCredits(input, clock.reading().now);
  expect(bought).toEqual({ invoiceId: `inv_${grantId}` });
  expect(await resultOf(client, workflowIds.topUp(input.customerId, grantId))).toBe("paid");
  await clock.advance("2026-04-02T00:00:00.000Z");
  expect(standIns.steps()).toEqual(["issueCreditPurchase", "collectInvoice", "payInvoice"]);
});

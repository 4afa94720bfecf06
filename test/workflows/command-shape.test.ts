import { WithStartWorkflowOperation } from "@temporalio/client";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { refusalOf } from "../../src/temporal/workflow-refusal.ts";
import { workflowIds } from "../../src/workflows/messages.ts";
import { acceptedUpdates } from "./support/runs.ts";
import type { Scene } from "./support/scene.ts";
import { sharedScene } from "./support/shared-scene.ts";
import { beginSubscription } from "./support/subscriptions.ts";

/** Whoever speaks to Temporal itself is refused by the run what our clients refuse before they ask. */

let scene: Scene;
beforeAll(async () => {
  scene = await sharedScene();
});
afterAll(() => scene.close());
beforeEach(() => scene.standIns.reset());

const january = "2026-01-31T00:00:00.000Z";
const named = { requestId: "raw", at: january };

/** What it was refused with. */
async function refusalFor(sent: Promise<unknown>) {
  const error = await sent.then(
    () => expect.fail("it is refused"),
    (thrown: unknown) => thrown,
  );
  return refusalOf(error);
}

test.each([
  ["changeQuantity", { ...named, seats: 0 }, "seats must be a whole number from 1 to 1000000"],
  ["changeQuantity", named, "seats is missing"],
  ["changePlan", { ...named, planKey: "a plan" }, "planKey must be 1 to 100 letters"],
  ["addAddOn", { ...named, planKey: "extra", seats: 2e6 }, "seats must be"],
  ["removeAddOn", named, "planKey is missing"],
  ["cancel", { ...named, when: "soon" }, "when must be"],
  ["pause", { ...named, requestId: "" }, "requestId must be"],
  ["pause", { ...named, resumesAt: january }, "resumesAt must be after 2026-01-31T00:00:00.000Z"],
  [
    "pause",
    { ...named, when: "period_end", resumesAt: "2026-02-27T00:00:00.000Z" },
    "resumesAt must be after 2026-02-28T00:00:00.000Z",
  ],
  ["resume", { ...named, at: "now" }, "at must be an instant"],
  ["endTrial", null, "must be an object"],
  ["uncancel", { at: january }, "requestId is missing"],
  ["withdrawScheduled", named, "changeId is missing"],
])("%s %j is refused before anything is written", async (name, command, message) => {
  const clock = await scene.startClock(january);
  const { workflowId } = await beginSubscription(scene, clock);
  const accepted = await acceptedUpdates(scene.client, workflowId);
  const sent = scene.client.workflow.getHandle(workflowId).executeUpdate(name, { args: [command] });
  expect(await refusalFor(sent)).toMatchObject({
    code: "request_invalid",
    message: expect.stringContaining(message),
  });
  expect(await acceptedUpdates(scene.client, workflowId)).toBe(accepted);
  expect(scene.standIns.steps()).toEqual(["openSubscription"]);
});

test.each([
  { why: "no seats", items: [{ planKey: "solo", seats: 0 }], message: "items[0].seats" },
  { why: "no items", items: [], message: "items must be" },
  { why: "no such customer's id", customerId: "a b", message: "customerId must be" },
])("activate, $why: nothing is opened", async ({ items, customerId, message }) => {
  const subscriptionId = scene.id("sub");
  const startWorkflowOperation = new WithStartWorkflowOperation("subscription", {
    workflowId: workflowIds.subscription(subscriptionId),
    taskQueue: scene.taskQueue,
    args: [{ subscriptionId, customerId: customerId ?? "acme", clock: null }],
    workflowIdConflictPolicy: "USE_EXISTING",
  });
  const sent = scene.client.workflow.executeUpdateWithStart("activate", {
    startWorkflowOperation,
    args: [{ ...named, items: items ?? [{ planKey: "solo", seats: 1 }] }],
  });
  expect(await refusalFor(sent)).toMatchObject({
    code: "request_invalid",
    message: expect.stringContaining(message),
  });
  expect(scene.standIns.steps()).toEqual([]);
});

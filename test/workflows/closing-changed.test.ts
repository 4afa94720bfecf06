import { afterAll, beforeAll, expect, test } from "vitest";
import { activate, closingChanged, standing, workflowIds } from "../../src/workflows/messages.ts";
import type { Scene } from "./support/scene.ts";
import { sharedScene } from "./support/shared-scene.ts";

let scene: Scene;
beforeAll(async () => {
  scene = await sharedScene();
});
afterAll(() => scene.close());

test("who closes is no matter before a subscription is active: a run that is told then goes on, and learns it when it begins", async () => {
  const subscriptionId = scene.id("sub");
  const workflowId = workflowIds.subscription(subscriptionId);
  const run = await scene.client.workflow.start("subscription", {
    workflowId,
    taskQueue: scene.taskQueue,
    args: [{ subscriptionId, customerId: scene.id("cus"), clock: null }],
  });
  await run.signal(closingChanged, { by: "paged", windowSeconds: 600 });
  const at = new Date().toISOString();
  const items = [{ planKey: "solo", seats: 1 }];
  await run.executeUpdate(activate, { args: [{ requestId: "activate", at, items }] });
  expect(await run.query(standing)).toMatchObject({ closing: { by: "workflow", windowSeconds: 0 } });

  await run.signal(closingChanged, { by: "paged", windowSeconds: 600 });
  expect(await run.query(standing)).toMatchObject({ closing: { by: "paged", windowSeconds: 600 } });
  const { events = [] } = await run.fetchHistory();
  expect(events?.filter((event) => event.workflowTaskFailedEventAttributes)).toEqual([]);
  await run.terminate("the test is over");
});

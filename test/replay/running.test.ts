import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { replayRunning } from "../../src/workers/replay-running.ts";
import { changePlan } from "../../src/workflows/messages.ts";
import { sharedServer } from "../support/shared-servers.ts";
import { type Scene, until } from "../workflows/support/scene.ts";
import { sharedScene } from "../workflows/support/shared-scene.ts";
import { beginSubscription } from "../workflows/support/subscriptions.ts";

/** Open runs of a server, replayed with code that is about to be rolled out. */

let scene: Scene;
beforeAll(async () => {
  scene = await sharedScene();
});
afterAll(() => scene.close());

const sample = { types: ["subscription", "testClock"], perType: 5 };

async function beginRuns(): Promise<void> {
  const clock = await scene.startClock("2026-01-31T00:00:00.000Z");
  const { send, workflowId } = await beginSubscription(scene, clock);
  await send(changePlan, { at: "2026-02-10T00:00:00.000Z", planKey: "team", seats: 3 });
  const query = `WorkflowId = '${workflowId}'`;
  await until(async () => (await scene.client.workflow.count(query)).count === 1, "it is found");
}

test("this code goes on with its own runs, and other code is told which it could not go on with", {
  timeout: 60_000,
}, async () => {
  await beginRuns();
  const { codePath } = await sharedServer("workflowBundle");
  const good = await replayRunning(scene.client, { workflowBundle: { codePath } }, sample);
  expect(good.replayed).toBeGreaterThanOrEqual(2);
  expect(good.stranded).toEqual([]);

  const workflowsPath = join(import.meta.dirname, "other-workflows.ts");
  const bad = await replayRunning(scene.client, { workflowsPath }, sample);
  expect(bad.replayed).toBe(good.replayed);
  expect(bad.stranded.length).toBeGreaterThan(0);
  expect(bad.stranded[0]?.workflowId).toMatch(/^(subscription|clock)\//);
});

import { randomBytes } from "node:crypto";
import type { Client } from "@temporalio/client";
import { NativeConnection, Worker } from "@temporalio/worker";
import { afterAll, beforeAll, expect, test } from "vitest";
import { connectTemporal } from "../../src/temporal/connect.ts";
import { TemporalGateway } from "../../src/temporal/gateway.ts";
import { versionOf } from "../../src/workers/worker-version.ts";
import * as workflows from "../../src/workflows/index.ts";
import { cyclesQueueOf, stripeQueueOf, workflowIds } from "../../src/workflows/messages.ts";
import { sharedServer } from "../support/shared-servers.ts";
import { installQuietRuntime } from "../support/temporal.ts";
import { until } from "../workflows/support/scene.ts";
import { StandIns } from "../workflows/support/stand-ins.ts";

/** Two builds of the workers at once, as in a gradual rollout: who moves to the newer one, and who stays. */

const taskQueue = `versions-${randomBytes(4).toString("hex")}`;
const deploymentName = taskQueue;
const namespace = "default";
const standIns = new StandIns();
const january = "2026-01-31T00:00:00.000Z";
const february = "2026-02-28T00:00:00.000Z";

let client: Client;
let gateway: TemporalGateway;
let connection: NativeConnection;
const stops: (() => Promise<void>)[] = [];

beforeAll(async () => {
  installQuietRuntime();
  const { address } = await sharedServer("temporal");
  client = await connectTemporal({ address, namespace, apiKey: undefined, tls: false, taskQueue });
  gateway = new TemporalGateway(client, taskQueue);
  connection = await NativeConnection.connect({ address });
});
afterAll(async () => {
  for (const stop of stops) await stop();
  await Promise.all([client.connection.close(), connection.close()]);
});

/** Starts the workers of a build, and waits until the server knows it. */
async function startBuild(buildId: string): Promise<void> {
  const { codePath } = await sharedServer("workflowBundle");
  const common = { connection, activities: standIns.activities, ...versionOf({ deploymentName, buildId }) };
  const workers = [
    await Worker.create({ ...common, taskQueue, workflowBundle: { codePath } }),
    await Worker.create({ ...common, taskQueue: stripeQueueOf(taskQueue) }),
    await Worker.create({ ...common, taskQueue: cyclesQueueOf(taskQueue) }),
  ];
  const running = Promise.all(workers.map((worker) => worker.run()));
  stops.push(async () => {
    for (const worker of workers) worker.shutdown();
    await running;
  });
  await until(
    async () => (await queuesOf(buildId)) === workers.length,
    `the server knows the build ${buildId}`,
  );
}

/** On how many queues the build was heard of. */
async function queuesOf(buildId: string): Promise<number> {
  const deploymentVersion = { deploymentName, buildId };
  try {
    const { versionTaskQueues } = await client.workflowService.describeWorkerDeploymentVersion({
      namespace,
      deploymentVersion,
    });
    return new Set(versionTaskQueues?.map(({ name }) => name)).size;
  } catch {
    return 0;
  }
}

const makeCurrent = (buildId: string) =>
  client.workflowService.setWorkerDeploymentCurrentVersion({ namespace, deploymentName, buildId });
const ramp = (buildId: string, percentage: number) =>
  client.workflowService.setWorkerDeploymentRampingVersion({
    namespace,
    deploymentName,
    buildId,
    percentage,
  });

/** The build that did the run's last task. */
async function buildOf(workflowId: string): Promise<string | undefined> {
  const { raw } = await client.workflow.getHandle(workflowId).describe();
  return raw.workflowExecutionInfo?.versioningInfo?.deploymentVersion?.buildId ?? undefined;
}

/** A period's run that waits out its grace. */
async function waitingCycle(
  clock: { clockId: string; now: string },
  subscriptionId: string,
): Promise<string> {
  const period = { periodStart: "2025-12-31T00:00:00.000Z", periodEnd: january, graceSeconds: 3_600 };
  await gateway.startBillingCycle({ subscriptionId, customerId: "cus_1", ...period, clock });
  const workflowId = workflowIds.billingCycle(subscriptionId, period.periodStart);
  await until(async () => (await buildOf(workflowId)) !== undefined, `${workflowId} has begun`);
  return workflowId;
}

test("every workflow says what becomes of its runs", () => {
  const named = Object.entries(workflows).map(([name, workflow]) => [
    name,
    typeof (workflow as { workflowDefinitionOptions?: unknown }).workflowDefinitionOptions,
  ]);
  expect(Object.fromEntries(named)).toEqual(
    Object.fromEntries(Object.keys(workflows).map((name) => [name, "function"])),
  );
});

test("in a rollout a subscription moves to the newer build, and a cycle ends on the build it began on", async () => {
  await startBuild("one");
  await makeCurrent("one");
  const clockId = `clock_${taskQueue}`;
  const clock = { clockId, now: january };
  await gateway.startTestClock(clock);
  const subscriptionId = `sub_${taskQueue}`;
  const subscription = workflowIds.subscription(subscriptionId);
  const items = [{ planKey: "solo", seats: 1 }];
  await gateway.activateSubscription(
    { subscriptionId, customerId: "cus_1", clock },
    { requestId: "activate", at: january, items },
  );
  const early = await waitingCycle(clock, `${subscriptionId}_early`);
  expect([await buildOf(subscription), await buildOf(early)]).toEqual(["one", "one"]);

  await startBuild("two");
  expect(await buildOf(await waitingCycle(clock, `${subscriptionId}_before`))).toBe("one");
  await ramp("two", 100);
  const late = await waitingCycle(clock, `${subscriptionId}_late`);
  expect(await buildOf(late)).toBe("two");

  await gateway.advanceTestClock(clockId, february);
  await client.workflow.getHandle(early).result();
  await client.workflow.getHandle(late).result();
  expect([await buildOf(early), await buildOf(late)]).toEqual(["one", "two"]);
  await until(async () => (await buildOf(subscription)) === "two", "the subscription has moved");
});

test("ramping sends a share of the new runs to the newer build, and back when it is taken back", async () => {
  const runs = 24;
  /** How many of some new runs go to the newer build. */
  const movedOf = async (name: string) => {
    const ids = Array.from({ length: runs }, (_, index) => `${taskQueue}/${name}/${index}`);
    const change = { changeId: name, at: january, change: { kind: "pause" } } as const;
    const input = { subscriptionId: "sub_1", customerId: "cus_1", ...change, clock: null };
    await Promise.all(
      ids.map((workflowId) =>
        client.workflow.execute(workflows.proration, { workflowId, taskQueue, args: [input] }),
      ),
    );
    const builds = await Promise.all(ids.map(buildOf));
    return builds.filter((build) => build === "two").length;
  };
  await ramp("two", 50);
  const half = await movedOf("half");
  // Each run is sent by its id: that all of them go one way has a chance of 2 in 2²⁴.
  expect(half).toBeGreaterThan(0);
  expect(half).toBeLessThan(runs);
  await ramp("two", 0);
  expect(await movedOf("back")).toBe(0);
  await makeCurrent("two");
  await until(async () => (await movedOf(`done ${performance.now()}`)) === runs, "all go to the newer build");
}, 60_000);

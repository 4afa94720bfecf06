import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Client } from "@temporalio/client";
import type { ActivityInterceptorsFactory } from "@temporalio/worker";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { ActivityDependencies } from "../../src/activities/index.ts";
import { loadTestConfig } from "../../src/config.ts";
import { freePort } from "../../src/sandbox/local-services/ports.ts";
import { createServiceGroup } from "../../src/sandbox/local-services/service-group.ts";
import { findTemporalCli } from "../../src/sandbox/local-services/temporal-cli.ts";
import { startTemporal } from "../../src/sandbox/local-services/temporal-server.ts";
import { connectTemporal, type TemporalTarget } from "../../src/temporal/connect.ts";
import { TemporalGateway } from "../../src/temporal/gateway.ts";
import { type RunningWorkers, startWorkers, type WorkerRole } from "../../src/workers/billing-workers.ts";
import { workflowIds } from "../../src/workflows/messages.ts";
import { sharedServer } from "../support/shared-servers.ts";
import { installQuietRuntime } from "../support/temporal.ts";

/**
 * What limits and orders the calls to Stripe, with the workers as they are started in production, on a server with the dynamic
 * configuration that docs/cycle-close.md asks for. Their activities are noted and not done.
 */
const group = createServiceGroup();
const folder = mkdtempSync(join(tmpdir(), "reckoner-throughput-"));
let temporal: TemporalTarget;
let client: Client;
let gateway: TemporalGateway;
let running: RunningWorkers[] = [];

beforeAll(async () => {
  installQuietRuntime();
  const { path: program } = await findTemporalCli(join(loadTestConfig().home, "bin"), () => {});
  const dynamicConfig = {
    "matching.enableFairness": true,
    "matching.numTaskqueueReadPartitions": 1,
    "matching.numTaskqueueWritePartitions": 1,
  };
  const place = { group, program, port: await freePort(), logFile: join(folder, "temporal.log") };
  const { address } = await startTemporal({ ...place, dynamicConfig });
  temporal = { address, namespace: "default", apiKey: undefined, tls: false, taskQueue: "throughput" };
  client = await connectTemporal(temporal);
});
afterEach(async () => {
  await Promise.all(running.map((workers) => workers.stop()));
  running = [];
});
afterAll(async () => {
  await client?.connection.close();
  await group.stopAll();
  rmSync(folder, { recursive: true, force: true });
});

interface Begun {
  readonly worker: string;
  readonly refundId: string;
  readonly at: number;
}

let begun: Begun[] = [];

async function work(worker: string, roles: WorkerRole[], limits: { atOnce: number; perSecond: number }) {
  const observeActivities: ActivityInterceptorsFactory = () => ({
    inbound: {
      async execute({ args }) {
        const [{ refundId }] = args as [{ refundId: string }];
        begun.push({ worker, refundId, at: performance.now() });
        return { state: "succeeded" };
      },
    },
  });
  running.push(
    await startWorkers({} as ActivityDependencies, {
      temporal,
      activityConcurrency: limits.atOnce,
      workflowConcurrency: 20,
      stripeRequestsPerSecond: limits.perSecond,
      closing: { by: "workflow", windowSeconds: 0 },
      closesAtOnce: 1,
      usageWaitMsMax: 0,
      roles,
      workflowBundle: await sharedServer("workflowBundle"),
      observeActivities,
    }),
  );
}

/** So many refunds of a customer ask for Stripe, one after the other, and nobody takes from its queue yet. */
async function ask(customerId: string, count: number): Promise<void> {
  for (let nth = 0; nth < count; nth++) {
    const refundId = `${customerId}-${nth}`;
    await gateway.startRefund({ refundId, invoiceId: `inv-${refundId}`, customerId, clock: null });
  }
  const last = client.workflow.getHandle(workflowIds.refund(`${customerId}-${count - 1}`));
  while ((await last.describe()).raw.pendingActivities?.length !== 1) await delay(20);
}

async function begin(queue: string): Promise<void> {
  begun = [];
  temporal = { ...temporal, taskQueue: queue };
  gateway = new TemporalGateway(client, queue);
  await work("workflows", ["interactive"], { atOnce: 10, perSecond: 1_000 });
}

async function untilBegun(count: number): Promise<void> {
  while (begun.length < count) await delay(20);
}

test("the limit of Stripe's calls holds over all workers", async () => {
  await begin("limited");
  await ask("acme", 40);
  // A collection is a mirror and a charge, so half as many activities begin in a second: eight.
  const limits = { atOnce: 20, perSecond: 16 };
  await Promise.all([work("one", ["stripe"], limits), work("other", ["stripe"], limits)]);
  await untilBegun(40);
  const times = begun.map(({ at }) => at).toSorted((one, other) => one - other);
  const seconds = (Number(times.at(-1)) - Number(times[0])) / 1_000;
  // The first second may bring as many at once; each worker by itself would be through in less than three.
  expect(seconds).toBeGreaterThan(32 / 8 - 0.5);
  expect(new Set(begun.map(({ worker }) => worker))).toEqual(new Set(["one", "other"]));
});

test("customers take turns: few of one do not wait for the many that another asked for before", async () => {
  await begin("fair");
  await ask("large", 60);
  await ask("small", 4);
  await work("one", ["stripe"], { atOnce: 1, perSecond: 1_000 });
  await untilBegun(64);
  const places = begun.flatMap(({ refundId }, place) => (refundId.startsWith("small") ? [place] : []));
  expect(places).toHaveLength(4);
  expect(Number(places.at(-1)), String(places)).toBeLessThan(20);
});

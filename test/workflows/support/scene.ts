import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { Client } from "@temporalio/client";
import { type ActivityInterceptorsFactory, NativeConnection, Worker } from "@temporalio/worker";
import { connectTemporal } from "../../../src/temporal/connect.ts";
import { dataConverterOf } from "../../../src/temporal/data-converter.ts";
import { TemporalGateway } from "../../../src/temporal/gateway.ts";
import type { PayloadKey } from "../../../src/temporal/payload-codec.ts";
import {
  type ClockReading,
  cyclesQueueOf,
  stripeQueueOf,
  workflowIds,
} from "../../../src/workflows/messages.ts";
import { StandIns } from "./stand-ins.ts";

/** The workflows as they are deployed, on a real Temporal server, with stand-ins for their activities. */
export interface Scene {
  readonly client: Client;
  readonly taskQueue: string;
  /** As the API and the activities use it. */
  readonly gateway: TemporalGateway;
  readonly standIns: StandIns;
  /** An id that no other test uses. */
  id(of: string): string;
  /** A test clock of its own. */
  startClock(at: string): Promise<SceneClock>;
  /** What Stripe's webhook about a paid invoice comes to: whoever collects it is told. */
  paymentBooked(invoiceId: string, clock?: SceneClock): Promise<void>;
  close(): Promise<void>;
}

export interface SceneClock {
  readonly id: string;
  /** What a run that is started now is told about time. */
  reading(): ClockReading;
  /** Moves the clock and waits until all that was due on the way is done. */
  advance(to: string): Promise<void>;
}

export interface SceneServers {
  /** HOST:PORT of a Temporal server. */
  readonly address: string;
  /** The file with the bundled workflows. */
  readonly codePath: string;
}

export interface SceneOptions {
  readonly taskQueue?: string;
  readonly observeActivities?: ActivityInterceptorsFactory;
  /** Without any, payloads are plain. */
  readonly payloadKeys?: readonly PayloadKey[];
}

export async function openScene(
  { address, codePath }: SceneServers,
  {
    taskQueue = `scene-${randomBytes(6).toString("hex")}`,
    observeActivities,
    payloadKeys = [],
  }: SceneOptions = {},
): Promise<Scene> {
  const target = { address, namespace: "default", apiKey: undefined, tls: false, taskQueue, payloadKeys };
  const client = await connectTemporal(target);
  const connection = await NativeConnection.connect({ address });
  const gateway = new TemporalGateway(client, taskQueue);
  const standIns = new StandIns(gateway);
  const { activities } = standIns;
  const interceptors = { activity: observeActivities === undefined ? [] : [observeActivities] };
  const common = { connection, activities, interceptors, dataConverter: dataConverterOf(payloadKeys) };
  const workers = [
    await Worker.create({ ...common, taskQueue, workflowBundle: { codePath } }),
    await Worker.create({ ...common, taskQueue: cyclesQueueOf(taskQueue) }),
    await Worker.create({ ...common, taskQueue: stripeQueueOf(taskQueue) }),
  ];
  const running = Promise.all(workers.map((worker) => worker.run()));
  const id = (of: string) => `${of}_${randomBytes(5).toString("hex")}`;
  return {
    client,
    taskQueue,
    gateway,
    standIns,
    id,
    startClock: (at) => startClock({ client, gateway, standIns }, id("clock"), at),
    async paymentBooked(invoiceId, clock) {
      const collector = standIns.collectedBy.get(invoiceId) ?? workflowIds.collection(invoiceId);
      await gateway.tellInvoiceChanged(
        collector,
        clock?.reading() ?? null,
        `evt_${randomBytes(5).toString("hex")}`,
      );
    },
    async close() {
      for (const worker of workers) worker.shutdown();
      await running;
      await Promise.all([client.connection.close(), connection.close()]);
    },
  };
}

async function startClock(
  { client, gateway, standIns }: Pick<Scene, "client" | "gateway" | "standIns">,
  clockId: string,
  at: string,
): Promise<SceneClock> {
  await gateway.startTestClock({ clockId, now: at });
  const details = () => detailsOf(client, workflowIds.testClock(clockId));
  const isReady = (text: string) => text.includes("ready") && !text.includes("waits for");
  return {
    id: clockId,
    reading() {
      const moved = standIns.asked("moveTestClock").findLast((move) => move.clockId === clockId);
      return { clockId, now: moved?.now ?? at };
    },
    async advance(to) {
      await gateway.advanceTestClock(clockId, to);
      await until(async () => isReady(await details()), `${clockId} is at ${to}`, details);
    },
  };
}

/** What operators read of a run in the Temporal UI. */
export async function detailsOf(client: Client, workflowId: string): Promise<string> {
  const handle = client.workflow.getHandle(workflowId);
  const { currentDetails = "" } = await handle.query<{ currentDetails?: string }>(
    "__temporal_workflow_metadata",
  );
  return currentDetails;
}

const patienceMs = 20_000;

/** Waits until something is so; fails with what it is that was waited for. */
export async function until(
  isSo: () => boolean | Promise<boolean>,
  what: string,
  explain: () => Promise<string> = async () => "",
): Promise<void> {
  const deadline = performance.now() + patienceMs;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`in vain was waited until ${what}\n${await explain()}`);
    await delay(15);
  }
}

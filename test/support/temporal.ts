import { randomBytes } from "node:crypto";
import { Client, type ClientOptions, Connection } from "@temporalio/client";
import { DefaultLogger, NativeConnection, Runtime, Worker, type WorkerOptions } from "@temporalio/worker";
import { cyclesQueueOf, stripeQueueOf } from "../../src/workflows/messages.ts";
import { sharedServer } from "./shared-servers.ts";

export interface TemporalHarnessOptions {
  /** Real activities or stand-ins, by name. */
  readonly activities: NonNullable<WorkerOptions["activities"]>;
  /** The file whose exports are the workflows; the project's own when left out. */
  readonly workflowsPath?: string;
  readonly worker?: Partial<WorkerOptions>;
  readonly client?: Partial<ClientOptions>;
}

export interface TemporalHarness {
  readonly client: Client;
  /** Takes the workflows and every activity but Stripe's, which are taken from the queues beside it. */
  readonly taskQueue: string;
  /** HOST:PORT, for workers of one's own. */
  readonly address: string;
  /** Runs the workflows, so that a test can stop it or start another. */
  readonly worker: Worker;
  /** A workflow id that no other test uses. */
  workflowId(name: string): string;
  close(): Promise<void>;
}

/** A client and workers for one test file, on task queues of its own on the run's shared server. */
export async function temporalHarness(options: TemporalHarnessOptions): Promise<TemporalHarness> {
  const [{ address }, workflows] = await Promise.all([sharedServer("temporal"), workflowsOf(options)]);
  installQuietRuntime();
  const connection = await Connection.connect({ address });
  const native = await NativeConnection.connect({ address });
  const name = `test-${randomBytes(6).toString("hex")}`;
  const { activities } = options;
  const common = { connection: native, activities, ...options.worker };
  const worker = await Worker.create({ ...common, ...workflows, taskQueue: name });
  // A worker without activities has nothing to take from the other queues, and may not exist.
  const hasActivities = Object.keys(activities).length > 0;
  const queues = hasActivities ? [cyclesQueueOf(name), stripeQueueOf(name)] : [];
  const others = await Promise.all(queues.map((taskQueue) => Worker.create({ ...common, taskQueue })));
  const workers = [worker, ...others];
  const running = Promise.all(workers.map((each) => each.run()));
  return {
    client: new Client({ connection, ...options.client }),
    taskQueue: name,
    address,
    worker,
    workflowId: (suffix) => `${name}/${suffix}`,
    async close() {
      for (const each of workers) if (each.getState() === "RUNNING") each.shutdown();
      await running;
      await Promise.all([connection.close(), native.close()]);
    },
  };
}

async function workflowsOf({ workflowsPath }: TemporalHarnessOptions): Promise<Partial<WorkerOptions>> {
  return workflowsPath === undefined
    ? { workflowBundle: await sharedServer("workflowBundle") }
    : { workflowsPath };
}

let isInstalled = false;

/** The native core has one logger for the whole process, set before its first use. */
export function installQuietRuntime(): void {
  if (!isInstalled) Runtime.install({ logger: new DefaultLogger("ERROR") });
  isInstalled = true;
}

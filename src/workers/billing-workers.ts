import {
  type ActivityInterceptorsFactory,
  NativeConnection,
  Worker,
  type WorkerOptions,
} from "@temporalio/worker";
import {
  type ActivityDependencies,
  type CycleOptions,
  cycleActivities,
  databaseActivities,
  stripeActivities,
} from "../activities/index.ts";
import type { TemporalTarget } from "../temporal/connect.ts";
import { dataConverterOf } from "../temporal/data-converter.ts";
import { cyclesQueueOf, stripeQueueOf } from "../workflows/messages.ts";
import { versionOf, type WorkerBuild } from "./worker-version.ts";
import { workflowSources } from "./workflow-sources.ts";

/**
 * What a process works at. interactive: workflows, and what changes and purchases have done in the database.
 * cycles: the closing of periods. stripe: calls to Stripe.
 */
export const workerRoles = ["interactive", "cycles", "stripe"] as const;
export type WorkerRole = (typeof workerRoles)[number];

export interface WorkerSettings extends CycleOptions {
  readonly temporal: TemporalTarget;
  readonly activityConcurrency: number;
  readonly workflowConcurrency: number;
  /** Which build of which deployment these are; not versioned when left out. */
  readonly build?: WorkerBuild | undefined;
  /** Over all workers: the limit belongs to the queue. */
  readonly stripeRequestsPerSecond: number;
  /** All of them when left out. */
  readonly roles?: readonly WorkerRole[];
  /** A bundle made beforehand; made at start when left out. */
  readonly workflowBundle?: WorkerOptions["workflowBundle"] | undefined;
  /** Laid around every activity; it runs without when left out. */
  readonly observeActivities?: ActivityInterceptorsFactory;
}

export interface RunningWorkers {
  /** Ends when a worker does, in failure when one fails. */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

/** A worker for each role of this process: each role has a queue, so that none of them waits behind another's work. */
export async function startWorkers(
  deps: ActivityDependencies,
  settings: WorkerSettings,
): Promise<RunningWorkers> {
  const { temporal, activityConcurrency, workflowConcurrency, observeActivities } = settings;
  const activity = observeActivities === undefined ? [] : [observeActivities];
  const { workflowsPath, workflowInterceptorModules, preloadModules } = workflowSources;
  const connection = await NativeConnection.connect({
    address: temporal.address,
    tls: temporal.tls,
    ...(temporal.apiKey === undefined ? {} : { apiKey: temporal.apiKey }),
  });
  const common = {
    connection,
    namespace: temporal.namespace,
    dataConverter: dataConverterOf(temporal.payloadKeys),
    ...versionOf(settings.build),
    maxConcurrentActivityTaskExecutions: activityConcurrency,
    shutdownGraceTime: "20s",
    shutdownForceTime: "40s",
  } satisfies WorkerOptions | { connection: NativeConnection };
  const rate = stripeRate(settings);
  const starters: Record<WorkerRole, () => Promise<Worker>> = {
    interactive: () =>
      Worker.create({
        ...common,
        taskQueue: temporal.taskQueue,
        activities: databaseActivities(deps, settings),
        maxConcurrentWorkflowTaskExecutions: workflowConcurrency,
        ...(settings.workflowBundle === undefined
          ? {
              workflowsPath,
              bundlerOptions: { preloadModules },
              interceptors: { activity, workflowModules: workflowInterceptorModules },
            }
          : { workflowBundle: settings.workflowBundle, interceptors: { activity } }),
      }),
    cycles: () =>
      Worker.create({
        ...common,
        taskQueue: cyclesQueueOf(temporal.taskQueue),
        activities: cycleActivities(deps, settings),
        interceptors: { activity },
      }),
    stripe: () =>
      Worker.create({
        ...common,
        taskQueue: stripeQueueOf(temporal.taskQueue),
        activities: stripeActivities(deps, { closing: settings.closing, invoicesPerSecond: rate }),
        interceptors: { activity },
        maxTaskQueueActivitiesPerSecond: rate,
      }),
  };
  const workers: Worker[] = [];
  for (const role of settings.roles ?? workerRoles) workers.push(await starters[role]());
  const ended = Promise.all(workers.map((worker) => worker.run())).then(() => connection.close());
  return {
    ended,
    async stop() {
      for (const worker of workers) if (worker.getState() === "RUNNING") worker.shutdown();
      await ended;
    },
  };
}

/**
 * How many activities of Stripe's queue begin in a second, over all workers, and beside them how many invoices of pages, of which
 * one at a time is under way. Collecting is a mirror and a charge, which count as two.
 */
function stripeRate({ closing, stripeRequestsPerSecond }: WorkerSettings): number {
  return stripeRequestsPerSecond / (closing.by === "paged" ? 4 : 2);
}

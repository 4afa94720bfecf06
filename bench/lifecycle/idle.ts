import { setTimeout as delay } from "node:timers/promises";
import postgres from "postgres";
import type { Note } from "../../src/sandbox/local-services/progress.ts";
import { workflowIds } from "../../src/workflows/messages.ts";
import { loadNow } from "../figures.ts";
import { addCustomers } from "../rating/billed-customers.ts";
import type { CpuByPart, SystemUnderTest } from "./system-under-test.ts";
import { activate, subscriptionOf } from "./workload.ts";

export interface IdleFigures {
  readonly load: number;
  readonly subscriptions: number;
  readonly startsPerSecond: number;
  /** Milliseconds of CPU for each start, by part. */
  readonly startCpuMs: CpuByPart;
  /** Bytes of database for each: of Temporal (undefined on the dev server), and ours. */
  readonly temporalBytesEach: number | undefined;
  readonly ourBytesEach: number;
  /** Of the run: what the server keeps of it. */
  readonly history: { readonly events: number; readonly bytes: number };
  readonly workerMiB: { readonly before: number; readonly after: number };
  readonly temporalMiB: { readonly before: number; readonly after: number };
  /** Cores in use while all of them wait, Temporal and the worker together. */
  readonly idleCores: number;
}

const idleSeconds = 20;

/** Opens subscriptions and lets them wait: what one costs to begin, and to have. */
export async function measureIdle(
  system: SystemUnderTest,
  subscriptions: number,
  note: Note,
): Promise<IdleFigures> {
  await addCustomers(system.db, subscriptions);
  const load = loadNow();
  const memory = () => ({ worker: system.memoryMiB("worker"), temporal: system.memoryMiB("temporal") });
  const [sizes, memoryBefore] = [await databaseSizes(system), memory()];
  const spent = system.cpu();
  // "pro" charges nothing in advance: nothing but the subscription itself is begun.
  const seconds = await activate(system, subscriptions, { plan: "pro", at: Date.now(), note });
  const startCpu = spent();
  note("waiting");
  await delay(3_000);
  const [sizesAfter, memoryAfter] = [await databaseSizes(system), memory()];
  const idle = system.cpu();
  await delay(idleSeconds * 1_000);
  const { temporal = 0, temporalDatabase = 0, worker = 0 } = idle();
  const described = await system.temporal.workflow
    .getHandle(workflowIds.subscription(subscriptionOf(0)))
    .describe();
  const each = (after: number, before: number) => Math.round((after - before) / subscriptions);
  return {
    load,
    subscriptions,
    startsPerSecond: rounded(subscriptions / seconds),
    startCpuMs: Object.fromEntries(
      Object.entries(startCpu).map(([part, cpu]) => [part, rounded((cpu * 1_000) / subscriptions)]),
    ),
    temporalBytesEach:
      sizes.temporal === undefined || sizesAfter.temporal === undefined
        ? undefined
        : each(sizesAfter.temporal, sizes.temporal),
    ourBytesEach: each(sizesAfter.ours, sizes.ours),
    history: { events: described.historyLength, bytes: described.historySize ?? Number.NaN },
    workerMiB: { before: memoryBefore.worker, after: memoryAfter.worker },
    temporalMiB: { before: memoryBefore.temporal, after: memoryAfter.temporal },
    idleCores: rounded((temporal + temporalDatabase + worker) / idleSeconds),
  };
}

async function databaseSizes({ owner, temporalDatabaseUrl }: SystemUnderTest) {
  const [{ ours }] = await owner.sql<[{ ours: bigint }]>`select pg_database_size(current_database()) as ours`;
  if (temporalDatabaseUrl === undefined) return { ours: Number(ours), temporal: undefined };
  const admin = postgres(temporalDatabaseUrl, { max: 1 });
  try {
    const [{ temporal }] = await admin<[{ temporal: string }]>`
      select sum(pg_database_size(datname)) as temporal from pg_database where datname like 'temporal%'`;
    return { ours: Number(ours), temporal: Number(temporal) };
  } finally {
    await admin.end();
  }
}

const rounded = (figure: number) => Math.round(figure * 100) / 100;

import { availableParallelism } from "node:os";
import { cpuMeter } from "../ledger/cpu.ts";
import type { Child, ProcessUse } from "./messages.ts";

/** One run of a measurement. */
export interface RateRun {
  readonly events: number;
  readonly seconds: number;
  readonly perSecond: number;
  /** Microseconds of CPU for each event: of PostgreSQL with all its backends, of the server process, of the sender. */
  readonly databaseMicros: number | undefined;
  readonly serverMicros: number | undefined;
  readonly senderMicros: number | undefined;
  /** Events a second that this CPU would be enough for, were this machine's cores busy with nothing else. */
  readonly perSecondByCpu: number | undefined;
  /** Of a request, in milliseconds. */
  readonly p50?: number;
  readonly p99?: number;
}

export interface Done {
  readonly events: number;
  readonly seconds: number;
  readonly p50?: number;
  readonly p99?: number;
}

export interface Watched {
  readonly databasePid: number;
  readonly server?: Child<unknown>;
  readonly sender?: Child<unknown>;
}

/** Runs some work, and says at what rate it went and what CPU it took, by process. */
export async function measured(watched: Watched, work: () => Promise<Done>): Promise<RateRun> {
  const use = async () => ({ server: await watched.server?.use(), sender: await watched.sender?.use() });
  const before = await use();
  const cpu = cpuMeter(watched.databasePid);
  const { events, seconds, ...latency } = await work();
  const database = cpu().server;
  const after = await use();
  const server = between(before.server, after.server);
  const sender = between(before.sender, after.sender);
  const micros = (cpuSeconds: number | undefined) =>
    cpuSeconds === undefined ? undefined : Math.round((cpuSeconds * 1e7) / events) / 10;
  const all = database === undefined ? undefined : database + (server ?? 0) + (sender ?? 0);
  return {
    events,
    seconds: Math.round(seconds * 1_000) / 1_000,
    perSecond: Math.round(events / seconds),
    databaseMicros: micros(database),
    serverMicros: micros(server),
    senderMicros: micros(sender),
    perSecondByCpu: all === undefined ? undefined : Math.round((availableParallelism() * events) / all),
    ...latency,
  };
}

const between = (before: ProcessUse | undefined, after: ProcessUse | undefined) =>
  before === undefined || after === undefined ? undefined : after.cpuSeconds - before.cpuSeconds;

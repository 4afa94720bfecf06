import { cpuMeter } from "../ledger/cpu.ts";
import type { Child } from "./messages.ts";

/** One run of a measurement. */
export interface RateRun {
  readonly events: number;
  readonly seconds: number;
  readonly perSecond: number;
  /** Microseconds of CPU for each event: of PostgreSQL with all its backends, of the server process, of the sender. */
  readonly databaseMicros: number | undefined;
  readonly serverMicros?: number;
  readonly senderMicros?: number;
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
export async function measured(
  { databasePid, server, sender }: Watched,
  work: () => Promise<Done>,
): Promise<RateRun> {
  const use = async () => ({ server: await server?.use(), sender: await sender?.use() });
  const before = await use();
  const cpu = cpuMeter(databasePid);
  const { events, seconds, ...latency } = await work();
  const database = cpu().server;
  const after = await use();
  const micros = (cpuSeconds: number) => Math.round((cpuSeconds * 1e7) / events) / 10;
  const between = (name: "server" | "sender") => {
    const [from, to] = [before[name], after[name]];
    return from === undefined || to === undefined
      ? {}
      : { [`${name}Micros`]: micros(to.cpuSeconds - from.cpuSeconds) };
  };
  return {
    events,
    seconds: Math.round(seconds * 1_000) / 1_000,
    perSecond: Math.round(events / seconds),
    databaseMicros: database === undefined ? undefined : micros(database),
    ...between("server"),
    ...between("sender"),
    ...latency,
  };
}

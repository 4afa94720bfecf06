import type postgres from "postgres";
import { sqlState } from "../../src/db/sql-state.ts";
import { type CpuSeconds, cpuMeter } from "./cpu.ts";

/** A call that is ready to be sent: the client does nothing but send it and read one number back. */
export interface PreparedCall {
  readonly entries: number;
  readonly parameters: readonly string[];
}

export interface CallSeries {
  /** Answers one row with `created`, the number of entries that are in the ledger because of this call. */
  readonly statement: string;
  readonly calls: readonly PreparedCall[];
  readonly connections: number;
  readonly seconds: number;
}

/** One run of a measurement. */
export interface RateRun {
  readonly entries: number;
  readonly seconds: number;
  readonly perSecond: number;
  /** Microseconds of CPU for each entry, of the server and of the client. */
  readonly serverMicros: number | undefined;
  readonly clientMicros: number;
  /** Calls that were sent again after a deadlock. */
  readonly repeated?: number;
}

export function rateOf(entries: number, seconds: number, cpu: CpuSeconds): RateRun {
  const micros = (of: number) => Math.round((of * 1e7) / entries) / 10;
  return {
    entries,
    seconds: Math.round(seconds * 1000) / 1000,
    perSecond: Math.round(entries / seconds),
    serverMicros: cpu.server === undefined ? undefined : micros(cpu.server),
    clientMicros: micros(cpu.client),
  };
}

/** Sends the calls one after the other on each of some connections, until the time or the calls are used up. */
export async function sendCalls(
  { sql, serverPid }: { readonly sql: postgres.Sql; readonly serverPid: number },
  { statement, calls, connections, seconds }: CallSeries,
): Promise<RateRun> {
  // The statement is prepared on every connection before the time starts.
  await Promise.all(Array.from({ length: connections }, () => sql`select pg_sleep(0.05)`));
  let [next, entries, repeated] = [0, 0, 0];
  const startedAt = performance.now();
  const deadline = startedAt + seconds * 1000;
  const cpu = cpuMeter(serverPid);
  const connection = async () => {
    while (performance.now() < deadline) {
      const call = calls[next++];
      if (call === undefined) return;
      for (;;) {
        try {
          const [row] = await sql.unsafe(statement, [...call.parameters], { prepare: true });
          if (Number(row?.created) !== call.entries)
            throw new Error(`${row?.created} of ${call.entries} created`);
          entries += call.entries;
          break;
        } catch (error) {
          if (sqlState(error) !== "40P01") throw error;
          repeated++;
        }
      }
    }
  };
  await Promise.all(Array.from({ length: connections }, connection));
  return { ...rateOf(entries, (performance.now() - startedAt) / 1000, cpu()), repeated };
}

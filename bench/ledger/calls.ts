import type postgres from "postgres";
import { sqlState } from "../../src/db/sql-state.ts";
import { cpuMeter } from "./cpu.ts";

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

/** Counts time and CPU from now on. */
export function rateWatch(serverPid: number) {
  const startedAt = performance.now();
  const cpu = cpuMeter(serverPid);
  const seconds = () => (performance.now() - startedAt) / 1_000;
  return {
    seconds,
    rate(entries: number): RateRun {
      const [took, used] = [seconds(), cpu()];
      const micros = (of: number) => Math.round((of * 1e7) / entries) / 10;
      return {
        entries,
        seconds: Math.round(took * 1_000) / 1_000,
        perSecond: Math.round(entries / took),
        serverMicros: used.server === undefined ? undefined : micros(used.server),
        clientMicros: micros(used.client),
      };
    },
  };
}

/** Sends the calls one after the other on each of some connections, until the time or the calls are used up. */
export async function sendCalls(
  { sql, serverPid }: { readonly sql: postgres.Sql; readonly serverPid: number },
  { statement, calls, connections, seconds }: CallSeries,
): Promise<RateRun> {
  // Every connection is there before the time starts.
  await Promise.all(Array.from({ length: connections }, () => sql`select pg_sleep(0.05)`));
  let [next, entries, repeated] = [0, 0, 0];
  const answered = async ({ parameters }: PreparedCall): Promise<number> => {
    for (;;) {
      try {
        const [row] = await sql.unsafe(statement, [...parameters], { prepare: true });
        return Number(row?.created);
      } catch (error) {
        if (sqlState(error) !== "40P01") throw error;
        repeated++;
      }
    }
  };
  const watch = rateWatch(serverPid);
  const connection = async () => {
    while (watch.seconds() < seconds) {
      const call = calls[next++];
      if (call === undefined) return;
      const created = await answered(call);
      if (created !== call.entries) throw new Error(`${created} of ${call.entries} entries were created`);
      entries += created;
    }
  };
  await Promise.all(Array.from({ length: connections }, connection));
  return { ...watch.rate(entries), repeated };
}

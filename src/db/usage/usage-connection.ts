import { drizzle } from "drizzle-orm/postgres-js";
import type postgres from "postgres";
import type { UsageEvent } from "../../domain/metering/index.ts";
import { type Client, openRenewedConnection, type RenewedConnectionOptions } from "../renewed-connection.ts";
import { sqlState } from "../sql-state.ts";
import { type MetersInForce, metersInForce } from "./meters-in-force.ts";
import { RepeatForecast } from "./repeat-forecast.ts";
import { type IngestOutcome, ingestEvents } from "./usage-ingest.ts";

/** A transaction of a usage connection. */
export type UsageTransaction = postgres.TransactionSql<{ bigint: bigint }>;

/** A connection that takes in usage events, one batch at a time. */
export interface UsageConnection {
  /**
   * Takes in a batch with the meters in force. Settles when what it says is durable. After an error of which
   * isConnectionLost is true nobody knows what became of the events.
   */
  ingest(events: readonly UsageEvent[]): Promise<IngestOutcome[]>;
  /**
   * Runs `work`, which is one statement that is refused with RK016 when other meters than these are in force: then it runs again
   * with those.
   */
  byMeters<Result>(work: (client: Client, inForce: MetersInForce) => Promise<Result>): Promise<Result>;
  /**
   * Runs `work` in one transaction, with meters that are those in force when it is committed. What turns out to have been
   * given others is undone and runs again.
   */
  measured<Result>(
    work: (sql: UsageTransaction, meters: MetersInForce["meters"]) => Promise<Result>,
  ): Promise<Result>;
  close(): Promise<void>;
}

/** The meters as they were last seen, shared by connections. */
export interface SeenMeters {
  current: MetersInForce | undefined;
}

export function openUsageConnection(options: RenewedConnectionOptions, seen: SeenMeters): UsageConnection {
  const connection = openRenewedConnection(options);
  const forecast = new RepeatForecast();
  const byMeters: UsageConnection["byMeters"] = (work) =>
    connection.use(async (client) => {
      for (;;) {
        seen.current ??= await readMeters(client);
        const inForce = seen.current;
        try {
          return await work(client, inForce);
        } catch (error) {
          if (sqlState(error) !== metersWerePublished) throw error;
          if (seen.current === inForce) seen.current = undefined;
        }
      }
    });
  const measured: UsageConnection["measured"] = (work) =>
    connection.use(async (client) => {
      for (;;) {
        seen.current ??= await readMeters(client);
        const meters = seen.current;
        const done = await measuredBy(meters, work, client);
        if (done !== undefined) return done.result;
        if (seen.current === meters) seen.current = undefined;
      }
    });
  return {
    ingest: (events) =>
      byMeters((sql, { meters, published }) =>
        ingestEvents({ sql }, events, meters, { published, forecast }),
      ),
    byMeters,
    measured,
    close: () => connection.close(),
  };
}

/** What `usage.ingest` says when the batch was measured by others than those in force: then nothing was written. */
const metersWerePublished = "RK016";

function readMeters(client: Client): Promise<MetersInForce> {
  return drizzle(client).transaction((tx) => metersInForce(tx), {
    isolationLevel: "repeatable read",
    accessMode: "read only",
  });
}

class MetersWerePublished extends Error {}

/**
 * Undefined, and nothing was written, when the meters are no longer those in force. Publications wait until the work is
 * committed: who has published meters finds every event that was measured without them.
 */
async function measuredBy<Result>(
  { published, meters }: MetersInForce,
  work: (sql: UsageTransaction, meters: MetersInForce["meters"]) => Promise<Result>,
  client: Client,
): Promise<{ readonly result: Awaited<Result> } | undefined> {
  const transaction = client.begin(async (sql) => {
    // All on its way at once. The count is a statement of its own, so it sees what was committed before the lock was had.
    const noPublication = sql`select pg_advisory_xact_lock_shared(hashtextextended('catalog', 0))`.execute();
    const counted = sql<[{ published: bigint }]>`select count(*) as published from catalog.meter`.execute();
    const [result, [now]] = await Promise.all([work(sql, meters), counted, noPublication] as const);
    if (now.published !== published) throw new MetersWerePublished();
    return { result };
  });
  return transaction.catch((error: unknown) => {
    if (error instanceof MetersWerePublished) return undefined;
    throw error;
  });
}

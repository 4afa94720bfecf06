import { drizzle } from "drizzle-orm/postgres-js";
import type { UsageEvent } from "../../domain/metering/index.ts";
import { type Client, openRenewedConnection, type RenewedConnectionOptions } from "../renewed-connection.ts";
import { type MetersInForce, metersInForce } from "./meters-in-force.ts";
import { type IngestOutcome, ingestEvents } from "./usage-ingest.ts";

/** A connection that takes in usage events, one batch at a time. */
export interface UsageConnection {
  /**
   * Takes in a batch with the meters in force. Settles when what it says is durable. After an error of which
   * isConnectionLost is true nobody knows what became of the events.
   */
  ingest(events: readonly UsageEvent[]): Promise<IngestOutcome[]>;
  close(): Promise<void>;
}

/** The meters as they were last seen, shared by connections. */
export interface SeenMeters {
  current: MetersInForce | undefined;
}

export function openUsageConnection(options: RenewedConnectionOptions, seen: SeenMeters): UsageConnection {
  const connection = openRenewedConnection(options);
  return {
    ingest: (events) =>
      connection.use(async (client) => {
        for (;;) {
          seen.current ??= await readMeters(client);
          const meters = seen.current;
          const outcomes = await ingestMeasuredBy(meters, events, client);
          if (outcomes !== undefined) return outcomes;
          if (seen.current === meters) seen.current = undefined;
        }
      }),
    close: () => connection.close(),
  };
}

function readMeters(client: Client): Promise<MetersInForce> {
  return drizzle(client).transaction((tx) => metersInForce(tx), {
    isolationLevel: "repeatable read",
    accessMode: "read only",
  });
}

class MetersWerePublished extends Error {}

/**
 * Undefined, and nothing was taken in, when the meters are no longer those in force. Publications wait until the events
 * are committed: who has published meters finds every event that was measured without them.
 */
async function ingestMeasuredBy(
  { published, meters }: MetersInForce,
  events: readonly UsageEvent[],
  client: Client,
): Promise<IngestOutcome[] | undefined> {
  const transaction = client.begin(async (sql) => {
    // All on its way at once. The count is a statement of its own, so it sees what was committed before the lock was had.
    const noPublication = sql`select pg_advisory_xact_lock_shared(hashtextextended('catalog', 0))`.execute();
    const counted = sql<[{ published: bigint }]>`select count(*) as published from catalog.meter`.execute();
    const answers = [ingestEvents({ sql }, events, meters), counted, noPublication] as const;
    const [outcomes, [now]] = await Promise.all(answers);
    if (now.published !== published) throw new MetersWerePublished();
    return outcomes;
  });
  return transaction.catch((error: unknown) => {
    if (error instanceof MetersWerePublished) return undefined;
    throw error;
  });
}

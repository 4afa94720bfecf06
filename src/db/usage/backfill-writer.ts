import { BackfillStateError } from "../../domain/corrections/index.ts";
import { BillingError, invariant } from "../../domain/errors.ts";
import type { UsageEvent } from "../../domain/metering/index.ts";
import { arrayLiteral } from "../array-literal.ts";
import { isConnectionLost } from "../lost-connection.ts";
import { sqlState } from "../sql-state.ts";
import { eventKey } from "./event-key.ts";
import { measurerOf } from "./measurement.ts";
import type { StoredMeter } from "./meters-in-force.ts";
import { openUsageConnection, type UsageTransaction } from "./usage-connection.ts";
import { type IngestOutcome, ingestEvents } from "./usage-ingest.ts";
import { isAboutValues, refusalOf, UsageWriterUnavailableError } from "./usage-writer.ts";

/** A backfill takes only what counts at once: what waited in quarantine would count after it was taken back. */
export class BackfillEventRefusedError extends BillingError {
  readonly code: "usage_customer_unknown" | "usage_meter_missing";

  constructor(code: BackfillEventRefusedError["code"], message: string, field: string) {
    super(message, field);
    this.code = code;
  }
}

/** Takes in the events of backfills, with a connection of its own. */
export interface BackfillWriter {
  /**
   * As {@link ingestEvents}, and each event that is accepted belongs to the backfill, in the same commit. Nothing is
   * quarantined: such events are invalid.
   * @throws BackfillStateError when it takes no events, UsageWriterUnavailableError
   */
  take(backfillId: string, events: readonly UsageEvent[]): Promise<readonly IngestOutcome[]>;
  close(): Promise<void>;
}

export interface BackfillWriterOptions {
  /** The primary, as the application connects to it. */
  readonly url: string;
  readonly applicationName?: string;
  /** How long the database may be silent or away. */
  readonly patienceMs?: number;
}

export function openBackfillWriter({
  url,
  applicationName = "reckoner backfill writer",
  patienceMs = 20_000,
}: BackfillWriterOptions): BackfillWriter {
  const connection = openUsageConnection(
    { url, applicationName, timeLimitMs: patienceMs },
    { current: undefined },
  );
  const takeAll = async (backfillId: string, events: readonly UsageEvent[]): Promise<IngestOutcome[]> => {
    try {
      return await connection.measured((sql, meters) => addEvents(sql, backfillId, events, meters));
    } catch (error) {
      if (!isAboutValues(error)) throw error;
      if (events.length === 1) return [{ status: "invalid", refusal: refusalOf(error) }];
      // When the tables refuse something in a batch, halving finds it: it alone is invalid.
      const middle = Math.ceil(events.length / 2);
      return [
        ...(await takeAll(backfillId, events.slice(0, middle))),
        ...(await takeAll(backfillId, events.slice(middle))),
      ];
    }
  };
  return {
    take: (backfillId, events) => takeAll(backfillId, events).catch(refuse),
    close: () => connection.close(),
  };
}

/** All in the transaction of `sql`. */
async function addEvents(
  sql: UsageTransaction,
  backfillId: string,
  events: readonly UsageEvent[],
  meters: readonly StoredMeter[],
): Promise<IngestOutcome[]> {
  const refusals = await refusalsOf(sql, events, meters);
  const countable = events.filter((_, index) => refusals[index] === null);
  const outcomes = await ingestEvents({ sql }, countable, meters);
  const accepted = countable.filter((_, index) => outcomes[index]?.status === "accepted");
  const [row] = await sql<[{ added: bigint }]>`
    select usage.add_to_backfill(${backfillId}, ${arrayLiteral(accepted.map(eventKey))}::text::uuid[]) as added`;
  invariant(row.added === BigInt(accepted.length), "every accepted event belongs to its backfill");
  const ofCountable = outcomes.values();
  return refusals.map((refusal) =>
    refusal === null ? (ofCountable.next().value as IngestOutcome) : { status: "invalid", refusal },
  );
}

async function refusalsOf(
  sql: UsageTransaction,
  events: readonly UsageEvent[],
  meters: readonly StoredMeter[],
): Promise<(BillingError | null)[]> {
  const ids = arrayLiteral([...new Set(events.map(({ customerId }) => customerId))]);
  const known = await sql<{ id: string }[]>`
    select id from billing.customer where id = any (${ids}::text::text[])`;
  const customers = new Set(known.map(({ id }) => id));
  const measure = measurerOf(meters);
  return events.map((event) => {
    if (!customers.has(event.customerId)) {
      return new BackfillEventRefusedError(
        "usage_customer_unknown",
        `there is no customer "${event.customerId}", and a backfill takes only what counts at once`,
        "customer",
      );
    }
    return measure(event) === null
      ? new BackfillEventRefusedError("usage_meter_missing", `no meter reads "${event.type}"`, "type")
      : null;
  });
}

function refuse(error: unknown): never {
  if (sqlState(error) === "RK020") throw new BackfillStateError("closed");
  if (isConnectionLost(error)) {
    const message = "it is not known whether the events were taken in, the database is away: send them again";
    throw new UsageWriterUnavailableError(message, { cause: error });
  }
  throw error;
}

import { hash } from "node:crypto";
import type postgres from "postgres";
import { BillingError } from "../../domain/errors.ts";
import {
  type CompiledMeters,
  compileMeters,
  contributionsOf,
  type Meter,
  payloadFingerprint,
  type UsageEvent,
} from "../../domain/metering/index.ts";
import { sqlState } from "../database.ts";
import type { QuarantineReason, StoredContribution } from "../schema/usage.ts";

/** What became of one event. Quarantined: kept, and counted once what is missing has appeared. */
export type IngestOutcome =
  | { readonly status: "accepted" | "duplicate" | "conflict" }
  | { readonly status: "quarantined"; readonly reason: QuarantineReason }
  | { readonly status: "invalid"; readonly refusal: BillingError };

/** A pool, or a transaction. */
export interface IngestDatabase {
  readonly sql: postgres.ISql<{ bigint: bigint }>;
}

type RecordedOutcome = "accepted" | "duplicate" | "conflict" | QuarantineReason;

/**
 * Takes in a batch of usage events and says what became of each, in the order given. When it returns, every
 * event it calls accepted is durable, deduplicated for ever by (source, id), and counted in its windows: all
 * in one commit. Sending a batch again, after any failure, does no harm.
 */
export async function ingestEvents(
  db: IngestDatabase,
  events: readonly UsageEvent[],
  meters: readonly Meter[],
): Promise<IngestOutcome[]> {
  const compiled = compileMeters(meters);
  const measured = events.map((event) => measureForStorage(event, compiled));
  const batch = events.flatMap((event, index) => {
    const contributions = measured[index] ?? null;
    return contributions instanceof BillingError ? [] : [sentEvent(event, contributions)];
  });
  const recorded = (batch.length === 0 ? [] : await record(db, JSON.stringify(batch))).values();
  return measured.map((result) =>
    result instanceof BillingError
      ? { status: "invalid", refusal: result }
      : outcomeOf(recorded.next().value as RecordedOutcome),
  );
}

/**
 * The contributions of an event as they are stored, null when there is no meter for its type, or the refusal of a meter
 * that cannot measure it.
 */
export function measureForStorage(
  event: UsageEvent,
  meters: CompiledMeters,
): StoredContribution[] | null | BillingError {
  try {
    const contributions = contributionsOf(event, meters);
    if (contributions === null) return null;
    return contributions.map(({ meterKey, dimensionsKey, quantity }) => ({
      meter_key: meterKey,
      dimensions_key: dimensionsKey,
      quantity: quantity.text,
    }));
  } catch (error) {
    if (error instanceof BillingError) return error;
    throw error;
  }
}

function sentEvent(event: UsageEvent, contributions: StoredContribution[] | null) {
  return {
    key: hash16(JSON.stringify([event.source, event.id])),
    payload_hash: hash16(payloadFingerprint(event)),
    source: event.source,
    id: event.id,
    customer_id: event.customerId,
    type: event.type,
    time: new Date(event.time).toISOString(),
    data: event.data,
    contributions,
  };
}

/** 16 bytes of SHA-256 in hexadecimal: among 10¹² keys a chance collision has a probability below 10⁻¹⁴. */
function hash16(text: string): string {
  return hash("sha256", text).slice(0, 32);
}

const attemptsMax = 5;

/** One statement with one parameter is one round trip and one commit. A deadlock's victim goes again. */
async function record(db: IngestDatabase, batch: string): Promise<RecordedOutcome[]> {
  for (let attempt = 1; ; attempt++) {
    try {
      const [row] = await db.sql<[{ outcomes: RecordedOutcome[] }]>`
        select usage.ingest(${batch}::text::jsonb) as outcomes`;
      return row.outcomes;
    } catch (error) {
      if (attempt >= attemptsMax || sqlState(error) !== "40P01") throw error;
    }
  }
}

function outcomeOf(recorded: RecordedOutcome): IngestOutcome {
  switch (recorded) {
    case "unknown_customer":
    case "no_meter":
      return { status: "quarantined", reason: recorded };
    default:
      return { status: recorded };
  }
}

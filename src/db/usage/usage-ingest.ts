import { hash } from "node:crypto";
import type postgres from "postgres";
import { BillingError } from "../../domain/errors.ts";
import { payloadFingerprint, type UsageEvent } from "../../domain/metering/index.ts";
import { sqlState } from "../database.ts";
import type { QuarantineReason } from "../schema/usage.ts";
import { isMonthGone, MonthArchivedMeanwhileError, UsageMonthArchivedError } from "./archived-months.ts";
import { arrayLiteral } from "./array-literal.ts";
import {
  type DimensionNumbers,
  dimensionNumbers,
  forgetMonths,
  type NumberSource,
  openMonths,
} from "./known-numbers.ts";
import { type MeasuredContribution, measurerOf } from "./measurement.ts";
import type { StoredMeter } from "./meters-in-force.ts";

/** What became of one event. Quarantined: kept, and counted once what is missing has appeared. */
export type IngestOutcome =
  | { readonly status: "accepted" | "duplicate" | "conflict" }
  | { readonly status: "quarantined"; readonly reason: QuarantineReason }
  | { readonly status: "invalid"; readonly refusal: BillingError };

/** A pool, or a transaction. */
export interface IngestDatabase {
  readonly sql: postgres.ISql<{ bigint: bigint }>;
}

type RecordedOutcome = "accepted" | "duplicate" | "conflict" | "archived" | QuarantineReason;

/** An event that its meters can measure; without contributions when none reads its type. */
interface MeasuredEvent {
  readonly event: UsageEvent;
  readonly contributions: readonly MeasuredContribution[] | null;
}

/**
 * Takes in a batch of usage events and says what became of each, in the order given. When it returns, every
 * event it calls accepted is durable, deduplicated for ever by (source, id), and counted: all in one commit.
 * Sending a batch again, after any failure, does no harm.
 * @param meters every version there is
 */
export async function ingestEvents(
  db: IngestDatabase,
  events: readonly UsageEvent[],
  meters: readonly StoredMeter[],
): Promise<IngestOutcome[]> {
  const measure = measurerOf(meters);
  const measured = events.map((event) => measure(event));
  const batch = events.flatMap((event, index): MeasuredEvent[] => {
    const contributions = measured[index] ?? null;
    return contributions instanceof BillingError ? [] : [{ event, contributions }];
  });
  const recorded = (batch.length === 0 ? [] : await record(db, batch, meters)).values();
  return measured.map((result) =>
    result instanceof BillingError
      ? { status: "invalid", refusal: result }
      : outcomeOf(recorded.next().value as RecordedOutcome),
  );
}

const attemptsMax = 5;

/** One statement is one round trip and one commit. A deadlock's victim goes again. */
async function record(
  db: IngestDatabase,
  batch: readonly MeasuredEvent[],
  meters: readonly StoredMeter[],
): Promise<RecordedOutcome[]> {
  const asked = numberSource(db);
  for (let attempt = 1; ; attempt++) {
    try {
      const isArchived = await openMonths(
        asked,
        meters,
        batch.map(({ event }) => event.time),
      );
      if (batch.some(({ event }) => isArchived(event.time)))
        return await recordAround(db, batch, meters, isArchived);
      const numbers = await dimensionNumbers(
        asked,
        meters,
        batch.flatMap(({ contributions }) => contributions?.map(({ dimensionsKey }) => dimensionsKey) ?? []),
      );
      return await send(db, batch, numbers);
    } catch (caught) {
      const error = isMonthGone(caught) ? new MonthArchivedMeanwhileError(caught) : caught;
      if (error !== caught) forgetMonths(meters);
      if (attempt >= attemptsMax || !/^40(001|P01)$/.test(sqlState(error) ?? "")) throw error;
    }
  }
}

/** Events of archived months are not taken in: but one whose key is known is a duplicate or a conflict, like any other. */
async function recordAround(
  db: IngestDatabase,
  batch: readonly MeasuredEvent[],
  meters: readonly StoredMeter[],
  isArchived: (time: UsageEvent["time"]) => boolean,
): Promise<RecordedOutcome[]> {
  const here = batch.filter(({ event }) => !isArchived(event.time));
  const recorded = (here.length === 0 ? [] : await record(db, here, meters)).values();
  const gone = batch.flatMap(({ event }) => (isArchived(event.time) ? [event] : []));
  const judged = (await judgeArchived(db, gone)).values();
  return batch.map(
    ({ event }) => (isArchived(event.time) ? judged : recorded).next().value as RecordedOutcome,
  );
}

async function judgeArchived(
  { sql }: IngestDatabase,
  events: readonly UsageEvent[],
): Promise<RecordedOutcome[]> {
  const list = (textOf: (event: UsageEvent) => string) => arrayLiteral(events.map(textOf));
  const [row] = await sql<[{ outcomes: RecordedOutcome[] }]>`
    select usage.judge_archived(
      ${list(eventKey)}::text::uuid[],
      ${list((event) => hash16(payloadFingerprint(event)))}::text::uuid[],
      ${list(({ customerId }) => customerId)}::text::text[],
      ${list(({ type }) => type)}::text::text[],
      ${list(({ time }) => new Date(time).toISOString())}::text::timestamptz[],
      ${list(({ data }) => JSON.stringify(data))}::text::json[]
    ) as outcomes`;
  return row.outcomes;
}

function numberSource({ sql }: IngestDatabase): NumberSource {
  return {
    dimensionNumbers: (list) => sql<{ number: bigint; was_there: boolean }[]>`
      select number, was_there from usage.dimension_numbers(${list}::text::text[])`,
    openMonths: (list) => sql<{ ms: bigint; is_archived: boolean }[]>`
      select (extract(epoch from month) * 1000)::int8 as ms, is_archived from usage.make_room(${list}::text::timestamptz[])`,
  };
}

async function send(
  { sql }: IngestDatabase,
  batch: readonly MeasuredEvent[],
  numbers: DimensionNumbers,
): Promise<RecordedOutcome[]> {
  const list = (textOf: (event: UsageEvent) => string) =>
    arrayLiteral(batch.map(({ event }) => textOf(event)));
  const { meters, dimensions, quantities, values } = contributionLists(
    batch.map(({ contributions }) => contributions),
    numbers,
  );
  const [row] = await sql<[{ outcomes: RecordedOutcome[] }]>`
    select usage.ingest(
      ${list(eventKey)}::text::uuid[],
      ${list((event) => hash16(payloadFingerprint(event)))}::text::uuid[],
      ${list(({ source }) => source)}::text::text[],
      ${list(({ id }) => id)}::text::text[],
      ${list(({ customerId }) => customerId)}::text::text[],
      ${list(({ type }) => type)}::text::text[],
      ${list(({ time }) => new Date(time).toISOString())}::text::timestamptz[],
      ${JSON.stringify(batch.map(({ event }) => event.data))}::text::json,
      ${meters}::text::text[], ${dimensions}::text::text[], ${quantities}::text::text[], ${values}::text::text[]
    ) as outcomes`;
  return row.outcomes;
}

/** The contributions of several events: for each event a list as text, or null when there is no meter for it. */
export function contributionLists(
  ofEvents: readonly (readonly MeasuredContribution[] | null)[],
  numbers: DimensionNumbers,
) {
  const lists = (textOf: (contribution: MeasuredContribution) => string | null) =>
    arrayLiteral(
      ofEvents.map((contributions) =>
        contributions === null ? null : arrayLiteral(contributions.map(textOf)),
      ),
    );
  const haveValues = ofEvents.some((contributions) =>
    contributions?.some(({ value }) => value !== undefined),
  );
  return {
    meters: lists(({ meter }) => `${meter}`),
    dimensions: lists(({ dimensionsKey }) => `${numbers.get(dimensionsKey) ?? ""}`),
    quantities: lists(({ quantity }) => quantity.text),
    values: haveValues ? lists(({ value }) => value ?? null) : arrayLiteral(ofEvents.map(() => null)),
  };
}

/** As `usage.event_key` holds it. */
export const eventKey = ({ source, id }: Pick<UsageEvent, "source" | "id">): string =>
  hash16(JSON.stringify([source, id]));

/** 16 bytes of SHA-256 in hexadecimal: among 10¹² keys a chance collision has a probability below 10⁻¹⁴. */
function hash16(text: string): string {
  return hash("sha256", text).slice(0, 32);
}

function outcomeOf(recorded: RecordedOutcome): IngestOutcome {
  switch (recorded) {
    case "unknown_customer":
    case "no_meter":
      return { status: "quarantined", reason: recorded };
    case "archived":
      return {
        status: "invalid",
        refusal: new UsageMonthArchivedError("the month of its time is archived", "time"),
      };
    default:
      return { status: recorded };
  }
}

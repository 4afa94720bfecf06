import type postgres from "postgres";
import { BillingError } from "../../domain/errors.ts";
import type { UsageEvent } from "../../domain/metering/index.ts";
import { arrayLiteral } from "../array-literal.ts";
import { sqlState } from "../database.ts";
import type { QuarantineReason } from "../schema/usage.ts";
import { isMonthGone, MonthArchivedMeanwhileError, UsageMonthArchivedError } from "./archived-months.ts";
import { eventKey, payloadHash } from "./event-key.ts";
import {
  customerNumbers,
  customersAsked,
  dimensionNumbers,
  forgetMonths,
  type NumberSource,
  openMonths,
} from "./known-numbers.ts";
import { measurerOf } from "./measurement.ts";
import type { StoredMeter } from "./meters-in-force.ts";
import type { RepeatForecast } from "./repeat-forecast.ts";
import { type BatchNumbers, type Kinds, kindsOf, type MeasuredEvent, sentBatch } from "./sent-batch.ts";

/** What became of one event. Quarantined: kept, and counted once what is missing has appeared. */
export type IngestOutcome =
  | { readonly status: "accepted" | "duplicate" | "conflict" }
  | { readonly status: "quarantined"; readonly reason: QuarantineReason }
  | { readonly status: "invalid"; readonly refusal: BillingError };

/** A pool, or a transaction. */
export interface IngestDatabase {
  readonly sql: postgres.ISql<{ bigint: bigint }>;
}

/** A batch that is a transaction by itself. */
export interface Alone {
  /** How many versions of meters there must be still, or nothing is taken in (RK016). */
  readonly published: bigint;
  readonly forecast: RepeatForecast;
}

type RecordedOutcome = "accepted" | "duplicate" | "conflict" | "archived" | QuarantineReason;

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
  alone?: Alone,
): Promise<IngestOutcome[]> {
  const measure = measurerOf(meters);
  const batch: MeasuredEvent[] = [];
  const measured = events.map((event) => {
    const contributions = measure(event);
    if (contributions instanceof BillingError) return contributions;
    batch.push({ event, contributions });
    return null;
  });
  const recorded = batch.length === 0 ? [] : await record(db, batch, meters, alone);
  let next = 0;
  return measured.map((refusal) =>
    refusal === null ? outcomeOf(recorded[next++] as RecordedOutcome) : { status: "invalid", refusal },
  );
}

const attemptsMax = 5;

/** One statement is one round trip and one commit. A deadlock's victim goes again. */
async function record(
  db: IngestDatabase,
  batch: readonly MeasuredEvent[],
  meters: readonly StoredMeter[],
  alone: Alone | undefined,
): Promise<readonly RecordedOutcome[]> {
  const asked = numberSource(db);
  for (let attempt = 1; ; attempt++) {
    try {
      const isArchived = await openMonths(
        asked,
        meters,
        batch.map(({ event }) => event.time),
      );
      if (batch.some(({ event }) => isArchived(event.time)))
        return await recordAround(db, batch, meters, alone, isArchived);
      const kinds = kindsOf(batch);
      return (
        (await send(db, sentBatch(batch, kinds, await numbersOf(asked, batch, kinds, meters)), alone)) ??
        allAccepted(batch)
      );
    } catch (caught) {
      if (alone !== undefined && isKeyThere(caught)) {
        alone.forecast.note(true);
        continue;
      }
      const error = isMonthGone(caught) ? new MonthArchivedMeanwhileError(caught) : caught;
      if (error !== caught) forgetMonths(meters);
      if (attempt >= attemptsMax || !/^40(001|P01)$/.test(sqlState(error) ?? "")) throw error;
    }
  }
}

/** It was taken for certain that no event repeats another. */
const isKeyThere = (error: unknown) =>
  sqlState(error) === "23505" && (error as { constraint_name?: string }).constraint_name === "event_key_pkey";

const allAccepted = (batch: readonly MeasuredEvent[]) => batch.map(() => "accepted" as const);

/** Events as `usage.ingest` takes them: where each is among what is sent, or -1 when it cannot be counted. */
export interface SendableEvents {
  readonly sent: ReturnType<typeof sentBatch>;
  readonly places: readonly number[];
}

/** Prepares events for a statement that takes them in with something else. @param meters every version there is */
export async function sendableEvents(
  db: IngestDatabase,
  events: readonly UsageEvent[],
  meters: readonly StoredMeter[],
): Promise<SendableEvents> {
  const asked = numberSource(db);
  const times = events.map(({ time }) => time);
  const isArchived = times.length === 0 ? () => false : await openMonths(asked, meters, times);
  const measure = measurerOf(meters);
  const batch: MeasuredEvent[] = [];
  const places = events.map((event) => {
    const contributions = measure(event);
    if (contributions instanceof BillingError || contributions === null || isArchived(event.time)) return -1;
    return batch.push({ event, contributions });
  });
  const kinds = kindsOf(batch);
  return { sent: sentBatch(batch, kinds, await numbersOf(asked, batch, kinds, meters)), places };
}

async function numbersOf(
  asked: NumberSource,
  batch: readonly MeasuredEvent[],
  { examples }: Kinds,
  meters: readonly StoredMeter[],
): Promise<BatchNumbers> {
  const keys = examples.flatMap(
    ({ contributions }) => contributions?.map(({ dimensionsKey }) => dimensionsKey) ?? [],
  );
  const customerIds = batch.map(({ event }) => event.customerId);
  return {
    dimensions: await dimensionNumbers(asked, meters, keys),
    customers: await customerNumbers(asked, meters, customerIds),
  };
}

/** Events of archived months are not taken in: but one whose key is known is a duplicate or a conflict, like any other. */
async function recordAround(
  db: IngestDatabase,
  batch: readonly MeasuredEvent[],
  meters: readonly StoredMeter[],
  alone: Alone | undefined,
  isArchived: (time: UsageEvent["time"]) => boolean,
): Promise<RecordedOutcome[]> {
  const here = batch.filter(({ event }) => !isArchived(event.time));
  const recorded = (here.length === 0 ? [] : await record(db, here, meters, alone)).values();
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
      ${list(payloadHash)}::text::uuid[],
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
    customerNumbers: (list) => sql<{ id: string; number: string; was_there: boolean }[]>`
      ${sql.unsafe(customersAsked)} where id = any (${list}::text::text[])`,
    openMonths: (list) => sql<{ ms: bigint; is_archived: boolean }[]>`
      select (extract(epoch from month) * 1000)::int8 as ms, is_archived from usage.make_room(${list}::text::timestamptz[])`,
  };
}

/** Null when all are accepted. */
async function send(
  { sql }: IngestDatabase,
  batch: ReturnType<typeof sentBatch>,
  alone: Alone | undefined,
): Promise<readonly RecordedOutcome[] | null> {
  const [row] = await sql<[{ outcomes: RecordedOutcome[] | null }]>`
    select usage.ingest(
      ${alone === undefined ? null : `${alone.published}`}::text::int8, ${alone?.forecast.expectsRepeats ?? true},
      ${batch.keys}::text::uuid[], ${batch.hashes}::text::uuid[], ${batch.ids}::text::text[], ${batch.times}::text::int8[],
      ${batch.customers}::text::int8[], ${batch.customerIds}::text::text[], ${batch.said}::text,
      ${batch.quantities}::text::text[], ${batch.values}::text::text[],
      ${batch.kinds}::text::int4[], ${batch.kindTypes}::text::text[], ${batch.kindSources}::text::text[],
      ${batch.kindMeters}::text::text[], ${batch.kindDimensions}::text::text[]
    ) as outcomes`;
  const isRepeat = (outcome: RecordedOutcome) => outcome === "duplicate" || outcome === "conflict";
  alone?.forecast.note(row.outcomes?.some(isRepeat) === true);
  return row.outcomes;
}

/** One of each: most events have one of these. */
const plain = {
  accepted: { status: "accepted" },
  duplicate: { status: "duplicate" },
  conflict: { status: "conflict" },
} as const;

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
      return plain[recorded];
  }
}

import { BillingError } from "../../domain/errors.ts";
import type { JsonValue, UsageEvent } from "../../domain/metering/index.ts";
import { arrayLiteral } from "../array-literal.ts";
import { type Database, inTransaction, rows, sql, type Tx } from "../database.ts";
import { parseTimestamp } from "../schema/columns.ts";
import { dimensionNumbers, numberSourceOf } from "./known-numbers.ts";
import { type MeasuredContribution, measurerOf } from "./measurement.ts";
import { publishedMeters, type StoredMeter } from "./meters-in-force.ts";

/** One page of a backfill that was written. */
export interface BackfilledPage {
  readonly backfill: bigint;
  readonly contributions: number;
  /** No event followed: the backfill is done. */
  readonly isLast: boolean;
}

const eventsMaxUsual = 5_000;

/**
 * Measures the next stored events of the oldest backfill that nobody is at, and writes what comes of them together with how
 * far the backfill is, in one commit: whoever is stopped on the way has done nothing, and who comes next goes on where the
 * last page ended. Undefined when there is nothing to do. Any number of workers may call it: pages of one version are
 * written one after the other, so an event is counted by a version once.
 */
export async function backfillPage(
  db: Database,
  { eventsMax = eventsMaxUsual }: { readonly eventsMax?: number } = {},
): Promise<BackfilledPage | undefined> {
  return await inTransaction(db, async (tx) => {
    // Its own statement: what follows sees what was committed before the backfill was had.
    const [claimed] = await rows<{ seq: bigint | null }>(tx, sql`select usage.claim_meter_backfill() as seq`);
    const backfill = claimed?.seq ?? undefined;
    if (backfill === undefined) return undefined;
    const meter = await meterOf(tx, backfill);
    const { contributions, refusals } = measured(await nextEvents(tx, backfill, eventsMax), meter);
    const isLast = await write(tx, { backfill, eventsMax, meter, contributions, refusals });
    return { backfill, contributions: contributions.length, isLast };
  });
}

async function meterOf(tx: Tx, backfill: bigint): Promise<StoredMeter[]> {
  const [found] = await rows<{ meter: number }>(
    tx,
    sql`select meter from usage.meter_backfill where seq = ${backfill.toString()}::int8`,
  );
  return (await publishedMeters(tx)).filter(({ number }) => number === found?.meter);
}

/** An event to be measured, as it stands now. */
interface DueEvent {
  readonly seq: bigint;
  readonly event: UsageEvent;
}

/** What is to be measured among the next events: those that count already, or count no more, are passed over. */
async function nextEvents(tx: Tx, backfill: bigint, eventsMax: number): Promise<DueEvent[]> {
  const found = await rows<{
    seq: bigint;
    time: string;
    customer_id: string;
    type: string;
    source: string;
    id: string;
    data: Record<string, JsonValue>;
  }>(
    tx,
    sql`select seq, time, customer_id, type, source, id, data
      from usage.next_of_meter_backfill(${backfill.toString()}::int8, ${eventsMax}) where data is not null`,
  );
  return found.map(({ seq, time, customer_id: customerId, ...said }) => ({
    seq,
    event: { ...said, customerId, time: parseTimestamp(time) },
  }));
}

interface Page {
  readonly contributions: readonly (MeasuredContribution & { readonly seq: bigint })[];
  readonly refusals: readonly {
    readonly seq: string;
    readonly code: string;
    readonly detail: string;
    readonly field: string | null;
  }[];
}

function measured(events: readonly DueEvent[], meter: readonly StoredMeter[]): Page {
  const measure = measurerOf(meter);
  const results = events.map(({ seq, event }) => ({ seq, made: measure(event) }));
  return {
    contributions: results.flatMap(({ seq, made }) =>
      made === null || made instanceof BillingError
        ? []
        : made.map((contribution) => ({ ...contribution, seq })),
    ),
    refusals: results.flatMap(({ seq, made }) =>
      made instanceof BillingError
        ? [{ seq: `${seq}`, code: made.code, detail: made.message, field: made.field ?? null }]
        : [],
    ),
  };
}

async function write(
  tx: Tx,
  {
    backfill,
    eventsMax,
    meter,
    contributions,
    refusals,
  }: Page & {
    readonly backfill: bigint;
    readonly eventsMax: number;
    readonly meter: readonly StoredMeter[];
  },
): Promise<boolean> {
  const keys = contributions.map(({ dimensionsKey }) => dimensionsKey);
  const numbers = await dimensionNumbers(numberSourceOf(tx), meter, keys);
  const list = (textOf: (contribution: Page["contributions"][number]) => string | null) =>
    arrayLiteral(contributions.map(textOf));
  const [written] = await rows<{ is_last: boolean }>(
    tx,
    sql`select usage.write_meter_backfill_page(${backfill.toString()}::int8, ${eventsMax},
      ${list(({ seq }) => `${seq}`)}::text::int8[],
      ${list(({ dimensionsKey }) => `${numbers.get(dimensionsKey) ?? ""}`)}::text::int8[],
      ${list(({ quantity }) => quantity.text)}::text::numeric[],
      ${list(({ value }) => value ?? null)}::text::text[],
      ${JSON.stringify(refusals)}::text::jsonb) as is_last`,
  );
  return written?.is_last ?? false;
}

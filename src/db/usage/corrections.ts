import { type Instant, instantOfEpochMs } from "../../domain/calendar/index.ts";
import type {
  CorrectableEvent,
  UsageCorrectionKind,
  UsageCorrectionReason,
} from "../../domain/corrections/index.ts";
import { BillingError, invariant } from "../../domain/errors.ts";
import type { JsonValue, UsageEvent } from "../../domain/metering/index.ts";
import { arrayLiteral } from "../array-literal.ts";
import { rows, sql, type Tx } from "../database.ts";
import type { DecisionOutcome } from "../schema/adjustments.ts";
import { timestamp } from "../timestamp.ts";
import { contributionLists } from "./contribution-lists.ts";
import { eventKey } from "./event-key.ts";
import { dimensionNumbers, numberSourceOf } from "./known-numbers.ts";
import { type MeasuredContribution, measurerOf } from "./measurement.ts";
import { publishedMeters, type StoredMeter } from "./meters-in-force.ts";

/** How the outside names an event. */
export interface EventName {
  readonly source: string;
  readonly id: string;
}

type EventData = Readonly<Record<string, JsonValue>>;

/** An event as it can be corrected now; `event` is what it says now, corrections included. */
export type EventToCorrect = EventName & CorrectableEvent & { readonly found: FoundEvent | null };

export interface FoundEvent {
  readonly seq: bigint;
  readonly event: UsageEvent;
}

/** Waits until this transaction alone corrects usage, until its end: what it reads of events then stays so. */
export async function awaitCorrections(tx: Tx): Promise<void> {
  await tx.execute(sql`select usage.await_corrections()`);
}

interface FoundRow {
  readonly seq: bigint | null;
  readonly is_event: boolean;
  readonly is_quarantined: boolean;
  readonly time_ms: string | null;
  readonly customer_id: string | null;
  readonly type: string | null;
  readonly data: EventData | null;
  readonly corrected_by: bigint | null;
  readonly is_voided: boolean;
}

/** Events by their names, in the order given. */
export async function eventsToCorrect(tx: Tx, names: readonly EventName[]): Promise<EventToCorrect[]> {
  const keys = arrayLiteral(names.map(eventKey));
  const found = await rows<FoundRow>(
    tx,
    sql`select k.event_seq as seq, e.seq is not null as is_event, q.seq is not null as is_quarantined,
          (extract(epoch from e.time) * 1000)::int8::text as time_ms, customer.id as customer_id, e.type,
          coalesce(now.data, e.data) as data, now.seq as corrected_by, coalesce(now.kind = 'void', false) as is_voided
        from unnest(${keys}::text::uuid[]) with ordinality as named (key, place)
        left join usage.event_key k on k.key = named.key
        left join usage.event e on e.seq = k.event_seq and e.time = k.event_time
        left join usage.pending_event q on q.seq = k.event_seq
        left join billing.customer on customer.number = e.customer_number
        left join lateral (select * from usage.corrected_event c where c.event_seq = e.seq) as now on true
        order by named.place`,
  );
  return names.map((name, index) => {
    const row = found[index];
    invariant(row !== undefined, "there is a row for every name");
    return { ...name, ...standingOf(row), found: foundEvent(name, row) };
  });
}

function standingOf(row: FoundRow): CorrectableEvent {
  if (row.seq === null) return { standing: "unknown" };
  if (row.is_event) return { standing: "accepted", correctedBy: row.corrected_by, isVoided: row.is_voided };
  return { standing: row.is_quarantined ? "quarantined" : "archived" };
}

function foundEvent(name: EventName, row: FoundRow): FoundEvent | null {
  const { seq, type, customer_id: customerId, time_ms, data } = row;
  if (seq === null || type === null || customerId === null || data === null) return null;
  return { seq, event: { ...name, customerId, type, time: instantOfEpochMs(Number(time_ms)), data } };
}

/** What an event would count with other data: a refusal where a meter cannot measure it. */
export interface Amendment extends FoundEvent {
  readonly contributions: readonly MeasuredContribution[];
}

/** Every version of every meter; publications wait until this transaction ends. */
export async function metersToAmendWith(tx: Tx): Promise<readonly StoredMeter[]> {
  await tx.execute(sql`select pg_advisory_xact_lock_shared(hashtextextended('catalog', 0))`);
  return publishedMeters(tx);
}

export function measuredAmendment(
  meters: readonly StoredMeter[],
  { seq, event }: FoundEvent,
): Amendment | BillingError {
  const contributions = measurerOf(meters)(event);
  return contributions instanceof BillingError
    ? contributions
    : { seq, event, contributions: contributions ?? [] };
}

/** A correction of usage that somebody asks for. */
export interface RequestedCorrection {
  readonly id: string;
  readonly kind: UsageCorrectionKind;
  readonly reasonCode: UsageCorrectionReason;
  readonly note: string | null;
  readonly requestedBy: string;
  readonly requestedAt: Instant;
  /** How many events one key may correct within 24 hours by itself. */
  readonly unapprovedMax: number;
  /** What it is about: events, with what they say from now on where it amends them; or all of a backfill that are not voided. */
  readonly about:
    | readonly (FoundEvent & { readonly data: EventData | null })[]
    | { readonly backfillId: string };
}

/** Writes down what is asked for; the same id again changes nothing. The database finds out whether somebody else must agree. */
export async function requestCorrection(tx: Tx, asked: RequestedCorrection): Promise<void> {
  const { about } = asked;
  const backfillId = "backfillId" in about ? about.backfillId : null;
  const events = "backfillId" in about ? [] : about;
  const at = new Date(asked.requestedAt).toISOString();
  await tx.execute(sql`select usage.request_correction(
    ${asked.id}, ${asked.kind}, ${backfillId}, ${asked.reasonCode}, ${asked.note}, ${asked.requestedBy}, ${at}::timestamptz,
    ${asked.unapprovedMax}::int8, ${arrayLiteral(events.map(({ seq }) => `${seq}`))}::text::int8[],
    ${arrayLiteral(events.map(({ event }) => new Date(event.time).toISOString()))}::text::timestamptz[],
    ${arrayLiteral(events.map(({ data }) => data && JSON.stringify(data)))}::text::json[])`);
}

export interface CorrectionDecision {
  readonly correctionId: string;
  readonly outcome: DecisionOutcome;
  readonly note: string | null;
}

/** Decides for good; the caller has awaited corrections and seen that nobody has before. */
export async function decideCorrection(
  tx: Tx,
  { correctionId, outcome, note }: CorrectionDecision,
  { decidedBy, decidedAt }: { readonly decidedBy: string; readonly decidedAt: Instant },
): Promise<void> {
  await tx.execute(sql`select usage.decide_correction(${correctionId}, ${outcome}, ${decidedBy}, ${note},
    ${timestamp(decidedAt)})`);
}

/**
 * Makes a correction count, in the transaction that asked for it or agreed to it; once, however often it is called.
 * @param amendments of all of its events where it amends them, else none
 */
export async function bookCorrection(
  tx: Tx,
  correctionId: string,
  bookedAt: Instant,
  amendments: readonly Amendment[],
  meters: readonly StoredMeter[],
): Promise<void> {
  const contributions = amendments.map((amendment) => amendment.contributions);
  const lists = contributionLists(contributions, await numbersOf(tx, contributions.flat(), meters));
  await tx.execute(sql`select usage.book_correction(
    ${correctionId}, ${timestamp(bookedAt)},
    ${arrayLiteral(amendments.map(({ seq }) => `${seq}`))}::text::int8[], ${lists.meters}::text::text[],
    ${lists.dimensions}::text::text[], ${lists.quantities}::text::text[], ${lists.values}::text::text[])`);
}

function numbersOf(tx: Tx, contributions: readonly MeasuredContribution[], meters: readonly StoredMeter[]) {
  const keys = contributions.map(({ dimensionsKey }) => dimensionsKey);
  return dimensionNumbers(numberSourceOf(tx), meters, keys);
}

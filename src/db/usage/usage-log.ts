import type postgres from "postgres";
import { BillingError } from "../../domain/errors.ts";
import { sqlState } from "../sql-state.ts";

/** A transaction, or a connection. */
type Sql = postgres.ISql<{ bigint: bigint }>;

/** A log as its broker knows it. What is made anew under the same name has another id. */
export interface LogTopic {
  readonly name: string;
  /** A UUID. */
  readonly id: string;
}

/** Where to read a partition on, for whoever holds this claim. */
export interface ClaimedPosition {
  readonly partition: number;
  readonly nextOffset: bigint;
  readonly claim: bigint;
}

/** A partition was read from `expected` up to, not including, `next`. */
export interface PositionMove {
  readonly partition: number;
  readonly claim: bigint;
  readonly expected: bigint;
  readonly next: bigint;
}

/** An event, or a message as a whole, that was in the log and could not be taken in. */
export interface LogRefusal {
  readonly partition: number;
  readonly offset: bigint;
  /** From 1 in its message; 0: the message as a whole. */
  readonly eventNumber: number;
  readonly refusal: BillingError;
  readonly content: Buffer;
}

/** Of what was refused so much is kept; how long it was is kept always. */
export const refusedContentBytesMax = 65_536;

/** Somebody else has taken the partitions over, or what was brought is there already: nothing of it was written. */
export class UsageLogFencedError extends Error {
  readonly code = "usage_log_fenced";
}

/** The topic has another id than the one that was read: its offsets count from the beginning again. */
export class UsageLogTopicReplacedError extends BillingError {
  readonly code = "usage_log_topic_replaced";
}

/**
 * Takes partitions over, and gives where to read on. Waits for what an earlier reader is about to commit; what he brings
 * later is refused.
 * @param logStarts partition → offset of the oldest message that is still there: where a partition begins that was never read
 * @throws UsageLogTopicReplacedError
 */
export async function claimPositions(
  sql: Sql,
  topic: LogTopic,
  claimant: string,
  logStarts: ReadonlyMap<number, bigint>,
): Promise<ClaimedPosition[]> {
  const partitions = [...logStarts].map(([partition, start]) => ({ partition, log_start: String(start) }));
  try {
    return await sql<ClaimedPosition[]>`
      select of_partition as partition, from_offset as "nextOffset", under_claim as claim
      from usage.claim_log(${topic.name}, ${topic.id}, ${claimant}, ${JSON.stringify(partitions)}::text::jsonb)`;
  } catch (error) {
    if (sqlState(error) === "RK012") throw new UsageLogTopicReplacedError((error as Error).message);
    throw error;
  }
}

/**
 * Moves positions on, in the transaction that stores what was read.
 * @throws UsageLogFencedError
 */
export async function advancePositions(
  sql: Sql,
  topicId: string,
  moves: readonly PositionMove[],
): Promise<void> {
  const sent = moves.map(({ partition, claim, expected, next }) => ({
    partition,
    claim: String(claim),
    expected: String(expected),
    next: String(next),
  }));
  try {
    await sql`select usage.advance_log(${topicId}, ${JSON.stringify(sent)}::text::jsonb)`;
  } catch (error) {
    if (sqlState(error) === "RK011") throw new UsageLogFencedError((error as Error).message);
    throw error;
  }
}

/** Keeps what was refused, each once, however often it is read. */
export async function keepRefusals(
  sql: Sql,
  topicId: string,
  refusals: readonly LogRefusal[],
): Promise<void> {
  const sent = refusals.map(({ partition, offset, eventNumber, refusal, content }) => ({
    partition,
    message_offset: String(offset),
    event_number: eventNumber,
    code: refusal.code,
    field: storable(refusal.field),
    detail: storable(refusal.message),
    content: content.subarray(0, refusedContentBytesMax).toString("base64"),
    content_bytes: content.length,
  }));
  await sql`select usage.refuse_from_log(${topicId}, ${JSON.stringify(sent)}::text::jsonb)`;
}

const textLengthMax = 1_000;

/** What is wrong with an event may be in the words that say so: neither NUL nor half a surrogate pair can be stored. */
const storable = (text: string | undefined) =>
  text?.slice(0, textLengthMax).toWellFormed().replaceAll("\u0000", "\ufffd");

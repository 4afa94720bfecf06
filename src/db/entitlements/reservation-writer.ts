import { CommitQueue } from "../commit-queue.ts";
import { type Asked, isPassing, settleHalves, settleWaiting } from "../settle-waiting.ts";
import { openUsageConnection } from "../usage/usage-connection.ts";
import type { PlacedDraft, PlacementOutcome } from "./place-reservations.ts";
import type { SettlementDraft, SettlementOutcome } from "./settle-reservations.ts";
import { type ReservationWrite, type WriteOutcome, writeReservations } from "./write-reservations.ts";

export interface ReservationWriter {
  /**
   * Places a request together with those of other callers: one commit for many, an outcome for each. Settles when what it
   * says is durable. Placing it again, after any error, does no harm.
   * @throws ReservationsBusyError, ReservationsUnavailableError
   */
  place(draft: PlacedDraft): Promise<PlacementOutcome>;
  /** The same for what became of a request. @throws also ReservationEventRefusedError */
  settle(draft: SettlementDraft): Promise<SettlementOutcome>;
  /** Takes nothing more; settles when everything taken has its outcome. */
  close(): Promise<void>;
}

export interface ReservationWriterOptions {
  /** The primary, as the application connects to it. */
  readonly url: string;
  /** Shown in pg_stat_activity. */
  readonly applicationName?: string;
  readonly batchMax?: number;
  /** Requests that may wait for a batch; more are refused at once. */
  readonly queueMax?: number;
  /** How long the database may be silent or away: what was taken longer ago is sent no more. */
  readonly patienceMs?: number;
}

/** More wait than the database keeps up with: nothing was written, and the same may be asked later. */
export class ReservationsBusyError extends Error {
  readonly code = "reservations_busy";
}

/** The database did not answer: it may have been written or not. Asking again is safe, and tells. */
export class ReservationsUnavailableError extends Error {
  readonly code = "reservations_unavailable";
}

const usual = {
  applicationName: "reckoner reservations",
  batchMax: 200,
  queueMax: 10_000,
  patienceMs: 10_000,
};

/** What a batch costs before anything is in it, in requests. */
const furtherSizeMin = 10;

interface Writing extends Asked {
  /** Equal for two that do the same to the same. */
  readonly key: string;
  readonly write: ReservationWrite;
  resolve(outcome: WriteOutcome): void;
}

/**
 * A client of reservations that makes batches of what concurrent callers ask (group commit): those who settle and those who place go
 * together, one batch after the other, as two at once would only wait for each other's counters.
 */
export function openReservationWriter(options: ReservationWriterOptions): ReservationWriter {
  const { url, applicationName, batchMax, queueMax, patienceMs } = { ...usual, ...options };
  const connection = openUsageConnection(
    { url, applicationName, timeLimitMs: patienceMs },
    { current: undefined },
  );
  const queue = new CommitQueue<Writing, null>({
    lanes: [null],
    sizeMax: batchMax,
    furtherSizeMin,
    send: (_, asked) => send(asked),
  });
  let batches = 0;
  const write = (writes: readonly ReservationWrite[]) =>
    connection.byMeters(async (sql, inForce) => {
      batches += 1;
      if (isPowerOfFour(batches)) await sql`discard plans`;
      return await writeReservations(sql, writes, inForce);
    });
  /** Each once: who asks a second time at once is answered by what the first one wrote. */
  const send = async (asked: readonly Writing[]): Promise<void> => {
    const first = new Map(asked.toReversed().map((each) => [each.key, each]));
    const again = asked.filter((each) => first.get(each.key) !== each);
    await settle(asked.filter((each) => first.get(each.key) === each));
    if (again.length > 0) await send(again);
  };
  /** Gives every caller an outcome of his own, or an error, whatever happens. */
  const settle = (asked: readonly Writing[]): Promise<void> =>
    settleWaiting(asked, {
      patienceMs,
      // Somebody else may have written the same id first.
      isPassing: (error) => isPassing(error, ["25P02", "23505"]),
      write: async (waiting) => {
        const outcomes = await write(waiting.map((each) => each.write));
        for (const [index, { resolve }] of waiting.entries()) resolve(outcomes[index] as WriteOutcome);
      },
      refuse: (waiting, error) => settleHalves(waiting, settle, ({ reject }) => reject(error)),
      unavailable: (_, cause) => new ReservationsUnavailableError(awayMessage, { cause }),
    });
  const add = (id: string, write: ReservationWrite): Promise<WriteOutcome> => {
    if (queue.size >= queueMax)
      return Promise.reject(new ReservationsBusyError(`${queue.size} requests wait`));
    const { promise, resolve, reject } = Promise.withResolvers<WriteOutcome>();
    const key = `${write.does} ${id}`;
    queue.add({ size: 1, key, write, takenAt: performance.now(), resolve, reject });
    return promise;
  };
  return {
    place: (draft) => add(draft.draft.id, { does: "place", draft }) as Promise<PlacementOutcome>,
    settle: (draft) => add(draft.reservationId, { does: "settle", draft }) as Promise<SettlementOutcome>,
    async close() {
      await queue.drained();
      await connection.close();
    },
  };
}

/** Plans that were made while tables were small are made anew, more seldom each time: of an empty table any index seems as good as the right one. */
const isPowerOfFour = (count: number): boolean => Number.isInteger(Math.log2(count) / 2);

const awayMessage = "it is not known whether this was written, the database is away: ask again";

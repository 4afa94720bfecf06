import { CommitQueue } from "../commit-queue.ts";
import { openRenewedConnection } from "../renewed-connection.ts";
import { type Asked, isPassing, settleHalves, settleWaiting } from "../settle-waiting.ts";
import { openUsageConnection, type SeenMeters } from "../usage/usage-connection.ts";
import { type PlacedDraft, type PlacementOutcome, placeReservations } from "./place-reservations.ts";
import { type SettlementDraft, type SettlementOutcome, settleReservations } from "./settle-reservations.ts";

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

interface AskedOf<Draft, Outcome> extends Asked {
  readonly id: string;
  readonly draft: Draft;
  resolve(outcome: Outcome): void;
}

/** A client of reservations that makes batches of what concurrent callers ask (group commit). */
export function openReservationWriter(options: ReservationWriterOptions): ReservationWriter {
  const { url, applicationName, batchMax, queueMax, patienceMs } = { ...usual, ...options };
  const connection = { url, applicationName, timeLimitMs: patienceMs };
  const placing = openRenewedConnection(connection);
  const seen: SeenMeters = { current: undefined };
  const settling = openUsageConnection(connection, seen);
  const limits = { batchMax, queueMax, patienceMs };
  const places = new Batches<PlacedDraft, PlacementOutcome>(limits, (drafts) =>
    placing.use((client) => placeReservations(client, drafts)),
  );
  const settlements = new Batches<SettlementDraft, SettlementOutcome>(limits, (drafts) =>
    settling.measured((sql, meters) => settleReservations(sql, drafts, meters)),
  );
  return {
    place: (draft) => places.add(draft.draft.id, draft),
    settle: (draft) => settlements.add(draft.reservationId, draft),
    async close() {
      await Promise.all([places.drained(), settlements.drained()]);
      await Promise.all([placing.close(), settling.close()]);
    },
  };
}

type Limits = Required<Pick<ReservationWriterOptions, "batchMax" | "queueMax" | "patienceMs">>;

/** Batches of one kind, one after the other: two at once would only wait for each other's counters. */
class Batches<Draft, Outcome> {
  readonly #queue: CommitQueue<AskedOf<Draft, Outcome>, null>;
  readonly #limits: Limits;
  readonly #write: (drafts: readonly Draft[]) => Promise<readonly Outcome[]>;

  constructor(limits: Limits, write: (drafts: readonly Draft[]) => Promise<readonly Outcome[]>) {
    this.#limits = limits;
    this.#write = write;
    this.#queue = new CommitQueue({
      lanes: [null],
      sizeMax: limits.batchMax,
      furtherSizeMin,
      send: (_, asked) => this.#send(asked),
    });
  }

  add(id: string, draft: Draft): Promise<Outcome> {
    const { size } = this.#queue;
    if (size >= this.#limits.queueMax)
      return Promise.reject(new ReservationsBusyError(`${size} requests wait`));
    const { promise, resolve, reject } = Promise.withResolvers<Outcome>();
    this.#queue.add({ size: 1, id, draft, takenAt: performance.now(), resolve, reject });
    return promise;
  }

  drained = (): Promise<void> => this.#queue.drained();

  /** Each id once: who asks a second time at once is answered by what the first one wrote. */
  async #send(asked: readonly AskedOf<Draft, Outcome>[]): Promise<void> {
    const first = new Map(asked.toReversed().map((each) => [each.id, each]));
    const again = asked.filter((each) => first.get(each.id) !== each);
    await this.#settle(asked.filter((each) => first.get(each.id) === each));
    if (again.length > 0) await this.#send(again);
  }

  /** Gives every caller an outcome of his own, or an error, whatever happens. */
  #settle = (asked: readonly AskedOf<Draft, Outcome>[]): Promise<void> =>
    settleWaiting(asked, {
      patienceMs: this.#limits.patienceMs,
      // Somebody else may have written the same id first.
      isPassing: (error) => isPassing(error, ["25P02", "23505"]),
      write: async (waiting) => {
        const outcomes = await this.#write(waiting.map(({ draft }) => draft));
        for (const [index, { resolve }] of waiting.entries()) resolve(outcomes[index] as Outcome);
      },
      refuse: (waiting, error) => settleHalves(waiting, this.#settle, ({ reject }) => reject(error)),
      unavailable: (_, cause) => new ReservationsUnavailableError(awayMessage, { cause }),
    });
}

const awayMessage = "it is not known whether this was written, the database is away: ask again";

import { setTimeout as delay } from "node:timers/promises";
import { JournalEntryInvalidError } from "../../domain/ledger/index.ts";
import type { Waiting } from "../commit-queue.ts";
import { isConnectionLost } from "../lost-connection.ts";
import type { Client, RenewedConnection } from "../renewed-connection.ts";
import { sqlState } from "../sql-state.ts";
import { batchText, type PostedRow, type PostingResult, postingResults } from "./ledger.ts";

/** An entry of a caller who waits for its outcome. */
export interface WaitingEntry extends Waiting {
  readonly sourceKey: string;
  readonly text: string;
  resolve(result: PostingResult): void;
  reject(error: unknown): void;
}

/** The database did not answer: the entry may be in the ledger or not. Posting it again is safe, and tells. */
export class LedgerUnavailableError extends Error {
  readonly code = "ledger_unavailable";

  constructor(sourceKey: string, cause: unknown) {
    super(`it is not known whether entry ${sourceKey} was posted, the database is away: post it again`, {
      cause,
    });
    this.name = new.target.name;
  }
}

const [pauseMinMs, pauseMaxMs] = [10, 1_000];

/** Posts a batch in one transaction and gives every caller an outcome of his own, whatever happens. */
export async function settleBatch(
  connection: RenewedConnection,
  entries: readonly WaitingEntry[],
  patienceMs: number,
): Promise<void> {
  let batch = entries;
  for (let pauseMs = pauseMinMs; batch.length > 0; pauseMs = Math.min(2 * pauseMs, pauseMaxMs)) {
    try {
      const sent = batchText(batch.map(({ text }) => text));
      const results = postingResults(batch, await connection.use((client) => post(client, sent)));
      for (const [index, result] of results.entries()) batch[index]?.resolve(result);
      return;
    } catch (error) {
      if (!isPassing(error)) return settleHalves(connection, batch, patienceMs, error);
      batch = withoutImpatient(batch, patienceMs, error);
      await delay(pauseMs);
    }
  }
}

/** One statement is one transaction. It is prepared once, which a lone caller notices. */
async function post(client: Client, batch: string): Promise<PostedRow[]> {
  return client<PostedRow[]>`
    select ordinal, status, entry_id from ledger.post_entries(${batch}::text::jsonb) order by ordinal`;
}

/** Something in the batch cannot be posted: halving leaves it alone, and all the others are posted. */
async function settleHalves(
  connection: RenewedConnection,
  batch: readonly WaitingEntry[],
  patienceMs: number,
  error: unknown,
): Promise<void> {
  const [first, ...others] = batch;
  if (others.length === 0) {
    first?.reject(refusalOf(first.sourceKey, error));
    return;
  }
  const middle = Math.ceil(batch.length / 2);
  await settleBatch(connection, batch.slice(0, middle), patienceMs);
  await settleBatch(connection, batch.slice(middle), patienceMs);
}

function withoutImpatient(
  batch: readonly WaitingEntry[],
  patienceMs: number,
  error: unknown,
): readonly WaitingEntry[] {
  const takenSince = performance.now() - patienceMs;
  return batch.filter(({ sourceKey, takenAt, reject }) => {
    if (takenAt > takenSince) return true;
    reject(new LedgerUnavailableError(sourceKey, error));
    return false;
  });
}

/**
 * Nothing is wrong with the entries: the connection was lost, then nobody knows what became of them; or it is certain
 * that nothing was posted, because of a deadlock, a time limit, or a server that is full or a standby.
 */
function isPassing(error: unknown): boolean {
  return isConnectionLost(error) || /^(40|53|55P03|25006|57014)/.test(sqlState(error) ?? "");
}

/** Classes 22 and 23: what the tables' own rules refuse; RK002: what the posting function refuses. */
function refusalOf(sourceKey: string, error: unknown): unknown {
  if (!/^(22|23|RK002)/.test(sqlState(error) ?? "")) return error;
  const { message } = error as Error;
  return new JournalEntryInvalidError(`entry ${sourceKey} is refused: ${message}`);
}

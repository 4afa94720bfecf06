import { JournalEntryInvalidError } from "../../domain/ledger/index.ts";
import type { Client, RenewedConnection } from "../renewed-connection.ts";
import { type Asked, isPassing, settleHalves, settleWaiting } from "../settle-waiting.ts";
import { sqlState } from "../sql-state.ts";
import { batchText, type PostedRow, type PostingResult, postingResults } from "./ledger.ts";

/** An entry of a caller who waits for its outcome. */
export interface WaitingEntry extends Asked {
  readonly sourceKey: string;
  readonly text: string;
  resolve(result: PostingResult): void;
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

/** Posts a batch in one transaction and gives every caller an outcome of his own, whatever happens. */
export async function settleBatch(
  connection: RenewedConnection,
  entries: readonly WaitingEntry[],
  patienceMs: number,
): Promise<void> {
  const settle = (batch: readonly WaitingEntry[]): Promise<void> =>
    settleWaiting(batch, {
      patienceMs,
      isPassing: (error) => isPassing(error),
      async write(waiting) {
        const sent = batchText(waiting.map(({ text }) => text));
        const results = postingResults(waiting, await connection.use((client) => post(client, sent)));
        for (const [index, result] of results.entries()) waiting[index]?.resolve(result);
      },
      refuse: (waiting, error) =>
        settleHalves(waiting, settle, ({ sourceKey, reject }) => reject(refusalOf(sourceKey, error))),
      unavailable: ({ sourceKey }, cause) => new LedgerUnavailableError(sourceKey, cause),
    });
  await settle(entries);
}

/** One statement is one transaction. It is prepared once, which a lone caller notices. */
async function post(client: Client, batch: string): Promise<PostedRow[]> {
  return client<PostedRow[]>`
    select ordinal, status, entry_id from ledger.post_entries(${batch}::text::jsonb) order by ordinal`;
}

/** Classes 22 and 23: what the tables' own rules refuse; RK002: what the posting function refuses. */
function refusalOf(sourceKey: string, error: unknown): unknown {
  if (!/^(22|23|RK002)/.test(sqlState(error) ?? "")) return error;
  const { message } = error as Error;
  return new JournalEntryInvalidError(`entry ${sourceKey} is refused: ${message}`);
}

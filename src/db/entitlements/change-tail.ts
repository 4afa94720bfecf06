import { setTimeout as delay } from "node:timers/promises";
import { type Database, rows, sql } from "../database.ts";

/** The customers about whom something changed that decides what they may use; "all" when it was of everybody. */
export type ChangedCustomers = "all" | readonly string[];

/** Who follows what is committed, so that what is remembered is as of a moment ago. */
export interface ChangeTail {
  /** How many times it has looked. */
  readonly turn: number;
  /** Whether all that was committed until so long ago has been told. */
  isCurrent(ageMsMax: number): boolean;
  close(): Promise<void>;
}

export interface ChangeTailOptions {
  readonly onChange: (changed: ChangedCustomers, turn: number) => void;
  /** How long after a look the next one begins. */
  readonly everyMs?: number;
}

/** How old what is remembered may be at most, whoever asks. */
export const freshnessMs = 1_000;

/**
 * Looks again and again at what was committed since the look before: by snapshots, so that nothing is missed, whatever the order of
 * commits and however long a transaction took. While the database is away it is not current.
 */
export function openChangeTail(
  { orm }: Pick<Database, "orm">,
  { onChange, everyMs = 100 }: ChangeTailOptions,
): ChangeTail {
  let [turn, lookedAt, isClosed] = [0, Number.NEGATIVE_INFINITY, false];
  let snapshot: string | undefined;
  const look = async () => {
    const begunAt = performance.now();
    const since = snapshot === undefined ? sql`pg_current_snapshot()` : sql`${snapshot}::text::pg_snapshot`;
    const [row] = await rows<{ found: { snapshot: string; customers: string[] } }>(
      orm,
      sql`select billing.entitlement_changes(${since}) as found`,
    );
    if (row === undefined) return;
    const { customers } = row.found;
    // Before the first look there may have been anything.
    const isAll = snapshot === undefined || customers.includes("*");
    snapshot = row.found.snapshot;
    turn += 1;
    if (isAll || customers.length > 0) onChange(isAll ? "all" : customers, turn);
    lookedAt = begunAt;
  };
  const following = (async () => {
    while (!isClosed) {
      // It is tried again, and until then nothing is current.
      await look().catch(() => {});
      await delay(everyMs);
    }
  })();
  return {
    get turn() {
      return turn;
    },
    isCurrent: (ageMsMax) => performance.now() - lookedAt <= ageMsMax,
    async close() {
      isClosed = true;
      await following;
    },
  };
}

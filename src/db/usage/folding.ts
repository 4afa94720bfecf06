import { rows, sql, type Tx } from "../database.ts";

export interface Folded {
  /** How many contributions went into their windows. */
  readonly contributions: bigint;
  /** More could be folded at once. */
  readonly isBehind: boolean;
}

/** One fold, of some seconds at most: what is added up before it is stored costs the less the more of it there is. */
const factsMax = 250_000;

/**
 * Adds what was recorded by transactions that have ended to the windows. Usage is read right without it, but what is not
 * folded is read event by event. Whoever comes while another is at it does nothing.
 */
export async function foldUsage(tx: Tx): Promise<Folded> {
  const [row] = await rows<{ contributions: bigint; is_behind: boolean }>(
    tx,
    sql`select contributions, is_behind from usage.fold(${factsMax})`,
  );
  return { contributions: row?.contributions ?? 0n, isBehind: row?.is_behind ?? false };
}

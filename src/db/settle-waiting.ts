import { setTimeout as delay } from "node:timers/promises";
import type { Waiting } from "./commit-queue.ts";
import { isConnectionLost } from "./lost-connection.ts";
import { sqlState } from "./sql-state.ts";

/** What a caller waits with for his outcome. */
export interface Asked extends Waiting {
  reject(error: unknown): void;
}

export interface Settling<Item extends Asked> {
  /** Writes all of them in one transaction, or nothing, and gives each its outcome when that is durable. */
  readonly write: (items: readonly Item[]) => Promise<void>;
  readonly isPassing: (error: unknown) => boolean;
  /** Answers them when writing them has failed with what will not pass. */
  readonly refuse: (items: readonly Item[], error: unknown) => Promise<void> | void;
  /** How long the database may be silent or away: what was taken longer ago is sent no more. */
  readonly patienceMs: number;
  /** What is said to whoever was taken longer ago: nobody knows whether it was written. */
  readonly unavailable: (item: Item, cause: unknown) => Error;
}

const [pauseMinMs, pauseMaxMs] = [10, 1_000];

/** Gives every caller an outcome of his own, or an error, whatever happens. */
export async function settleWaiting<Item extends Asked>(
  items: readonly Item[],
  settling: Settling<Item>,
): Promise<void> {
  let waiting = items;
  for (let pauseMs = pauseMinMs; waiting.length > 0; pauseMs = Math.min(2 * pauseMs, pauseMaxMs)) {
    try {
      await settling.write(waiting);
      return;
    } catch (error) {
      if (!settling.isPassing(error)) return await settling.refuse(waiting, error);
      waiting = withoutImpatient(waiting, settling, error);
      await delay(pauseMs);
    }
  }
}

/** Something in a batch cannot be written: halving leaves it alone, and all the others are written. */
export async function settleHalves<Item extends Asked>(
  items: readonly Item[],
  settle: (items: readonly Item[]) => Promise<void>,
  refuse: (item: Item) => void,
): Promise<void> {
  const [first, ...others] = items;
  if (first === undefined) return;
  if (others.length === 0) {
    refuse(first);
    return;
  }
  const middle = Math.ceil(items.length / 2);
  await settle(items.slice(0, middle));
  await settle(items.slice(middle));
}

function withoutImpatient<Item extends Asked>(
  waiting: readonly Item[],
  { patienceMs, unavailable }: Settling<Item>,
  cause: unknown,
): readonly Item[] {
  const takenSince = performance.now() - patienceMs;
  return waiting.filter((item) => {
    if (item.takenAt > takenSince) return true;
    item.reject(unavailable(item, cause));
    return false;
  });
}

/**
 * Nothing is wrong with what was sent: the connection was lost, then nobody knows what became of it; or it is certain that nothing
 * was written, because of a deadlock, a time limit, or a server that is full or a standby.
 * @param also SQL states that pass, too, for what was sent
 */
export function isPassing(error: unknown, also: readonly string[] = []): boolean {
  const state = sqlState(error) ?? "";
  return isConnectionLost(error) || /^(40|53|55P03|25006|57014)/.test(state) || also.includes(state);
}

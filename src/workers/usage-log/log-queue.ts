import type { ClaimedPosition, PositionMove } from "../../db/usage/usage-log.ts";
import { BillingError, invariant } from "../../domain/errors.ts";
import type { MessageContent } from "./read-message.ts";

/** A message that was read and is not committed yet. */
export interface ReadMessage {
  readonly partition: number;
  readonly offset: bigint;
  readonly content: MessageContent;
  /** As it came, when it cannot be understood. */
  readonly value: Buffer;
}

/** What is committed as a whole: messages of one or more partitions, and how far those were read with them. */
export interface TakenMessages {
  readonly moves: readonly PositionMove[];
  readonly messages: readonly ReadMessage[];
}

/** A partition gave a message from before the place where it is read: its offsets do not go forward. */
export class UsageLogOrderError extends BillingError {
  readonly code = "usage_log_order";
}

interface Partition {
  readonly claim: bigint;
  /** What comes next from the database's view, when nothing is on its way. */
  position: bigint;
  /** What comes next from the broker's view. */
  readTo: bigint;
  waiting: ReadMessage[];
  isOnItsWay: boolean;
}

/**
 * What was read, until it is committed: in order within each partition, of which one batch at a time is on its way. Offsets
 * may have gaps, where messages were compacted away, or belong to transactions.
 */
export class LogQueue {
  readonly #partitions: Map<number, Partition>;
  #waiting = 0;
  #onItsWay = 0;

  constructor(positions: readonly ClaimedPosition[]) {
    this.#partitions = new Map(
      positions.map(({ partition, claim, nextOffset }) => [
        partition,
        { claim, position: nextOffset, readTo: nextOffset, waiting: [], isOnItsWay: false },
      ]),
    );
  }

  /** Events that are not committed yet. */
  get size(): number {
    return this.#waiting + this.#onItsWay;
  }

  /** Events of which nobody has taken care yet. */
  get waiting(): number {
    return this.#waiting;
  }

  has(partition: number): boolean {
    return this.#partitions.has(partition);
  }

  /** @throws UsageLogOrderError */
  add(message: ReadMessage): void {
    const partition = this.#partition(message.partition);
    if (message.offset < partition.readTo) {
      const found = `offset ${message.offset} of partition ${message.partition} comes after ${partition.readTo - 1n}`;
      throw new UsageLogOrderError(found);
    }
    partition.readTo = message.offset + 1n;
    partition.waiting.push(message);
    this.#waiting += sizeOf(message);
  }

  /** How far each partition is committed. */
  committed(): ReadonlyMap<number, bigint> {
    return new Map([...this.#partitions].map(([number, { position }]) => [number, position]));
  }

  /** How far each partition was read. */
  readTo(partition: number): bigint {
    return this.#partition(partition).readTo;
  }

  /** What may leave now, of as many partitions as make up a batch; undefined when there is nothing. */
  next(sizeMax: number): TakenMessages | undefined {
    const moves: PositionMove[] = [];
    const messages: ReadMessage[] = [];
    let size = 0;
    for (const [number, partition] of [...this.#partitions]) {
      if (partition.isOnItsWay || partition.waiting.length === 0) continue;
      const from = messages.length;
      for (const message of partition.waiting) {
        if (messages.length > 0 && size + sizeOf(message) > sizeMax) break;
        messages.push(message);
        size += sizeOf(message);
      }
      const last = messages.at(-1);
      if (messages.length === from || last === undefined) break;
      partition.waiting.splice(0, messages.length - from);
      partition.isOnItsWay = true;
      moves.push({
        partition: number,
        claim: partition.claim,
        expected: partition.position,
        next: last.offset + 1n,
      });
      // To the end of the row: those that had to wait go first.
      this.#partitions.delete(number);
      this.#partitions.set(number, partition);
    }
    if (moves.length === 0) return undefined;
    this.#waiting -= size;
    this.#onItsWay += size;
    return { moves, messages };
  }

  /** What was taken is committed. */
  settle({ moves, messages }: TakenMessages): void {
    for (const { partition: number, next } of moves) {
      const partition = this.#partition(number);
      partition.position = next;
      partition.isOnItsWay = false;
    }
    for (const message of messages) this.#onItsWay -= sizeOf(message);
  }

  #partition(number: number): Partition {
    const partition = this.#partitions.get(number);
    invariant(partition !== undefined, "messages come of claimed partitions");
    return partition;
  }
}

/** A message without events takes a place, too. */
const sizeOf = ({ content }: ReadMessage) => ("inputs" in content ? Math.max(content.inputs.length, 1) : 1);

import { describe, expect, test } from "vitest";
import { LogQueue, type ReadMessage } from "../../src/workers/usage-log/log-queue.ts";

/** A message with so many events. */
const message = (partition: number, offset: number, events = 1): ReadMessage => ({
  partition,
  offset: BigInt(offset),
  content: { inputs: Array.from({ length: events }, () => ({})) },
  value: Buffer.alloc(0),
});

function queueOf(...from: readonly number[]): LogQueue {
  return new LogQueue(
    from.map((offset, partition) => ({ partition, nextOffset: BigInt(offset), claim: 1n })),
  );
}

/** "partition: from-to" of a batch. */
const taken = (queue: LogQueue, sizeMax = 100) => {
  const batch = queue.next(sizeMax);
  return {
    batch,
    moves: batch?.moves.map(({ partition, expected, next }) => `${partition}: ${expected}-${next}`) ?? [],
  };
};

describe("a batch", () => {
  test.each([
    { sizeMax: 5, moves: ["0: 0-2"], why: "2 × 2 events; the third message would make 6" },
    { sizeMax: 6, moves: ["0: 0-3"], why: "3 × 2" },
    { sizeMax: 8, moves: ["0: 0-3", "1: 7-8"], why: "3 × 2 of one partition and 1 × 2 of the next" },
    { sizeMax: 1, moves: ["0: 0-1"], why: "a message is never divided" },
  ])("of $sizeMax events holds $moves: $why", ({ sizeMax, moves }) => {
    const queue = queueOf(0, 7);
    for (const offset of [0, 1, 2]) queue.add(message(0, offset, 2));
    for (const offset of [7, 8]) queue.add(message(1, offset, 2));
    expect(taken(queue, sizeMax).moves).toEqual(moves);
  });

  test("has nothing of a partition of which another is on its way", () => {
    const queue = queueOf(0, 0);
    queue.add(message(0, 0));
    const first = taken(queue);
    queue.add(message(0, 1));
    expect(taken(queue).moves).toEqual([]);
    queue.add(message(1, 0));
    expect(taken(queue).moves).toEqual(["1: 0-1"]);
    if (first.batch) queue.settle(first.batch);
    expect(taken(queue).moves).toEqual(["0: 1-2"]);
  });

  test("moves over gaps to behind its last message", () => {
    const queue = queueOf(3);
    for (const offset of [10, 12, 40]) queue.add(message(0, offset));
    expect(taken(queue).moves).toEqual(["0: 3-41"]);
  });

  test("begins with the partition that has waited longest", () => {
    const queue = queueOf(0, 0, 0);
    const order: string[][] = [];
    for (let round = 0; round < 4; round++) {
      for (const partition of [0, 1, 2]) queue.add(message(partition, round));
      const { batch, moves } = taken(queue, 1);
      order.push(moves);
      if (batch) queue.settle(batch);
    }
    expect(order).toEqual([["0: 0-1"], ["1: 0-1"], ["2: 0-1"], ["0: 1-2"]]);
  });
});

test("what waits and what is on its way is counted until it is committed; a message without events takes a place", () => {
  const queue = queueOf(0);
  queue.add(message(0, 0, 5));
  queue.add(message(0, 1, 0));
  expect([queue.size, queue.waiting]).toEqual([6, 6]);
  const { batch } = taken(queue);
  expect([queue.size, queue.waiting]).toEqual([6, 0]);
  if (batch) queue.settle(batch);
  expect([queue.size, [...queue.committed()]]).toEqual([0, [[0, 2n]]]);
});

test.each([
  { offset: 4, why: "before the position" },
  { offset: 5, why: "a second time" },
])("offset $offset is refused: it comes $why", ({ offset }) => {
  const queue = queueOf(5);
  queue.add(message(0, 5));
  expect(() => queue.add(message(0, offset))).toThrow(expect.objectContaining({ code: "usage_log_order" }));
});

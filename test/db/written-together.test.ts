import { expect, test } from "vitest";
import { writtenTogether } from "../../src/db/written-together.ts";

/** Writes that take as long as somebody says, and refuse whatever is odd. */
function heldWrites() {
  const writes: { readonly asked: readonly number[]; readonly end: () => void }[] = [];
  const ask = writtenTogether(async (asked: readonly number[]) => {
    const held = Promise.withResolvers<void>();
    writes.push({ asked, end: held.resolve });
    await held.promise;
    if (asked.some((number) => number % 2 === 1)) throw new Error(`odd: ${asked.join()}`);
    return asked.map((number) => number * 10);
  });
  const begun = async (count: number) => {
    while (writes.length < count) await new Promise((resolve) => setImmediate(resolve));
    return writes[count - 1];
  };
  return { ask, begun, writes };
}

test("who asks at once is written at once; who comes meanwhile goes along with the next, together", async () => {
  const { ask, begun, writes } = heldWrites();
  const first = [ask(2), ask(4)];
  const one = await begun(1);
  const then = [ask(6), ask(8), ask(10)];
  one?.end();
  expect(await Promise.all(first)).toEqual([20, 40]);
  (await begun(2))?.end();
  expect(await Promise.all(then)).toEqual([60, 80, 100]);
  expect(writes.map(({ asked }) => asked)).toEqual([
    [2, 4],
    [6, 8, 10],
  ]);
  const last = ask(12);
  (await begun(3))?.end();
  expect(await last).toBe(120);
});

test("nobody is refused for another's sake", async () => {
  const { ask, begun, writes } = heldWrites();
  const outcomes = Promise.allSettled([ask(2), ask(3), ask(4)]);
  for (const count of [1, 2, 3, 4]) (await begun(count))?.end();
  expect(await outcomes).toMatchObject([{ value: 20 }, { reason: { message: "odd: 3" } }, { value: 40 }]);
  expect(writes.map(({ asked }) => asked)).toEqual([[2, 3, 4], [2], [3], [4]]);
});

test("a database that is away is told to all of them, and is asked once", async () => {
  let asks = 0;
  const ask = writtenTogether<number, number>(async () => {
    asks += 1;
    throw Object.assign(new Error("gone"), { code: "CONNECTION_CLOSED" });
  });
  const outcomes = await Promise.allSettled([ask(1), ask(2)]);
  expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  expect(asks).toBe(1);
});

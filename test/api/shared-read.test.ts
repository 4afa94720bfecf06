import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { sharedLookup, sharedRead } from "../../src/api/shared-read.ts";

/** A read that takes until it is told its result. */
function slowRead() {
  const reads: PromiseWithResolvers<string>[] = [];
  const read = () => {
    const running = Promise.withResolvers<string>();
    reads.push(running);
    return running.promise;
  };
  return { read, reads };
}

test("who asks while a read runs gets the next one, together with all others", async () => {
  const { read, reads } = slowRead();
  const ask = sharedRead(read);
  const first = ask();
  await delay(5);
  const [second, third] = [ask(), ask()];
  await delay(5);
  expect(reads).toHaveLength(1);
  reads[0]?.resolve("before they asked");
  expect(await first).toBe("before they asked");
  await delay(5);
  expect(reads).toHaveLength(2);
  reads[1]?.resolve("after they asked");
  expect(await Promise.all([second, third])).toEqual(["after they asked", "after they asked"]);
});

test("a read that fails fails for those who share it, and for nobody else", async () => {
  const { read, reads } = slowRead();
  const ask = sharedRead(read);
  const first = ask();
  await delay(5);
  const second = ask();
  reads[0]?.reject(new Error("away"));
  await expect(first).rejects.toThrow("away");
  await delay(5);
  reads[1]?.resolve("back");
  expect(await second).toBe("back");
});

test("everybody finds what they asked for, each thing asked for once", async () => {
  const asked: (readonly string[])[] = [];
  const find = sharedLookup(async (keys: readonly string[]) => {
    asked.push(keys);
    await delay(5);
    return new Map(keys.filter((key) => key !== "nothing").map((key) => [key, key.toUpperCase()]));
  });
  const found = await Promise.all(["a", "b", "a", "nothing"].map(find));
  expect(found).toEqual(["A", "B", "A", undefined]);
  expect(await find("c")).toBe("C");
  expect(asked).toEqual([["a", "b", "nothing"], ["c"]]);
});

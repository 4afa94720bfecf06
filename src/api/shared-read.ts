import { setImmediate as turn } from "node:timers/promises";

/**
 * One read for all who ask while the one before is under way. Nobody gets what was read before he asked, so an answer is
 * as fresh as if everybody had read for himself.
 */
export function sharedRead<Value>(read: () => Promise<Value>): () => Promise<Value> {
  let running: Promise<unknown> = Promise.resolve();
  let next: Promise<Value> | undefined;
  const readNext = async () => {
    // Requests that came in the same turn of the event loop go along.
    await turn();
    next = undefined;
    return read();
  };
  return () => {
    if (next === undefined) {
      next = running.then(readNext, readNext);
      running = next;
    }
    return next;
  };
}

/** The same where everybody asks for something of his own. */
export function sharedLookup<Key, Value>(
  readAll: (keys: readonly Key[]) => Promise<ReadonlyMap<Key, Value>>,
): (key: Key) => Promise<Value | undefined> {
  let asked = new Set<Key>();
  const readAsked = sharedRead(() => {
    const keys = [...asked];
    asked = new Set();
    return readAll(keys);
  });
  return async (key) => {
    asked.add(key);
    return (await readAsked()).get(key);
  };
}

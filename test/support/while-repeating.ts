import { setImmediate } from "node:timers/promises";

/**
 * Does each of these again and again while work goes on, and ends them however the work ends: a test that fails leaves nothing
 * behind that goes on for ever. Timers run between any two, even where they fail at once.
 */
export async function whileRepeating<Result>(
  repeated: readonly (() => Promise<unknown>)[],
  work: () => Promise<Result>,
): Promise<Result> {
  let isOver = false;
  const lanes = repeated.map(async (again) => {
    while (!isOver) {
      await again();
      await setImmediate();
    }
  });
  const ends = Promise.allSettled(lanes);
  try {
    return await work();
  } finally {
    isOver = true;
    await ends;
    await Promise.all(lanes);
  }
}

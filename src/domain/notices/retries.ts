const minute = 60;
const hour = 60 * minute;

/** How long is waited after each attempt that failed, in seconds: over three days in all, then it is given up. */
export const retryAfterSeconds: readonly number[] = [
  5,
  5 * minute,
  30 * minute,
  2 * hour,
  5 * hour,
  10 * hour,
  14 * hour,
  20 * hour,
  24 * hour,
];

/** A fifth more or less, so that what failed together does not come back together. */
const jitter = 0.2;

/**
 * How long after a failed attempt the next one is made, in milliseconds; null when there is none.
 *
 * @param attempt that failed: 1 for the first since it was asked for
 * @param chance from 0 to 1
 * @param askedForMs what the receiver asked to be left alone for, at most a day of which is granted
 */
export function retryAfterMs(attempt: number, chance: number, askedForMs = 0): number | null {
  const seconds = retryAfterSeconds[attempt - 1];
  if (seconds === undefined) return null;
  const spread = 1 - jitter + 2 * jitter * chance;
  return Math.max(Math.round(seconds * 1_000 * spread), Math.min(askedForMs, 24 * hour * 1_000));
}

/** An endpoint at which everything has failed for so long is disabled. */
export const failingMsMax = 5 * 24 * hour * 1_000;

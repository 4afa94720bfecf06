import {
  type BillingAnchor,
  boundary,
  type Instant,
  type Period,
  periodContaining,
} from "../calendar/index.ts";

/** When credit is given again and again. */
export interface Recurrence {
  /** Instants are counted from here, on its calendar: anchor + n × interval. */
  readonly anchor: BillingAnchor;
  /** From when on. */
  readonly effectiveAt: Instant;
  /** Until when; no instant falls on it or after it. Null: for ever. */
  readonly expiresAt: Instant | null;
  /** Whether the first is given when it takes effect, or at the first instant after that. */
  readonly first: "at_once" | "at_instant";
}

/** One of the times that credit is given, and the time in which it can be spent: until the next, or the end. */
export interface Occurrence extends Period {
  /** 0, 1, 2…, for ever the same. */
  readonly number: number;
}

/**
 * The occurrences from number `from` on that have come by `asOf`. One instant is one occurrence: where the first instant is
 * the one at which the recurrence takes effect, credit is given once.
 */
export function occurrencesUntil(recurrence: Recurrence, asOf: Instant, from = 0): Occurrence[] {
  const { expiresAt } = recurrence;
  const found: Occurrence[] = [];
  for (let number = from; ; number += 1) {
    const start = instantOf(recurrence, number);
    if (start > asOf || (expiresAt !== null && start >= expiresAt)) return found;
    const next = instantOf(recurrence, number + 1);
    found.push({ number, start, end: expiresAt !== null && expiresAt < next ? expiresAt : next });
  }
}

/** How often credit is given until the end; null when there is none. */
export function occurrenceCount(recurrence: Recurrence): number | null {
  const { anchor, effectiveAt, expiresAt, first } = recurrence;
  if (expiresAt === null) return null;
  const begins = periodContaining(anchor, effectiveAt);
  const ends = periodContaining(anchor, expiresAt);
  const isAtOnce = first === "at_once" || begins.period.start === effectiveAt;
  const firstIndex = isAtOnce ? begins.index : begins.index + 1;
  const lastIndex = ends.period.start === expiresAt ? ends.index - 1 : ends.index;
  return Math.max(0, lastIndex - firstIndex + 1);
}

/** When occurrence `number` is, if there is no end before it. */
export function instantOf({ anchor, effectiveAt, first }: Recurrence, number: number): Instant {
  const { index, period } = periodContaining(anchor, effectiveAt);
  if (first === "at_once") return number === 0 ? effectiveAt : boundary(anchor, index + number);
  // An instant on which it takes effect is the first.
  const firstIndex = period.start === effectiveAt ? index : index + 1;
  return boundary(anchor, firstIndex + number);
}

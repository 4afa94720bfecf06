import type { Instant, Period } from "../calendar/index.ts";
import { invariant } from "../errors.ts";
import { type Decimal, decimal, sumDecimals, zero } from "../money/index.ts";

/**
 * What one event said, and when. It holds until the next one; of two at one instant the one with the larger `seq`,
 * which was accepted later, is the later.
 */
export type Level = { readonly time: Instant; readonly seq: bigint; readonly quantity: Decimal };

/**
 * Levels of one series that follow one another, as far as a window has to remember them: the first, the last, and the
 * area between these two, in quantity × milliseconds.
 */
export type LevelSpan = { readonly first: Level; readonly last: Level; readonly area: Decimal };

/** Negative when `left` comes before `right`, as `sort` wants it; zero only for one and the same event. */
export function compareLevels(left: Level, right: Level): number {
  if (left.time !== right.time) return left.time - right.time;
  if (left.seq === right.seq) return 0;
  return left.seq < right.seq ? -1 : 1;
}

/** The later of two. */
export function laterLevel(left: Level, right: Level): Level {
  return compareLevels(left, right) < 0 ? right : left;
}

export function spanOfLevel(level: Level): LevelSpan {
  return { first: level, last: level, area: zero };
}

/** Whether a level of each of two spans lies between levels of the other: then the spans cannot tell the area. */
export function areInterleaved(one: LevelSpan, other: LevelSpan): boolean {
  return compareLevels(one.last, other.first) >= 0 && compareLevels(other.last, one.first) >= 0;
}

/** Spans in the order of time. Interleaved ones are a bug and throw. */
export function orderSpans(spans: readonly LevelSpan[]): LevelSpan[] {
  const ordered = spans.toSorted((one, other) => compareLevels(one.first, other.first));
  for (const [index, span] of ordered.entries()) {
    const before = ordered[index - 1];
    invariant(before === undefined || !areInterleaved(before, span), "spans of levels do not interleave");
  }
  return ordered;
}

/** Spans in the order of time as one, when nothing is missing between them; null for none. */
export function joinSpans(ordered: readonly LevelSpan[]): LevelSpan | null {
  const [first] = ordered;
  const last = ordered.at(-1);
  if (first === undefined || last === undefined) return null;
  const areas = ordered.map(({ area }, index) => {
    const next = ordered[index + 1];
    const level = ordered[index]?.last;
    return level && next ? area.plus(areaOf(level.quantity, level.time, next.first.time)) : area;
  });
  return { first: first.first, last: last.last, area: sumDecimals(areas) };
}

/**
 * The area below the levels of a whole period, in quantity × milliseconds: what held when the period began
 * (`carryIn`, null when nothing had been said yet), then the levels of `ordered`, the last one until the period's end.
 */
export function areaOver(
  { start, end }: Period,
  carryIn: Decimal | null,
  ordered: readonly LevelSpan[],
): Decimal {
  const span = joinSpans(ordered);
  const carried = carryIn ?? zero;
  if (span === null) return areaOf(carried, start, end);
  const { first, last, area } = span;
  invariant(start <= first.time && last.time < end, "the levels of a period lie in it");
  return areaOf(carried, start, first.time)
    .plus(area)
    .plus(areaOf(last.quantity, last.time, end));
}

function areaOf(quantity: Decimal, from: Instant, to: Instant): Decimal {
  return quantity.times(decimal(BigInt(to - from)));
}

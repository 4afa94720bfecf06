import { type Decimal, maxDecimal, minDecimal, sumDecimals } from "../money/index.ts";
import {
  areInterleaved,
  joinSpans,
  type Level,
  type LevelSpan,
  laterLevel,
  orderSpans,
  spanOfLevel,
} from "./levels.ts";
import type { Aggregation } from "./meter.ts";

/** A contribution and its place in time: what a window adds up. `value` as in `Contribution`. */
export type Measurement = Level & { readonly value?: string };

/**
 * All that must be kept of contributions (of one customer, meter version and combination of dimension values) to tell
 * any quantity they make. The last two are kept by the aggregations that need them only: they alone grow with the
 * contributions.
 */
export type WindowState = {
  readonly count: bigint;
  readonly sum: Decimal;
  readonly min: Decimal | null;
  readonly max: Decimal | null;
  readonly latest: Level | null;
  /** Of unique_count: every value. */
  readonly values: ReadonlySet<string>;
  /** Of time_weighted_sum: every level, in the order of time, or spans of them. */
  readonly levels: readonly LevelSpan[];
};

/** The state of a single contribution. */
export function stateOf(aggregation: Aggregation, { value, ...level }: Measurement): WindowState {
  return {
    count: 1n,
    sum: level.quantity,
    min: level.quantity,
    max: level.quantity,
    latest: level,
    values: new Set(value === undefined ? [] : [value]),
    levels: aggregation === "time_weighted_sum" ? [spanOfLevel(level)] : [],
  };
}

/**
 * States of one meter as one, in any order and any grouping; none make the empty state, which adds nothing to others.
 * Only a compacted state cannot take up levels that lie between its own: that is a bug and throws, see
 * {@link mustBeRebuilt}.
 */
export function mergeStates(states: readonly WindowState[]): WindowState {
  return {
    count: states.reduce((sum, { count }) => sum + count, 0n),
    sum: sumDecimals(states.map(({ sum }) => sum)),
    min: combined(minDecimal, states, ({ min }) => min),
    max: combined(maxDecimal, states, ({ max }) => max),
    latest: combined(laterLevel, states, ({ latest }) => latest),
    values: new Set(states.flatMap(({ values }) => [...values])),
    levels: orderSpans(states.flatMap(({ levels }) => levels)),
  };
}

/** The state that holds all contributions of a window, its levels put together to one span: what is worth storing. */
export function compactState(state: WindowState): WindowState {
  const span = joinSpans(state.levels);
  return span === null ? state : { ...state, levels: [span] };
}

/**
 * Whether a compacted window must be made anew from all its contributions to take up `added`: a level has come late
 * and lies between others.
 */
export function mustBeRebuilt(window: WindowState, added: WindowState): boolean {
  return window.levels.some((span) => added.levels.some((late) => areInterleaved(span, late)));
}

function combined<Part>(
  two: (one: Part, other: Part) => Part,
  states: readonly WindowState[],
  partOf: (state: WindowState) => Part | null,
): Part | null {
  return states.reduce<Part | null>((sum, state) => {
    const part = partOf(state);
    return sum === null || part === null ? (sum ?? part) : two(sum, part);
  }, null);
}

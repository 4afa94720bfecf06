import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { contains, type Instant } from "../../../src/domain/calendar/index.ts";
import {
  type Aggregation,
  aggregations,
  compactState,
  mergeStates,
  mustBeRebuilt,
  quantityOf,
  type Series,
  splitByWindows,
  stateOf,
  type WindowState,
  windowOf,
} from "../../../src/domain/metering/index.ts";
import { type Accepted, accepted, anyStory, measurementOf, type Story } from "./measured-events.ts";
import { naively } from "./naive-quantity.ts";

const anyAggregation = fc.constantFrom(...aggregations);

const stateFrom = (aggregation: Aggregation, events: readonly Accepted[]): WindowState =>
  mergeStates(events.map((event) => stateOf(aggregation, measurementOf(aggregation, event))));

describe("INV-22: states merge to one, in any order and any grouping, and the empty state adds nothing", () => {
  test("as all contributions at once, late ones among earlier ones", () => {
    fc.assert(
      fc.property(anyAggregation, anyStory, fc.array(fc.nat(4)), (aggregation, { sent }, groupOf) => {
        const events = accepted(sent);
        const groups = Map.groupBy(events, (_, index) => groupOf[index] ?? 0);
        const states = [...groups.values()].map((group) => stateFrom(aggregation, group));
        const whole = stateFrom(aggregation, events);
        expect(mergeStates(states)).toEqual(whole);
        expect(mergeStates(states.toReversed())).toEqual(whole);
        expect(mergeStates([whole, mergeStates([])])).toEqual(whole);
        const left = states.reduce((one, other) => mergeStates([one, other]), mergeStates([]));
        const right = states.reduceRight((one, other) => mergeStates([other, one]), mergeStates([]));
        expect([left, right]).toEqual([whole, whole]);
      }),
    );
  });

  test("a window that is compacted is as large as one of a single contribution, but for the values it holds", () => {
    fc.assert(
      fc.property(anyAggregation, anyStory, (aggregation, { sent }) => {
        const state = compactState(stateFrom(aggregation, accepted(sent)));
        expect(state.levels.length).toBeLessThanOrEqual(1);
        expect(compactState(state)).toEqual(state);
      }),
    );
  });
});

/** The windows as they would be kept: by series and start, each compacted. */
function windowsOfSeries(aggregation: Aggregation, events: readonly Accepted[], { size, zone }: Story) {
  const byWindow = Map.groupBy(events, ({ time }) => windowOf(time, size, zone).start);
  return new Map(
    [...byWindow].map(([start, inWindow]) => [start, compactState(stateFrom(aggregation, inWindow))]),
  );
}

/** What is read of one series: whole windows from what was kept, pieces of windows from contributions. */
function seriesIn(
  aggregation: Aggregation,
  events: readonly Accepted[],
  windows: ReadonlyMap<Instant, WindowState>,
  { size, zone, period }: Story,
): Series {
  const { whole, pieces } = splitByWindows(period, size, zone);
  const ofWindows = [...windows].flatMap(([start, state]) =>
    whole && contains(whole, start) ? [state] : [],
  );
  const ofPieces = pieces.map((piece) =>
    stateFrom(
      aggregation,
      events.filter(({ time }) => contains(piece, time)),
    ),
  );
  const before = stateFrom(
    aggregation,
    events.filter(({ time }) => time < period.start),
  );
  const carryIn = aggregation === "time_weighted_sum" ? (before.latest?.quantity ?? null) : null;
  return { states: [...ofPieces, ...ofWindows], carryIn };
}

describe("INV-23: what is read from windows is what the events say, one by one", () => {
  test.each(aggregations)("%s, in any zone, over any period, sent in any order and again", (aggregation) => {
    fc.assert(
      fc.property(anyStory, (story) => {
        const events = accepted(story.sent);
        const series = [...Map.groupBy(events, (event) => event.series).values()].map((ofSeries) =>
          seriesIn(aggregation, ofSeries, windowsOfSeries(aggregation, ofSeries, story), story),
        );
        const read = quantityOf({ aggregation }, series, story.period);
        expect(read.text).toBe(naively(aggregation, events, story.period));
      }),
      { numRuns: 200 },
    );
  });

  test.each(aggregations)("%s, with events that come when windows are kept already", (aggregation) => {
    fc.assert(
      fc.property(anyStory, fc.nat(30), (story, known) => {
        const events = accepted(story.sent).map((event) => ({ ...event, series: "large" }));
        const windows = new Map(windowsOfSeries(aggregation, events.slice(0, known), story));
        for (const late of events.slice(known)) {
          const { start, end } = windowOf(late.time, story.size, story.zone);
          const kept = windows.get(start) ?? mergeStates([]);
          const added = stateOf(aggregation, measurementOf(aggregation, late));
          const inWindow = events.filter(({ seq, time }) => seq <= late.seq && start <= time && time < end);
          const state = mustBeRebuilt(kept, added)
            ? stateFrom(aggregation, inWindow)
            : mergeStates([kept, added]);
          windows.set(start, compactState(state));
        }
        const series = [seriesIn(aggregation, events, windows, story)];
        const read = quantityOf({ aggregation }, series, story.period);
        expect(read.text).toBe(naively(aggregation, events, story.period));
      }),
      { numRuns: 200 },
    );
  });
});

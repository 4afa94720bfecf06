import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { camelCase, renameFields } from "../../../src/api/field-names.ts";
import { contains, type Instant, instant, type Period } from "../../../src/domain/calendar/index.ts";
import { type Meter, parseCatalog } from "../../../src/domain/catalog/index.ts";
import { BillingError } from "../../../src/domain/errors.ts";
import {
  type Contribution,
  compileMeters,
  contributionsOf,
  type Dimensions,
  dimensionsKey,
  inUnit,
  type JsonValue,
  type Measurement,
  mergeStates,
  parseExpression,
  quantityOf,
  stateOf,
  versionInForce,
} from "../../../src/domain/metering/index.ts";
import { decimal, Fraction } from "../../../src/domain/money/index.ts";

/** Every example of docs/meters.md, run. */

const text = readFileSync(new URL("../../../docs/meters.md", import.meta.url), "utf8");
const march: Period = { start: instant("2026-03-01T00:00:00Z"), end: instant("2026-04-01T00:00:00Z") };

type Cells = readonly string[];

/** The rows of every table whose header begins with `header`, with the text before it. */
function tablesOf(header: string, within = text): { before: string; rows: Cells[] }[] {
  const form = new RegExp(`^\\| ${header}[^\\n]*\\n\\| ---[^\\n]*\\n((?:\\|[^\\n]*\\n)+)`, "gm");
  return [...within.matchAll(form)].map(({ index, 1: rows = "" }) => ({
    before: within.slice(0, index),
    rows: rows
      .trim()
      .split("\n")
      .map((row) => row.slice(2, -2).split(" | ").map(plain)),
  }));
}

const rowsOf = (header: string): Cells[] => tablesOf(header).flatMap(({ rows }) => rows);

/** Without the marks of code. */
const plain = (cell: string) => cell.trim().replace(/^(refused: )?`(.*)`$/, "$1$2");

const dataOf = (cell = "{}") => JSON.parse(cell) as Record<string, JsonValue>;

/** As the catalog takes it, from the names on the wire. */
function meterOf(json: unknown): Meter {
  const [meter] = parseCatalog({ meters: [renameFields(json, camelCase)], plans: [] }).meters;
  if (meter === undefined) throw new Error("a catalog of one meter has one");
  return meter;
}

const measureWith = (meter: Meter, data: Record<string, JsonValue>, time: Instant) =>
  contributionsOf(
    { id: "e", source: "docs", customerId: "c", type: meter.eventType, time, data },
    compileMeters([meter]),
  );

/** What a table says of an event: what it counts, that it does not, or why it is refused. */
function outcomeOf(run: () => Contribution[] | null): { shown: string; contribution?: Contribution } {
  try {
    const [contribution] = run() ?? [];
    if (contribution === undefined) return { shown: "nowhere" };
    return { shown: contribution.value ?? contribution.quantity.text, contribution };
  } catch (error) {
    if (error instanceof BillingError) return { shown: `refused: ${error.code}` };
    throw error;
  }
}

const meters = [...text.matchAll(/^```json\n(.*?)^```\n(.*?)(?=^```json|^## )/gms)].map(
  ([, json = "", after = ""]) => ({ meter: meterOf(JSON.parse(json)), after }),
);

describe.each(meters)("the meter $meter.key", ({ meter, after }) => {
  const events = tablesOf("time", after).flatMap(({ rows }) => rows);
  const outcomes = events.map(([time = "", data, counts]) => {
    const at = instant(time);
    return { at, counts, ...outcomeOf(() => measureWith(meter, dataOf(data), at)) };
  });
  const counted = outcomes.flatMap(({ at, contribution }, index) =>
    contribution === undefined ? [] : [{ at, seq: BigInt(index), contribution }],
  );

  test("counts its events as the table says", () => {
    expect(events.length).toBeGreaterThan(0);
    expect(outcomes.map(({ shown }) => shown)).toEqual(outcomes.map(({ counts }) => counts));
  });

  test("reads in March what is said", () => {
    const said = /^Quantity in March: \*\*([\d.]+) ?([^*]*)\*\*/m.exec(after);
    expect(said?.[1]).toBe(readingOf(meter, counted));
    expect(said?.[2]).toBe(meter.unit?.name ?? "");
  });

  const combinations = tablesOf("combination", after).flatMap(({ rows }) => rows);
  test.each(combinations)("reads for %s: %s", (combination, quantity) => {
    const wanted = dimensionsKey(JSON.parse(combination) as Dimensions);
    const matching = counted.filter(({ contribution }) => contribution.dimensionsKey === wanted);
    expect(readingOf(meter, matching)).toBe(quantity);
  });
});

type Counted = { readonly at: Instant; readonly seq: bigint; readonly contribution: Contribution };

function readingOf(meter: Meter, counted: readonly Counted[]): string {
  const series = Map.groupBy(counted, ({ contribution }) => contribution.dimensionsKey);
  const read = [...series.values()].map((ofSeries) => {
    const stateIn = (holds: (at: Instant) => boolean) =>
      mergeStates(
        ofSeries.filter(({ at }) => holds(at)).map((one) => stateOf(meter.aggregation, measurement(one))),
      );
    const carryIn = stateIn((at) => at < march.start).latest?.quantity ?? null;
    return { states: [stateIn((at) => contains(march, at))], carryIn };
  });
  return quantityOf(meter, read, march).text;
}

const measurement = ({ at, seq, contribution: { quantity, value } }: Counted): Measurement => ({
  time: at,
  seq,
  quantity,
  ...(value === undefined ? {} : { value }),
});

test("there is an example of every aggregation", () => {
  expect(meters.map(({ meter }) => meter.aggregation)).toEqual([
    "sum",
    ...["count", "sum", "max", "min", "latest", "unique_count", "time_weighted_sum", "average"],
    ...["sum", "sum", "sum"],
  ]);
});

const anyMeter = { key: "m", event_type: "t", aggregation: "sum" };

test.each(rowsOf("condition"))("the condition %s of %s: %s", (condition, data, counts) => {
  const meter = meterOf({ ...anyMeter, aggregation: "count", filter: [JSON.parse(condition)] });
  const { shown } = outcomeOf(() => measureWith(meter, dataOf(data), march.start));
  expect({ "1": "yes", nowhere: "no" }[shown] ?? shown).toBe(counts);
});

test.each(rowsOf("expression \\| data"))("the expression %s of %s: %s", (value, data, result) => {
  const meter = meterOf({ ...anyMeter, value });
  expect(outcomeOf(() => measureWith(meter, dataOf(data), march.start)).shown).toBe(result);
});

test.each(rowsOf("expression \\| refused"))("the expression %s is refused: %s", (expression, message) => {
  expect(() => parseExpression(expression)).toThrow(expect.objectContaining({ message }));
});

test.each(rowsOf("unit"))("in %s %s is %s", (unit, measured, quantity) => {
  const meter = meterOf({ ...anyMeter, property: "a", unit: JSON.parse(unit) });
  expect(inUnit(meter, Fraction.ofDecimal(decimal(measured))).text).toBe(quantity);
});

test("a thousand thirds of a second are rounded once", () => {
  const meter = meterOf({ ...anyMeter, property: "a", unit: { name: "s", factor: "1/3" } });
  expect(inUnit(meter, new Fraction(1000n)).text).toBe("333.333333333333");
});

test.each(rowsOf("versions published"))(
  "published %s: a period from %s by version %s",
  (days, start, version) => {
    const meter = meterOf({ ...anyMeter, property: "a" });
    const midnight = (day: string) => instant(`${day}T00:00:00Z`);
    const versions = days
      .split(", ")
      .map((day, index) => ({ ...meter, version: index + 1, publishedAt: midnight(day) }));
    expect(String(versionInForce(versions, midnight(start))?.version)).toBe(version);
  },
);

test("every kind of table was found", () => {
  const found = [
    "condition",
    "expression \\| data",
    "expression \\| refused",
    "unit",
    "versions published",
  ].map((header) => rowsOf(header).length);
  expect(found).toEqual([9, 12, 3, 5, 3]);
});

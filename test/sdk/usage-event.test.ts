import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { instant } from "../../src/domain/calendar/index.ts";
import { parseUsageEvent } from "../../src/domain/metering/index.ts";
import { isoClock, type UsageEventInput, writeEvent } from "../../src/sdk/usage/usage-event.ts";
import { createUuidV7, millisecondsOfUuidV7 } from "../../src/sdk/usage/uuid-v7.ts";

const now = "2026-01-15T10:30:00.000Z";
const isoNow = isoClock(() => Date.parse(now));
const rules = { source: "gateway", isoNow, newId: () => "made", lengthMax: 1_000 };
const written = (input: unknown, over: Partial<typeof rules> = {}) =>
  writeEvent(input as UsageEventInput, { ...rules, ...over });
const event = (over: object = {}) => ({ customer: "acme", type: "request", data: { tokens: 1 }, ...over });

describe("an event is written once", () => {
  test.each([
    {
      why: "id, source and time are filled in",
      input: event(),
      expected: { id: "made", source: "gateway", time: now },
    },
    {
      why: "what is given stands",
      input: event({ id: "i", source: "s", time: "2026-01-01T00:00:00+05:45" }),
      expected: { id: "i", source: "s", time: "2026-01-01T00:00:00+05:45" },
    },
    {
      why: "a Date is a time",
      input: event({ time: new Date(0) }),
      expected: { time: "1970-01-01T00:00:00.000Z" },
    },
    { why: "undefined is left out", input: event({ data: { a: undefined } }), expected: { data: {} } },
    { why: "data may be left out", input: event({ data: undefined }), expected: { customer: "acme" } },
  ])("$why", ({ input, expected }) => {
    const result = written(input);
    expect("text" in result ? JSON.parse(result.text) : result).toMatchObject(expected);
  });

  test("and does not change when the caller's object does", () => {
    const input = { customer: "acme", type: "request", data: { tokens: 1 } };
    const result = written(input);
    input.data.tokens = 2;
    expect("text" in result && JSON.parse(result.text).data).toEqual({ tokens: 1 });
  });
});

const cycle: Record<string, unknown> = {};
cycle.self = cycle;
const nested = (depth: number): object => (depth === 0 ? {} : { a: nested(depth - 1) });
const trap = {
  get customer(): string {
    throw new Error("no");
  },
};

describe("what can never be counted is refused at once, without an exception", () => {
  test.each([
    { why: "nothing", input: undefined, field: undefined },
    { why: "a text", input: "event", field: undefined },
    { why: "no customer", input: event({ customer: undefined }), field: "customer" },
    { why: "an empty type", input: event({ type: "" }), field: "type" },
    { why: "a number as id", input: event({ id: 7 }), field: "id" },
    { why: "a long id", input: event({ id: "x".repeat(201) }), field: "id" },
    { why: "half a character", input: event({ id: "\ud800" }), field: "id" },
    { why: "a NUL", input: event({ customer: "a\u0000" }), field: "customer" },
    { why: "a time without a zone", input: event({ time: "2026-01-01T00:00:00" }), field: "time" },
    { why: "no time", input: event({ time: "soon" }), field: "time" },
    { why: "an invalid Date", input: event({ time: new Date(Number.NaN) }), field: "time" },
    { why: "a number as time", input: event({ time: 0 }), field: "time" },
    {
      why: "NaN, which JSON would make null",
      input: event({ data: { tokens: Number.NaN } }),
      field: "data.tokens",
    },
    { why: "infinity", input: event({ data: { a: [1, Number.POSITIVE_INFINITY] } }), field: "data.a[1]" },
    { why: "a bigint", input: event({ data: { tokens: 1n } }), field: "data.tokens" },
    { why: "a function", input: event({ data: { a: () => 1 } }), field: "data.a" },
    { why: "a Map, which JSON would empty", input: event({ data: { a: new Map() } }), field: "data.a" },
    { why: "a Date in data", input: event({ data: { a: new Date() } }), field: "data.a" },
    { why: "a hole in a list", input: event({ data: { a: [undefined] } }), field: "data.a[0]" },
    { why: "a list as data", input: event({ data: [] }), field: "data" },
    { why: "an object that writes itself", input: event({ data: { toJSON: () => 1 } }), field: "data" },
    { why: "a bad name", input: event({ data: { "\ud800": 1 } }), field: "data" },
    { why: "nine levels", input: event({ data: nested(9) }), field: expect.stringMatching(/^data(\.a){8}$/) },
    { why: "itself", input: event({ data: cycle }), field: expect.stringMatching(/^data(\.self)+$/) },
    { why: "an object that throws", input: trap, field: undefined },
  ])("$why", ({ input, field }) => {
    expect(written(input)).toEqual({ code: "event_invalid", field, detail: expect.any(String) });
  });

  test("no source anywhere", () => {
    const { source: _, ...without } = rules;
    expect(writeEvent(event(), { ...without, source: undefined })).toMatchObject({ field: "source" });
  });

  test("more than a batch may be long", () => {
    expect(written(event({ data: { text: "x".repeat(2_000) } }))).toMatchObject({ code: "event_too_large" });
  });
});

test("whatever is taken here is understood by the API, and says there what it said here", () => {
  const text = fc.oneof(
    fc.string({ maxLength: 5 }),
    fc.string({ unit: "binary", maxLength: 5 }),
    fc.constant("x".repeat(200)),
  );
  const time = fc.oneof(
    fc.date({ min: new Date("2025-06-01"), max: new Date(now), noInvalidDate: false }),
    fc.constantFrom(
      "2026-01-01T00:00:00Z",
      "2026-01-01T10:00:00.1234567-11:30",
      "2026-13-01T00:00:00Z",
      "x",
      undefined,
    ),
  );
  const data = fc.oneof(
    fc.dictionary(fc.string({ unit: "binary", maxLength: 3 }), fc.jsonValue({ maxDepth: 9 })),
    fc.object({
      maxDepth: 9,
      withNullPrototype: true,
      withSparseArray: true,
      withMap: true,
      withDate: true,
      withBigInt: true,
    }),
  );
  const input = fc.record({ id: text, source: text, customer: text, type: text, time, data });
  let taken = 0;
  fc.assert(
    fc.property(input, (given) => {
      const result = written(given, { lengthMax: 100_000 });
      if (!("text" in result)) return;
      taken++;
      const parsed = parseUsageEvent(JSON.parse(result.text), instant(now));
      expect([parsed.id, parsed.source, parsed.customerId]).toEqual([given.id, given.source, given.customer]);
      if (given.time instanceof Date) expect(parsed.time).toBe(given.time.getTime());
      expect(parsed.data).toEqual(JSON.parse(JSON.stringify(given.data)));
    }),
    { numRuns: 2_000 },
  );
  expect(taken).toBeGreaterThan(200);
});

describe("ids of version 7", () => {
  test("have their form, ascend, and are never the same, also when the clock is set back or stands still", () => {
    const times = [1_000, 1_000, 999, 5, 2_000, 2_000];
    let reads = 0;
    const newId = createUuidV7(() => times[Math.floor(reads++ / 5_000)] ?? 3_000);
    const ids = Array.from({ length: 40_000 }, newId);
    expect(
      ids.every((id) => /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id)),
    ).toBe(true);
    expect(ids.toSorted()).toEqual(ids);
    expect(new Set(ids).size).toBe(ids.length);
    expect(millisecondsOfUuidV7(ids[0] ?? "")).toBe(1_000);
  });

  test("two makers at the same instant do not make the same", () => {
    const [one, other] = [createUuidV7(() => 0), createUuidV7(() => 0)];
    const ids = Array.from({ length: 10_000 }, () => [one(), other()]).flat();
    expect(new Set(ids).size).toBe(20_000);
  });
});

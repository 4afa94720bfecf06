import { describe, expect, test } from "vitest";
import { instant } from "../../../src/domain/calendar/index.ts";
import { type JsonValue, type Meter, measure, type UsageEvent } from "../../../src/domain/metering/index.ts";
import { decimal } from "../../../src/domain/money/index.ts";

const inputTokens: Meter = {
  key: "input_tokens",
  eventType: "llm.request",
  aggregation: "sum",
  property: "input",
  dimensions: ["model"],
};
const requests: Meter = { key: "requests", eventType: "llm.request", aggregation: "count", dimensions: [] };
const peakSeats: Meter = {
  key: "peak_seats",
  eventType: "seats.changed",
  aggregation: "max",
  property: "seats",
  dimensions: [],
};

function request(data: Record<string, JsonValue>): UsageEvent {
  return {
    id: "evt_1",
    source: "gateway",
    customerId: "cus_1",
    type: "llm.request",
    time: instant("2026-06-15T12:00:00Z"),
    data,
  };
}

describe("what an event contributes", () => {
  test("one quantity to each meter of its type", () => {
    const event = request({ model: "large", input: 1200, output: 80 });
    expect(measure(event, [inputTokens, requests, peakSeats])).toEqual([
      {
        meterKey: "input_tokens",
        meterVersion: 1,
        dimensions: { model: "large" },
        dimensionsKey: '{"model":"large"}',
        quantity: decimal("1200"),
      },
      {
        meterKey: "requests",
        meterVersion: 1,
        dimensions: {},
        dimensionsKey: "{}",
        quantity: decimal("1"),
      },
    ]);
  });

  test("nothing, when no meter wants it", () => {
    expect(measure(request({}), [peakSeats])).toEqual([]);
  });

  test.each([
    { input: 0, quantity: "0", why: "nothing is a quantity" },
    { input: 0.1, quantity: "0.1", why: "a JSON number, as written" },
    { input: 1e-7, quantity: "0.0000001", why: "a small one, without its exponent" },
    { input: "0.30", quantity: "0.3", why: "decimal text" },
    {
      input: "1000000000000000000",
      quantity: "1000000000000000000",
      why: "the most, beyond JSON's exact numbers",
    },
  ])("$input is $quantity: $why", ({ input, quantity }) => {
    expect(measure(request({ input }), [inputTokens])[0]?.quantity).toEqual(decimal(quantity));
  });

  test.each([
    { data: {}, model: "", why: "a dimension that is missing is the empty text" },
    { data: { model: null }, model: "", why: "so is one that is null" },
    { data: { model: "m".repeat(200) }, model: "m".repeat(200), why: "the longest" },
  ])("$why", ({ data, model }) => {
    expect(measure(request({ input: 1, ...data }), [inputTokens])[0]?.dimensions).toEqual({ model });
  });
});

describe("what is refused", () => {
  test.each([
    { data: {}, code: "usage_property_missing", why: "no such property" },
    { data: { input: null }, code: "usage_quantity_invalid", why: "null" },
    { data: { input: true }, code: "usage_quantity_invalid", why: "a truth" },
    { data: { input: [1] }, code: "usage_quantity_invalid", why: "a list" },
    { data: { input: "many" }, code: "usage_quantity_invalid", why: "a word" },
    { data: { input: "1e3" }, code: "usage_quantity_invalid", why: "an exponent in text" },
    { data: { input: Number.NaN }, code: "usage_quantity_invalid", why: "NaN" },
    { data: { input: "NaN" }, code: "usage_quantity_invalid", why: "NaN as text" },
    { data: { input: Number.NEGATIVE_INFINITY }, code: "usage_quantity_invalid", why: "not finite" },
    { data: { input: -1 }, code: "usage_quantity_negative", why: "a negative number" },
    { data: { input: "-0.5" }, code: "usage_quantity_negative", why: "negative text" },
    { data: { input: 2 ** 53 }, code: "usage_quantity_too_large", why: "a number JSON readers disagree on" },
    {
      data: { input: "1000000000000000001" },
      code: "usage_quantity_too_large",
      why: "one more than the most",
    },
  ])("$why", ({ data, code }) => {
    expect(() => measure(request({ model: "large", ...data }), [inputTokens])).toThrow(
      expect.objectContaining({ code, field: "data.input" }),
    );
  });

  test("a property that only the language knows", () => {
    const meter: Meter = { ...inputTokens, property: "constructor" };
    expect(() => measure(request({}), [meter])).toThrow(
      expect.objectContaining({ code: "usage_property_missing" }),
    );
  });

  test.each([{ model: 4 }, { model: "m".repeat(201) }, { model: ["large"] }])("dimension %j", ({ model }) => {
    expect(() => measure(request({ input: 1, model }), [inputTokens])).toThrow(
      expect.objectContaining({ code: "usage_dimension_invalid", field: "data.model" }),
    );
  });
});

import { describe, expect, test } from "vitest";
import { instant } from "../../../src/domain/calendar/index.ts";
import {
  compileMeters,
  contributionsOf,
  type JsonValue,
  type Meter,
  measure,
  type UsageEvent,
} from "../../../src/domain/metering/index.ts";
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

describe("what is measured by an expression, or counted as a value", () => {
  const costMeter: Meter = { ...requests, aggregation: "sum", value: "input + output * 4" };
  test.each([
    { value: "input + output * 4", data: { input: 1200, output: 80 }, quantity: "1520", why: "1200 + 320" },
    { value: "input / 3", data: { input: 1 }, quantity: "0.33333333333333333333", why: "20 decimals" },
    {
      value: "input",
      data: { input: "0.00000000000000000001" },
      quantity: "0.00000000000000000001",
      why: "as a property",
    },
    {
      value: "input * input",
      data: { input: "0.00000000001" },
      quantity: "0",
      why: "22 decimals are rounded",
    },
  ])("$value of $data is $quantity: $why", ({ value, data, quantity }) => {
    expect(measure(request(data), [{ ...costMeter, value }])[0]?.quantity).toEqual(decimal(quantity));
  });

  test.each([
    { value: "input - 5", data: { input: 4 }, code: "usage_quantity_negative", field: "data" },
    { value: "input", data: { input: -1 }, code: "usage_quantity_negative", field: "data.input" },
    {
      value: "input * input",
      data: { input: 10_000_000_000 },
      code: "usage_quantity_too_large",
      field: "data",
    },
    { value: "1 / input", data: { input: 0 }, code: "usage_division_by_zero", field: "data.input" },
    { value: "input + cached", data: { input: 1 }, code: "usage_property_missing", field: "data.cached" },
  ])("$value of $data is refused: $code", ({ value, data, code, field }) => {
    expect(() => measure(request(data), [{ ...costMeter, value }])).toThrow(
      expect.objectContaining({ code, field, message: expect.stringMatching(/^.{1,200}$/) }),
    );
  });

  const users: Meter = { ...requests, aggregation: "unique_count", property: "user.id" };
  test.each([
    { id: "ada", value: '"ada"' },
    { id: 5, value: "5" },
    { id: "5", value: '"5"' },
    { id: -0, value: "0" },
    { id: false, value: "false" },
    { id: 'a "b"', value: '"a \\"b\\""' },
  ])("the value $id is counted as $value", ({ id, value }) => {
    expect(measure(request({ user: { id } }), [users])).toEqual([
      expect.objectContaining({ quantity: decimal("1"), value }),
    ]);
  });

  test.each([
    { data: {}, code: "usage_property_missing", why: "no value" },
    { data: { user: { id: null } }, code: "usage_value_invalid", why: "null" },
    { data: { user: { id: [1] } }, code: "usage_value_invalid", why: "a list" },
    {
      data: { user: { id: 2 ** 53 } },
      code: "usage_value_invalid",
      why: "one of several that are read as one",
    },
    { data: { user: { id: "x".repeat(201) } }, code: "usage_value_invalid", why: "too long" },
  ])("$why is no value: $code", ({ data, code }) => {
    expect(() => measure(request(data), [users])).toThrow(
      expect.objectContaining({ code, field: "data.user.id" }),
    );
  });
});

describe("meters that were compiled", () => {
  const large: Meter = { ...inputTokens, key: "large", filter: [{ member: "model", in: ["large"] }] };

  test("tell an event that no filter passes from one that no meter reads", () => {
    const compiled = compileMeters([large, peakSeats]);
    expect(contributionsOf(request({ model: "small" }), compiled)).toEqual([]);
    expect(contributionsOf({ ...request({}), type: "other" }, compiled)).toBeNull();
    expect(contributionsOf(request({ model: "large", input: 3 }), compiled)).toHaveLength(1);
  });

  test("ask nothing of an event that their filter leaves out", () => {
    expect(measure(request({ model: "small", input: "many" }), [large])).toEqual([]);
  });

  test("say for which version they measure", () => {
    const versions = [
      { ...requests, version: 1 },
      { ...requests, version: 2 },
    ];
    const found = contributionsOf(request({}), compileMeters(versions));
    expect(found?.map(({ meterVersion }) => meterVersion)).toEqual([1, 2]);
  });

  test("are refused when an expression cannot be read", () => {
    expect(() => compileMeters([{ ...requests, aggregation: "sum", value: "a +" }])).toThrow(
      expect.objectContaining({ code: "expression_invalid" }),
    );
  });
});

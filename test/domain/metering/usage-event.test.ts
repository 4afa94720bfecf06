import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { instant } from "../../../src/domain/calendar/index.ts";
import {
  canonicalJson,
  type JsonValue,
  payloadFingerprint,
  type UsageEvent,
} from "../../../src/domain/metering/index.ts";

const event: UsageEvent = {
  id: "evt_1",
  source: "gateway",
  customerId: "cus_1",
  type: "llm.request",
  time: instant("2026-06-15T12:00:00Z"),
  data: { model: "large", input: 1200, tags: { z: 1, a: [2, 1] } },
};

describe("the fingerprint of an event's payload", () => {
  test("is canonical text, without the key", () => {
    expect(payloadFingerprint(event)).toBe(
      '{"customerId":"cus_1",' +
        '"data":{"input":1200,"model":"large","tags":{"a":[2,1],"z":1}},' +
        '"time":1781524800000,"type":"llm.request"}',
    );
  });

  test.each([
    {
      same: { data: { tags: { a: [2, 1], z: 1 }, input: 1.2e3, model: "large" } },
      why: "order and spelling",
    },
    { same: { time: instant("2026-06-15T14:00:00.0009+02:00") }, why: "the same instant, written otherwise" },
    { same: { id: "evt_2", source: "other" }, why: "another key" },
  ])("does not change with $why", ({ same }) => {
    expect(payloadFingerprint({ ...event, ...same })).toBe(payloadFingerprint(event));
  });

  test.each([
    { other: { customerId: "cus_2" }, why: "the customer" },
    { other: { type: "llm.stream" }, why: "the type" },
    { other: { time: instant("2026-06-15T12:00:00.001Z") }, why: "the time" },
    { other: { data: { ...event.data, input: 1201 } }, why: "a quantity" },
    { other: { data: { ...event.data, input: "1200" } }, why: "text in place of a number" },
    { other: { data: { ...event.data, tags: { z: 1, a: [1, 2] } } }, why: "the order of a list" },
    { other: { data: { ...event.data, extra: null } }, why: "one member more" },
  ])("changes with $why", ({ other }) => {
    expect(payloadFingerprint({ ...event, ...other })).not.toBe(payloadFingerprint(event));
  });
});

test("INV-11: canonical JSON says the same as the value, and does not depend on the order of keys", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = canonicalJson(value as JsonValue);
      expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
      expect(canonicalJson(reversed(JSON.parse(text)))).toBe(text);
    }),
  );
});

/** The same JSON with the members of every object written in the opposite order. */
function reversed(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).reverse();
  return Object.fromEntries(members.map(([key, member]) => [key, reversed(member)]));
}

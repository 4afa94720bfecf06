import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { addDuration, instant, isoOf } from "../../../src/domain/calendar/index.ts";
import { BillingError } from "../../../src/domain/errors.ts";
import { parseUsageEvent } from "../../../src/domain/metering/index.ts";

const now = instant("2026-06-15T12:00:00Z");

const own = {
  id: "evt_1",
  source: "gateway",
  customer: "cus_1",
  type: "llm.request",
  time: "2026-06-15T11:59:00.1234Z",
  data: { model: "large", input: 1200 },
};

const cloudEvent = {
  specversion: "1.0",
  id: "evt_1",
  source: "gateway",
  subject: "cus_1",
  type: "llm.request",
  time: "2026-06-15T11:59:00.1234Z",
  datacontenttype: "application/json; charset=utf-8",
  data: { model: "large", input: 1200 },
};

const parsed = {
  id: "evt_1",
  source: "gateway",
  customerId: "cus_1",
  type: "llm.request",
  time: instant("2026-06-15T11:59:00.123Z"),
  data: { model: "large", input: 1200 },
};

describe("what is accepted", () => {
  test("our own form", () => {
    expect(parseUsageEvent(own, now)).toEqual(parsed);
  });

  test("CloudEvents 1.0, whose extension attributes are not kept", () => {
    const traced = {
      ...cloudEvent,
      traceparent: "00-4bf92f-01",
      sampledrate: 10,
      dataschema: "https://example.com/s",
    };
    expect(parseUsageEvent(traced, now)).toEqual(parsed);
  });

  test("an event without data, for a meter that counts", () => {
    const { data, ...bare } = own;
    expect(data).toBeDefined();
    expect(parseUsageEvent(bare, now).data).toEqual({});
  });

  test.each([
    { offset: { minutes: 5 }, why: "the sender's clock may be five minutes ahead" },
    { offset: { days: -400 }, why: "an event may be 400 days late" },
  ])("$why", ({ offset }) => {
    const time = addDuration(now, offset, "UTC");
    expect(parseUsageEvent({ ...own, time: isoOf(time) }, now).time).toBe(time);
  });

  test("the longest id", () => {
    expect(parseUsageEvent({ ...own, id: "i".repeat(200) }, now).id).toHaveLength(200);
  });
});

describe("what is refused, by code and field", () => {
  test.each([
    { change: { customer_id: "cus_1" }, field: "customer_id", why: "a field we do not know" },
    { change: { subject: "cus_1" }, field: "subject", why: "a field of the other form" },
    { change: { id: undefined }, field: "id", why: "no id" },
    { change: { id: "" }, field: "id", why: "an empty id" },
    { change: { id: 7 }, field: "id", why: "a number for an id" },
    { change: { id: "i".repeat(201) }, field: "id", why: "an id too long" },
    { change: { id: "a\u0000b" }, field: "id", why: "a NUL, which the database cannot hold" },
    { change: { source: null }, field: "source", why: "no source" },
    { change: { customer: "" }, field: "customer", why: "no customer" },
    { change: { type: "t".repeat(201) }, field: "type", why: "a type too long" },
    { change: { time: undefined }, field: "time", why: "no time" },
    { change: { time: 1_781_524_740_000 }, field: "time", why: "a number for a time" },
    { change: { data: "text" }, field: "data", why: "data that is no object" },
    { change: { data: [1] }, field: "data", why: "data that is a list" },
    { change: { data: { input: Number.NaN } }, field: "data.input", why: "NaN" },
    {
      change: { data: { steps: [1, Number.POSITIVE_INFINITY] } },
      field: "data.steps[1]",
      why: "Infinity, inside",
    },
    { change: { data: { at: new Date(0) } }, field: "data.at", why: "a value that is not JSON" },
    { change: { data: { input: undefined } }, field: "data.input", why: "nothing, in place of a value" },
    { change: { data: { text: "\ud800" } }, field: "data.text", why: "half a character" },
    { change: { data: nested(9) }, field: `data${".in".repeat(8)}`, why: "data nested too deep" },
  ])("usage_event_invalid: $why", ({ change, field }) => {
    expect(() => parseUsageEvent({ ...own, ...change }, now)).toThrow(
      expect.objectContaining({ code: "usage_event_invalid", field }),
    );
  });

  test.each([
    { change: { specversion: "0.3" }, field: "specversion", why: "another version" },
    { change: { subject: undefined }, field: "subject", why: "no subject, so no customer" },
    { change: { datacontenttype: "text/plain" }, field: "datacontenttype", why: "data that is not JSON" },
    { change: { data_base64: "aGk=" }, field: "data_base64", why: "binary data" },
    { change: { TraceParent: "x" }, field: "TraceParent", why: "a name no attribute may have" },
  ])("usage_event_invalid, as a CloudEvent: $why", ({ change, field }) => {
    expect(() => parseUsageEvent({ ...cloudEvent, ...change }, now)).toThrow(
      expect.objectContaining({ code: "usage_event_invalid", field }),
    );
  });

  test.each([
    {
      time: "2026-06-15T12:05:00.001Z",
      code: "usage_event_in_future",
      why: "a millisecond more than five minutes ahead",
    },
    {
      time: "2025-05-11T11:59:59.999Z",
      code: "usage_event_too_old",
      why: "a millisecond more than 400 days late",
    },
    { time: "2026-06-15T11:59:00", code: "instant_invalid", why: "no zone" },
  ])("$code: $why", ({ time, code }) => {
    expect(() => parseUsageEvent({ ...own, time }, now)).toThrow(
      expect.objectContaining({ code, field: "time" }),
    );
  });

  test.each([null, undefined, 7, "event", [], [own], new Date(0)])("%j is no event", (input) => {
    expect(() => parseUsageEvent(input, now)).toThrow(
      expect.objectContaining({ code: "usage_event_invalid" }),
    );
  });

  test("INV-10: whatever comes in, it is parsed or refused with a code", () => {
    const anyField = fc.oneof(fc.jsonValue(), fc.anything());
    const anyInput = fc.oneof(
      fc.anything(),
      fc.record({ id: anyField, source: anyField, time: anyField, data: anyField }, { requiredKeys: [] }),
      anyField.map((data) => ({ ...own, data })),
      anyField.map((time) => ({ ...cloudEvent, time })),
    );
    fc.assert(
      fc.property(anyInput, (input) => {
        try {
          expect(parseUsageEvent(input, now).id).not.toBe("");
        } catch (error) {
          expect(error).toBeInstanceOf(BillingError);
        }
      }),
    );
  });
});

/** Objects inside objects: `nested(2)` is `{ in: { in: 1 } }`. */
function nested(levels: number): Record<string, unknown> {
  return { in: levels === 1 ? 1 : nested(levels - 1) };
}

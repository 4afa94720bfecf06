import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { batchSchema } from "../../src/api/routes/events-wire.ts";
import { insertTestClock } from "../../src/db/billing/test-clocks.ts";
import { instant } from "../../src/domain/calendar/index.ts";
import { addCustomer } from "../db/usage-fixture.ts";
import {
  answerOf,
  wireEvent as event,
  type IngestApi,
  outcomesOf,
  startIngestApi,
} from "./support/ingest-api.ts";

// The wall clock of the API is at 2026-03-01T12:00:00Z.
let api: IngestApi;
beforeAll(async () => {
  api = await startIngestApi();
});
afterAll(() => api.stop());

const get = async (path: string) => {
  const response = await api.get(path);
  return { status: response.status, body: await response.json() };
};

describe("taking in events", () => {
  test("one bad event never refuses its neighbours; each says what is wrong with it", async () => {
    const { specversion, customer, ...rest } = { specversion: "1.0", ...event({ id: "mixed/2" }) };
    const batch = [
      event({ id: "mixed/1" }),
      { specversion, subject: customer, ...rest, extension: "x" },
      event({ id: "mixed/1" }),
      event({ id: "mixed/1", data: { model: "large", class: "input", tokens: 11 } }),
      event({ id: "mixed/3", unknown: true }),
      event({ id: "mixed/4", data: { tokens: -1 } }),
      event({ id: "mixed/5", time: "2026-03-01T12:05:00.001Z" }),
      event({ id: "mixed/6", customer: "nobody" }),
      event({ id: "mixed/7", type: "other" }),
      event({ id: "mixed/\u0000" }),
      null,
    ];
    const response = await api.post({ events: batch });
    expect(response.status).toBe(200);
    const answer = await answerOf(response);
    expect(batchSchema.parse(answer)).toEqual(answer);
    expect(answer).toEqual({
      accepted: 2,
      duplicates: 1,
      conflicts: 1,
      invalid: 5,
      quarantined: 2,
      results: [
        { index: 0, id: "mixed/1", status: "accepted" },
        { index: 1, id: "mixed/2", status: "accepted" },
        { index: 2, id: "mixed/1", status: "duplicate" },
        {
          index: 3,
          id: "mixed/1",
          status: "conflict",
          code: "usage_event_conflict",
          detail: expect.any(String),
        },
        refused(4, "mixed/3", "usage_event_invalid", "unknown"),
        refused(5, "mixed/4", "usage_quantity_negative", "data.tokens"),
        refused(6, "mixed/5", "usage_event_in_future", "time"),
        {
          index: 7,
          id: "mixed/6",
          status: "quarantined",
          code: "unknown_customer",
          detail: expect.any(String),
        },
        { index: 8, id: "mixed/7", status: "quarantined", code: "no_meter", detail: expect.any(String) },
        refused(9, "mixed/\u0000", "usage_event_invalid", "id"),
        { index: 10, status: "invalid", code: "usage_event_invalid", detail: expect.any(String) },
      ],
    });
  });

  const refused = (index: number, id: string, code: string, field: string) => ({
    index,
    id,
    status: "invalid",
    code,
    field,
    detail: expect.any(String),
  });

  test.each([
    { form: "a single event", body: event({ id: "single" }), statuses: ["accepted"] },
    {
      form: "a list",
      body: [event({ id: "list/1" }), event({ id: "list/2" })],
      statuses: ["accepted", "accepted"],
    },
    { form: "an empty list", body: [], statuses: [] },
    { form: "a text", body: '"event"', statuses: ["usage_event_invalid"] },
  ])("$form is answered with $statuses", async ({ body, statuses }) => {
    expect(await outcomesOf(await api.post(body))).toEqual(statuses);
  });

  test.each([
    { body: "{", status: 400, code: "json_malformed" },
    { body: { events: 5 }, status: 400, code: "request_invalid" },
    { body: { events: [], more: 1 }, status: 400, code: "request_invalid" },
    { body: Array.from({ length: 10_001 }, () => 0), status: 413, code: "body_too_large" },
  ])("a body that is no batch is refused as $code", async ({ body, status, code }) => {
    const response = await api.post(body);
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ code });
  });

  test("a customer on a test clock has that clock's time", async () => {
    const august = "2026-08-31T23:59:59Z";
    const [ahead, acme] = [
      event({ id: "clock/1", customer: "ahead", time: august }),
      event({ id: "clock/2", time: august }),
    ];
    expect(await outcomesOf(await api.post([acme]))).toEqual(["usage_event_in_future"]);
    await insertTestClock(api.db.orm, "clock", instant("2026-09-01T00:00:00Z"));
    await addCustomer(api.db, "ahead", "clock");
    expect(await outcomesOf(await api.post([ahead, acme]))).toEqual(["accepted", "usage_event_in_future"]);
  });

  test("the answer can be asked to leave out what is fine", async () => {
    const batch = [
      event({ id: "problems/1" }),
      event({ id: "problems/1" }),
      event({ id: "problems/2", customer: "nobody" }),
      7,
    ];
    const { results, ...numbers } = await answerOf(await api.post(batch, {}, "?results=problems"));
    expect(numbers).toEqual({ accepted: 1, duplicates: 1, conflicts: 0, invalid: 1, quarantined: 1 });
    expect(results.map(({ index, id, status }) => ({ index, id, status }))).toEqual([
      { index: 2, id: "problems/2", status: "quarantined" },
      { index: 3, id: undefined, status: "invalid" },
    ]);
    expect((await api.post(batch, {}, "?results=none")).status).toBe(400);
  });

  test("a large batch goes in several commits; of events with one key the first stands, however far apart", async () => {
    const batch = Array.from({ length: 2_500 }, (_, n) => event({ id: `large/${n}`, source: "large" }));
    const again = [batch[0], { ...batch[1], time: "2026-02-15T10:30:01Z" }, "no event"];
    const { results, ...numbers } = await answerOf(await api.post([...batch, ...again]));
    expect(numbers).toEqual({ accepted: 2_500, duplicates: 1, conflicts: 1, invalid: 1, quarantined: 0 });
    expect(results.map(({ index }) => index)).toEqual(Array.from({ length: 2_503 }, (_, n) => n));
    expect(results.slice(2_500).map(({ status }) => status)).toEqual(["duplicate", "conflict", "invalid"]);
    expect(await api.acceptedOf("large")).toBe(2_500);
  });

  test("a new meter counts from the moment it is published, and what waited for it too", async () => {
    const later = (n: number) => event({ id: `published/${n}`, type: "published" });
    expect(await outcomesOf(await api.post([later(1)]))).toEqual(["no_meter"]);
    const { meters } = (await (await api.get("/v1/catalog")).json()) as { meters: object[] };
    const published = { key: "published", event_type: "published", aggregation: "count", dimensions: [] };
    const answer = await api.call("PUT", "/v1/catalog", { meters: [...meters, published], plans: [] });
    expect(answer.status).toBe(200);
    expect(await outcomesOf(await api.post([later(1), later(2)]))).toEqual(["duplicate", "accepted"]);
    const month = "from=2026-02-01T00:00:00Z&to=2026-03-01T00:00:00Z";
    const { body } = await get(`/v1/usage?customer=acme&meter=published&${month}`);
    expect(body.data).toEqual([{ dimensions: {}, quantity: "2", event_count: 2 }]);
  });

  test("the metrics count what became of events", async () => {
    const before = await metric('reckoner_ingest_events_total{outcome="accepted"}');
    await api.post([event({ id: "metrics/1" }), event({ id: "metrics/2" })]);
    expect((await metric('reckoner_ingest_events_total{outcome="accepted"}')) - before).toBe(2);
    expect(await metric("reckoner_ingest_batch_seconds_count")).toBeGreaterThan(0);
    await expect.poll(() => metric("reckoner_ingest_requests_in_flight")).toBe(0);
    expect(await metric("reckoner_ingest_bytes_in_flight")).toBe(0);
    expect(await metric("reckoner_ingest_events_in_flight")).toBe(0);
    expect(await metric("reckoner_ingest_queue_events")).toBe(0);
  });

  async function metric(name: string): Promise<number> {
    const text = await (await fetch(`${api.url}/metrics`)).text();
    const line = text.split("\n").find((each) => each.startsWith(`${name} `));
    return Number(line?.slice(name.length));
  }
});

describe("reading usage", () => {
  beforeAll(async () => {
    await addCustomer(api.db, "reader");
    const models = ["large", "large", "small"];
    await api.post(
      models.map((model, n) =>
        event({
          id: `reader/${n}`,
          customer: "reader",
          time: `2026-01-1${n}T10:00:00Z`,
          data: { model, class: "input", tokens: n + 1 },
        }),
      ),
    );
  });
  const january = "from=2026-01-01T00:00:00Z&to=2026-02-01T00:00:00Z";

  test("a total by dimension", async () => {
    const { body } = await get(`/v1/usage?customer=reader&meter=tokens&group_by=model&${january}`);
    expect(body).toEqual({
      customer: "reader",
      meter: "tokens",
      meter_version: 1,
      from: "2026-01-01T00:00:00.000Z",
      to: "2026-02-01T00:00:00.000Z",
      complete_until: expect.any(String),
      data: [
        { dimensions: { model: "large" }, quantity: "3", event_count: 2 }, // 1 + 2
        { dimensions: { model: "small" }, quantity: "3", event_count: 1 },
      ],
    });
  });

  test.each([
    { where: "where=model:large", quantity: "3", why: "1 + 2" },
    { where: "where=model:large&where=class:output", quantity: undefined, why: "both must hold" },
    { where: "where=class:input", quantity: "6", why: "1 + 2 + 3" },
  ])("of some dimensions only: $where is $quantity: $why", async ({ where, quantity }) => {
    const { body } = await get(`/v1/usage?customer=reader&meter=tokens&group_by=&${where}&${january}`);
    expect(body.data[0]?.quantity).toBe(quantity);
  });

  test("by day", async () => {
    const { body } = await get(`/v1/usage?customer=reader&meter=longest&group_by=&window=day&${january}`);
    expect(body.data).toEqual([
      { window_start: "2026-01-10T00:00:00.000Z", dimensions: {}, quantity: "1", event_count: 1 },
      { window_start: "2026-01-11T00:00:00.000Z", dimensions: {}, quantity: "2", event_count: 1 },
      { window_start: "2026-01-12T00:00:00.000Z", dimensions: {}, quantity: "3", event_count: 1 },
    ]);
  });

  test.each([
    { query: `meter=nothing&${january}`, code: "meter_not_found" },
    { query: `meter=tokens&group_by=colour&${january}`, code: "dimension_unknown" },
    { query: `meter=tokens&where=colour:red&${january}`, code: "dimension_unknown" },
    { query: `meter=tokens&where=model&${january}`, code: "request_invalid" },
    { query: "meter=tokens&from=2026-02-01T00:00:00Z&to=2026-01-01T00:00:00Z", code: "period_invalid" },
    {
      query: "meter=tokens&window=hour&from=2025-01-01T00:00:00Z&to=2026-01-01T00:00:00Z",
      code: "period_invalid",
    },
    { query: "meter=tokens&from=yesterday&to=2026-01-01T00:00:00Z", code: "request_invalid" },
  ])("$query is refused as $code", async ({ query, code }) => {
    expect((await get(`/v1/usage?customer=reader&${query}`)).body).toMatchObject({ code });
  });

  test("events come newest first, page by page, with what was made of them", async () => {
    const first = (await get("/v1/events?customer=reader&limit=2")).body;
    expect(first.data.map(({ id }: { id: string }) => id)).toEqual(["reader/2", "reader/1"]);
    expect(first.data[0].contributions).toContainEqual({
      meter: "tokens",
      meter_version: 1,
      dimensions: { class: "input", model: "small" },
      quantity: "3",
    });
    const second = (await get(`/v1/events?customer=reader&limit=2&cursor=${first.next_cursor}`)).body;
    expect(second.data.map(({ id }: { id: string }) => id)).toEqual(["reader/0"]);
    expect(second.next_cursor).toBeNull();
    expect((await get("/v1/events?customer=reader&cursor=eyJ9")).body).toMatchObject({
      code: "cursor_invalid",
    });
  });
});

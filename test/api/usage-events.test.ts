import Fastify from "fastify";
import { serializerCompiler } from "fastify-type-provider-zod";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ApiInstance } from "../../src/api/api-instance.ts";
import { handleErrors } from "../../src/api/error-handler.ts";
import { eventsRoutes } from "../../src/api/routes/events.ts";
import { usageRoutes } from "../../src/api/routes/usage.ts";
import { validatorCompiler } from "../../src/api/validation.ts";
import { type Instant, instant } from "../../src/domain/calendar/index.ts";
import { addCustomer, meters, openUsage, type UsageFixture } from "../db/usage-fixture.ts";

const now = instant("2026-01-20T00:00:00Z");
let fixture: UsageFixture;
let api: ApiInstance;
let url: string;
/** Requests wait here while a test holds them up. */
let gate: Promise<void> = Promise.resolve();

beforeAll(async () => {
  fixture = await openUsage();
  await addCustomer(fixture.db, "ahead");
  api = Fastify() as unknown as ApiInstance;
  api.setValidatorCompiler(validatorCompiler);
  api.setSerializerCompiler(serializerCompiler);
  handleErrors(api);
  const metersInForce = () => gate.then(() => meters);
  const clocks: ReadonlyMap<string, Instant> = new Map([["ahead", instant("2026-09-01T00:00:00Z")]]);
  const nowFor = async () => clocks;
  eventsRoutes(api, { db: fixture.db, now: () => now, meters: metersInForce, nowFor, batchesInFlightMax: 2 });
  usageRoutes(api, { db: fixture.db, meters: metersInForce });
  url = await api.listen({ host: "127.0.0.1", port: 0 });
});
afterAll(async () => {
  await api.close();
  await fixture.close();
});

const event = (over: object) => ({
  id: "e",
  source: "gateway",
  customer: "acme",
  type: "request",
  time: "2026-01-15T10:30:00Z",
  data: { model: "large", class: "input", tokens: 10 },
  ...over,
});

const post = (body: unknown) =>
  fetch(`${url}/v1/events`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });

const get = async (path: string) => {
  const response = await fetch(url + path);
  return { status: response.status, body: await response.json() };
};

/** The statuses of the results, in order. */
const statusesOf = async (response: Response) => {
  const { results } = (await response.json()) as { results: { status: string; code?: string }[] };
  return results.map(({ status, code }) => code ?? status);
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
      event({ id: "mixed/5", time: "2026-01-20T00:05:00.001Z" }),
      event({ id: "mixed/6", customer: "nobody" }),
      event({ id: "mixed/7", type: "other" }),
      event({ id: "mixed/\u0000" }),
      null,
    ];
    const response = await post({ events: batch });
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({
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
    expect(await statusesOf(await post(body))).toEqual(statuses);
  });

  test.each([
    { body: "{", status: 400, code: "json_malformed" },
    { body: { events: 5 }, status: 400, code: "request_invalid" },
    { body: { events: [], more: 1 }, status: 400, code: "request_invalid" },
    { body: Array.from({ length: 10_001 }, () => 0), status: 413, code: "body_too_large" },
  ])("a body that is no batch is refused as $code", async ({ body, status, code }) => {
    const response = await post(body);
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ code });
  });

  test("a customer on a test clock has that clock's time", async () => {
    const august = "2026-08-31T23:59:59Z";
    const batch = [
      event({ id: "clock/1", customer: "ahead", time: august }),
      event({ id: "clock/2", time: august }),
    ];
    expect(await statusesOf(await post(batch))).toEqual(["accepted", "usage_event_in_future"]);
  });

  test("of three batches at once one is asked to come again, and is welcome after the others", async () => {
    const opening = Promise.withResolvers<void>();
    gate = opening.promise;
    const three = [1, 2, 3].map((n) => post(event({ id: `flood/${n}` })));
    const refusal = await Promise.race(three); // the two others are held up
    expect(refusal.status).toBe(429);
    expect(refusal.headers.get("retry-after")).toBe("1");
    expect(await refusal.json()).toMatchObject({ code: "too_many_requests" });
    opening.resolve();
    const statuses = (await Promise.all(three)).map(({ status }) => status);
    expect(statuses.sort()).toEqual([200, 200, 429]);
    expect((await post(event({ id: "flood/4" }))).status).toBe(200);
  });
});

describe("reading usage", () => {
  beforeAll(async () => {
    await addCustomer(fixture.db, "reader");
    const models = ["large", "large", "small"];
    await post(
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
      from: "2026-01-01T00:00:00.000Z",
      to: "2026-02-01T00:00:00.000Z",
      data: [
        { dimensions: { model: "large" }, quantity: "3", event_count: 2 }, // 1 + 2
        { dimensions: { model: "small" }, quantity: "3", event_count: 1 },
      ],
    });
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

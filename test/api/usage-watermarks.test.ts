import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { instantOfEpochMs } from "../../src/domain/calendar/index.ts";
import { addCustomer } from "../db/usage-fixture.ts";
import { type IngestApi, startIngestApi } from "./support/ingest-api.ts";
import type { CallOptions } from "./support/running-api.ts";

let api: IngestApi;
beforeAll(async () => {
  api = await startIngestApi({ now: () => instantOfEpochMs(Date.now()) });
  await api.db
    .sql`insert into billing.test_clock (id, current_at, target_at) values ('clock', '2031-01-01Z', '2031-01-01Z')`;
  await addCustomer(api.db, "simulated", "clock");
});
afterAll(() => api.stop());

const beat = (body: object, options: CallOptions = {}) =>
  api.call("POST", "/v1/usage/heartbeats", body, { idempotencyKey: null, ...options });

const watermarks = async (customer: string) =>
  (await api.call("GET", `/v1/customers/${customer}/usage/watermarks`)).body.data;

const iso = (agoMs: number) => new Date(Date.now() - agoMs).toISOString();
const minute = 60_000;

describe("a heartbeat", () => {
  test("advances, is kept when it says no more than was known, and never goes back", async () => {
    const [earlier, later] = [iso(2 * minute), iso(minute)];
    const said = { source: "gateway", instance: "pod-1" };
    expect(await beat({ ...said, complete_until: later })).toMatchObject({
      status: 200,
      body: { ...said, status: "advanced", complete_until: later },
    });
    const kept = { ...said, status: "kept", complete_until: later };
    expect((await beat({ ...said, complete_until: later })).body).toEqual(kept);
    expect((await beat({ ...said, complete_until: earlier })).body).toEqual(kept);
  });

  test.each([
    { body: { complete_until: iso(0) }, field: "source", why: "no source" },
    { body: { source: "s" }, field: "complete_until", why: "neither an instant nor the end" },
    { body: { source: "s", complete_until: iso(0), final: true }, field: "complete_until", why: "both" },
    { body: { source: "s", complete_until: "yesterday" }, field: "complete_until", why: "not an instant" },
    { body: { source: "s", complete_until: iso(0), customers: [] }, field: "customers", why: "of nobody" },
    {
      body: { source: "s", complete_until: iso(0), until: 1 },
      field: "until",
      why: "a field that it has not",
    },
  ])("is refused: $why", async ({ body, field }) => {
    expect(await beat(body)).toMatchObject({ status: 400, body: { code: "request_invalid", field } });
  });

  test("is refused when it is ahead of our clock, or of the customer's", async () => {
    const refused = { status: 422, body: { code: "heartbeat_in_future", field: "complete_until" } };
    expect(await beat({ source: "s", complete_until: iso(-10 * minute) })).toMatchObject(refused);
    const simulated = { source: "s", customers: ["simulated"] };
    expect(await beat({ ...simulated, complete_until: "2031-01-01T00:05:00Z" })).toMatchObject({
      status: 200,
    });
    expect(await beat({ ...simulated, complete_until: "2031-01-01T00:05:01Z" })).toMatchObject(refused);
  });

  test("takes the right to report usage, and no other", async () => {
    const key = await api.newKey(["read"]);
    expect(await beat({ source: "s", complete_until: iso(0) }, { key })).toMatchObject({
      status: 403,
      body: { code: "scope_missing" },
    });
  });
});

describe("the watermarks of a customer", () => {
  test("say meter by meter how far usage is, how that is known, and what holds it back", async () => {
    await addCustomer(api.db, "globex");
    const until = iso(90_000);
    await beat({ source: "slow", types: ["request"], complete_until: until });
    const [first, ...others] = await watermarks("globex");
    expect(first).toEqual({
      meter: expect.any(String),
      complete_until: until,
      lag_seconds: expect.closeTo(90, -1),
      kind: "reported",
      held_back_by: "slow",
      heard_at: expect.stringMatching(/Z$/),
      estimated_from_events: null,
    });
    expect(others).toHaveLength(2); // all three meters measure the same type of event
    const used = await api.get(
      "/v1/usage?customer=globex&meter=tokens&from=2026-01-01T00:00:00Z&to=2026-02-01T00:00:00Z",
    );
    expect(await used.json()).toMatchObject({ complete_until: until });
  });

  test("are now when nobody is expected to send anything, also after a source has said goodbye", async () => {
    const now = { kind: "none", held_back_by: null, heard_at: null };
    expect(await watermarks("globex")).toMatchObject([{ kind: "reported" }, {}, {}]);
    expect((await beat({ source: "slow", final: true })).body).toEqual({
      source: "slow",
      instance: "main",
      status: "ended",
      complete_until: null,
    });
    expect(await watermarks("globex")).toMatchObject([now, now, now]);
  });

  test("are at the customer's time", async () => {
    await beat({ source: "sim", customers: ["simulated"], complete_until: "2030-12-31T23:00:00Z" });
    await beat({ source: "s", instance: "main", final: true });
    expect(await watermarks("simulated")).toMatchObject([
      { lag_seconds: 3_600, held_back_by: "sim" },
      {},
      {},
    ]);
  });

  test("of an unknown customer are refused", async () => {
    expect((await api.get("/v1/customers/nobody/usage/watermarks")).status).toBe(404);
  });
});

test("metrics show the lag of each source and the largest", async () => {
  await beat({ source: "late", complete_until: iso(10 * minute) });
  const text = await (await fetch(`${api.url}/metrics`)).text();
  const lag = /reckoner_usage_watermark_lag_seconds\{source="late",kind="reported"\} ([\d.]+)/.exec(
    text,
  )?.[1];
  const largest = /reckoner_usage_watermark_lag_seconds_max ([\d.]+)/.exec(text)?.[1];
  expect(Number(lag)).toBeGreaterThan(599);
  expect(Number(largest)).toBeGreaterThanOrEqual(Number(lag));
  expect(text).not.toContain('source="sim"'); // of another time
});

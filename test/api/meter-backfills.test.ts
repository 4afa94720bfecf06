import { afterAll, beforeAll, expect, test } from "vitest";
import { backfillPage } from "../../src/db/usage/meter-backfill-page.ts";
import { type RunningApi, startApi } from "./support/running-api.ts";

let api: RunningApi;
const requests = { key: "requests", event_type: "build", aggregation: "count", dimensions: [] };
const minutes = {
  key: "minutes",
  event_type: "build",
  aggregation: "sum",
  property: "minutes",
  dimensions: [],
};
const publish = (...meters: object[]) => api.call("PUT", "/v1/catalog", { meters, plans: [] });

beforeAll(async () => {
  api = await startApi();
  await publish(requests);
  await api.call("POST", "/v1/customers", {
    id: "ada",
    name: "Ada",
    email: "a@example.com",
    currency: "usd",
  });
  const events = Array.from({ length: 10 }, (_, n) => ({
    id: `${n}`,
    source: "ci",
    customer: "ada",
    type: "build",
    time: `2026-02-1${n}T10:00:00Z`,
    data: n === 4 ? {} : { minutes: n },
  }));
  await api.call("POST", "/v1/events", events);
  await publish(requests, minutes);
});
afterAll(() => api.stop());

const path = "/v1/meters/minutes/backfills";
const used = async () => {
  const { body } = await api.call(
    "GET",
    "/v1/usage?customer=ada&meter=minutes&from=2026-02-01T00:00:00Z&to=2026-03-01T00:00:00Z",
  );
  return body.data.map(({ quantity }: { quantity: string }) => quantity);
};

test("a new meter counts the events that were there, with progress and what it refused", async () => {
  expect(await used()).not.toContain("41");
  const started = await api.call("POST", path, { from: "2026-02-01T00:00:00Z" });
  expect(started.status).toBe(201);
  expect(started.body).toMatchObject({
    meter: "minutes",
    version: 1,
    from: "2026-02-01T00:00:00.000Z",
    to: null,
    customer: null,
    state: "waiting",
    events: { done: 0, total_estimate: 10, counted: 0, refused: 0 },
    rated_periods: 0,
    ended_by: null,
  });
  const { id } = started.body;
  await backfillPage(api.db, { eventsMax: 6 });
  const running = await api.call("GET", `${path}/${id}`);
  expect(running.body).toMatchObject({
    state: "running",
    events: { done: 6, total_estimate: 10, counted: 5, refused: 1 },
  });
  await backfillPage(api.db, { eventsMax: 6 });
  expect((await api.call("GET", `${path}/${id}`)).body).toMatchObject({
    state: "done",
    events: { done: 10, total_estimate: 10, counted: 9, refused: 1 },
  });
  expect(await used()).toEqual(["41"]); // 0 + 1 + … + 9, without 4
  const refused = await api.call("GET", `${path}/${id}/refusals`);
  expect(refused.body).toEqual({
    data: [
      {
        source: "ci",
        id: "4",
        time: "2026-02-14T10:00:00.000Z",
        code: "usage_property_missing",
        detail: expect.stringContaining("data.minutes"),
        field: "data.minutes",
      },
    ],
    next_cursor: null,
  });
  const late = await api.call("POST", `${path}/${id}/cancel`);
  expect([late.status, late.body.code]).toEqual([409, "meter_backfill_done"]);
});

test("one that is canceled counts no more, and the next one counts the rest", async () => {
  await publish(requests, { ...minutes, unit: { name: "hours", factor: "1/60" } });
  const asked = { from: "2026-02-11T00:00:00Z", to: "2026-02-14T00:00:00Z", customer: "ada" };
  const { body: first } = await api.call("POST", path, asked);
  expect(first).toMatchObject({ version: 2, customer: "ada", events: { total_estimate: 3 } });
  await backfillPage(api.db, { eventsMax: 2 });
  const canceled = await api.call("POST", `${path}/${first.id}/cancel`);
  expect(canceled.body).toMatchObject({
    state: "canceled",
    events: { counted: 2 },
    ended_by: expect.stringMatching(/^api-key\//),
  });
  expect(await backfillPage(api.db)).toBeUndefined();
  const { body: second } = await api.call("POST", path, asked);
  await backfillPage(api.db);
  const listed = await api.call("GET", path);
  expect(
    listed.body.data.map((backfill: { id: string; events: { counted: number } }) => [
      backfill.id,
      backfill.events.counted,
    ]),
  ).toEqual([
    [second.id, 1],
    [first.id, 2],
    [expect.any(String), 9],
  ]);
  const [page] = (await api.call("GET", `${path}?limit=1`)).body.data;
  expect(page.id).toBe(second.id);
});

test("repeated under its key it is the same one", async () => {
  const options = { idempotencyKey: "once" };
  const asked = { from: "2026-02-01T00:00:00Z", version: 1 };
  const [first, again] = [
    await api.call("POST", path, asked, options),
    await api.call("POST", path, asked, options),
  ];
  expect(again.body).toEqual(first.body);
  expect(first.body.version).toBe(1);
});

test.each([
  { path: "/v1/meters/none/backfills", body: {}, status: 422, code: "meter_not_found" },
  { path, body: { version: 9 }, status: 422, code: "meter_not_found" },
  { path, body: { customer: "nobody" }, status: 404, code: "customer_not_found" },
  { path, body: { to: "2026-01-01T00:00:00Z" }, status: 400, code: "request_invalid" },
])("$path with $body is refused: $code", async ({ path: of, body, status, code }) => {
  const answer = await api.call("POST", of, { from: "2026-02-01T00:00:00Z", ...body });
  expect([answer.status, answer.body.code]).toEqual([status, code]);
});

test("what is not there is not found, and only an administrator may ask", async () => {
  const missing = await api.call("GET", `${path}/mbf_0`);
  expect([missing.status, missing.body.code]).toEqual([404, "meter_backfill_not_found"]);
  const key = await api.newKey(["write"]);
  expect((await api.call("POST", path, { from: "2026-02-01T00:00:00Z" }, { key })).status).toBe(403);
  expect((await api.call("GET", path, undefined, { key })).status).toBe(200);
});

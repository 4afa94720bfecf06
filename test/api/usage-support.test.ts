import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { closePeriodOnce } from "../../src/activities/close-period.ts";
import { openSubscription } from "../../src/activities/open-subscription.ts";
import { insertTestClock, moveTestClock } from "../../src/db/billing/test-clocks.ts";
import { instant } from "../../src/domain/calendar/index.ts";
import { addCustomer } from "../db/usage-fixture.ts";
import { type RunningApi, startApi } from "./support/running-api.ts";

/** acme's January is closed, with one event of it come late; February is open. */
let api: RunningApi;
beforeAll(async () => {
  api = await startApi();
  await api.call("PUT", "/v1/catalog", catalog);
  await insertTestClock(api.db.orm, "clock", instant("2026-01-01T00:00:00Z"));
  await addCustomer(api.db, "acme", "clock");
  await addCustomer(api.db, "unsubscribed", "clock");
  const at = "2026-01-01T00:00:00Z";
  const items = [{ planKey: "metered", seats: 1 }];
  await openSubscription(api.db, {
    subscriptionId: "sub-acme",
    customerId: "acme",
    requestId: "open",
    at,
    items,
  });
  await moveClock("2026-02-10T00:00:00Z");
  await send({ id: "first", time: "2026-01-10T00:00:00Z", tokens: 700 });
  await send({ id: "größer/100% ?&=#", time: "2026-01-11T00:00:00Z", tokens: 50 });
  await send({ id: "other model", time: "2026-01-12T00:00:00Z", tokens: 5, model: "free" });
  const close = { subscriptionId: "sub-acme", periodStart: at, at: "2026-02-01T01:00:00Z" };
  await closePeriodOnce(api.db, close, { usageWaitMsMax: 0 });
  await send({ id: "late", time: "2026-01-20T00:00:00Z", tokens: 8 });
  await send({ id: "now", time: "2026-02-05T00:00:00Z", tokens: 1_001 });
  await send({ id: "now", time: "2026-02-05T00:00:00Z", tokens: 1_002 });
  await send({ id: "nobody's", time: "2026-02-05T00:00:00Z", tokens: 1, customer: "nobody" });
  await send({ id: "not billed", time: "2026-02-05T00:00:00Z", tokens: 1, customer: "unsubscribed" });
});
afterAll(() => api.stop());

async function moveClock(to: string): Promise<void> {
  const at = instant(to);
  await moveTestClock(api.db.orm, "clock", { currentAt: at, targetAt: at, isSettled: true });
}

interface Sent {
  readonly id: string;
  readonly time: string;
  readonly tokens: number;
  readonly model?: string;
  readonly customer?: string;
}

async function send({ id, time, tokens, model = "large", customer = "acme" }: Sent): Promise<void> {
  const event = { id, source: "gate way", customer, type: "request", time, data: { model, tokens } };
  expect((await api.call("POST", "/v1/events", event)).status).toBe(200);
}

const get = async (path: string, query: Record<string, string> = {}) =>
  (await api.call("GET", `${path}?${new URLSearchParams(query)}`)).body;

describe("what a customer has used, and what it costs so far", () => {
  test("each price of the current period, with what came late for the one before", async () => {
    expect(await get("/v1/customers/acme/usage")).toEqual({
      customer: "acme",
      as_of: "2026-02-10T00:00:00.000Z",
      data: [
        {
          subscription: "sub-acme",
          period_start: "2026-02-01T00:00:00.000Z",
          period_end: "2026-03-01T00:00:00.000Z",
          closed: false,
          currency: "usd",
          complete_until: expect.any(String),
          amount_minor: "90", // (1001 − 100) × 0.1 = 90.1
          billed_at_thresholds_minor: "0",
          adjustments: [],
          prices: [
            {
              plan: "metered",
              plan_version: 1,
              price: "large",
              name: "Tokens",
              meter: "tokens",
              meter_version: 1,
              where: { model: "large" },
              unit_label: "token",
              from: "2026-02-01T00:00:00.000Z",
              to: "2026-03-01T00:00:00.000Z",
              quantity: "1001",
              included_quantity: "100",
              exact_minor: "90.1",
              amount_minor: "90",
              complete_until: expect.any(String),
            },
          ],
          late_usage: [
            {
              period_start: "2026-01-01T00:00:00.000Z",
              period_end: "2026-02-01T00:00:00.000Z",
              plan: "metered",
              price: "large",
              adjustment: null,
              quantity: "8",
              exact_minor: "0.8",
              amount_minor: "1", // 65.8 − 65 = 0.8 and rounded as a whole: 66 − 65
            },
          ],
        },
      ],
    });
  });

  test("of an earlier period, by its start, with what is known of it now; of none at any other instant", async () => {
    const january = await get("/v1/customers/acme/usage", { period_start: "2026-01-01T00:00:00Z" });
    expect(january.data).toMatchObject([
      { closed: true, amount_minor: "66", prices: [{ quantity: "758" }], late_usage: [] }, // 700 + 50 + 8
    ]);
    const between = await get("/v1/customers/acme/usage", { period_start: "2026-01-02T00:00:00Z" });
    expect(between.data).toEqual([]);
    expect((await get("/v1/customers/unsubscribed/usage")).data).toEqual([]);
    expect(await get("/v1/customers/nobody/usage")).toMatchObject({ code: "customer_not_found" });
  });
});

describe("levels", () => {
  const evening = { from: "2026-02-09T21:00:00Z", to: "2026-02-10T03:00:00Z" };
  beforeAll(async () => {
    for (const [id, region, stored] of [
      ["level/eu", "eu", 10],
      ["level/us", "us", 1],
    ] as const) {
      const event = { id, source: "store", customer: "unsubscribed", type: "stored" };
      await api.call("POST", "/v1/events", {
        ...event,
        time: "2026-02-09T22:30:00Z",
        data: { region, stored },
      });
    }
  });

  // The customer's clock is at midnight: 1.5 hours have passed.
  test.each([
    { query: { group_by: "" }, quantities: ["59400"], why: "11 × 5,400 s" },
    { query: { group_by: "region" }, quantities: ["54000", "5400"], why: "each level for itself" },
    { query: { group_by: "", where: "region:eu" }, quantities: ["54000"], why: "10 × 5,400 s" },
    {
      query: { group_by: "", where: "region:eu", window: "hour" },
      quantities: ["18000", "36000"],
      why: "from half past ten",
    },
    { query: { group_by: "", where: "region:none" }, quantities: [], why: "none holds" },
  ])("$query: $quantities, until now: $why", async ({ query, quantities }) => {
    const asked = {
      customer: "unsubscribed",
      meter: "stored",
      ...evening,
      ...(query as Record<string, string>),
    };
    const { data } = await get("/v1/usage", asked);
    expect(data.map(({ quantity }: { quantity: string }) => quantity)).toEqual(quantities);
  });

  test.each([
    { to: "2026-02-10T22:00:00Z", answer: { meter_version: 1 }, why: "25 hours have 1,500 minutes" },
    { to: "2026-02-10T22:00:00.001Z", answer: { code: "period_invalid", field: "window" }, why: "more" },
  ])("by minute until $to: $why", async ({ to, answer }) => {
    const asked = { customer: "unsubscribed", meter: "tokens", from: evening.from, to, window: "minute" };
    expect(await get("/v1/usage", asked)).toMatchObject(answer);
  });
});

describe("finding events", () => {
  const source = "gate way";

  test.each([
    { what: "accepted", query: { id: "first" }, found: [["accepted", 700]] },
    {
      what: "contradicted",
      query: { id: "now" },
      found: [
        ["accepted", 1_001],
        ["conflict", 1_002],
      ],
    },
    { what: "quarantined", query: { id: "nobody's" }, found: [["quarantined", 1]] },
    { what: "never sent", query: { id: "never" }, found: [] },
    { what: "another customer's", query: { id: "first", customer: "unsubscribed" }, found: [] },
  ])("by source and id, $what: everything under the key", async ({ query, found }) => {
    const { data } = await get("/v1/events", { source, ...query });
    expect(
      data.map((event: { state: string; data: { tokens: number } }) => [event.state, event.data.tokens]),
    ).toEqual(found);
  });

  const january = { from: "2026-01-01T00:00:00Z", to: "2026-02-01T00:00:00Z" };
  test.each([
    { query: { customer: "acme", ...january, property: "model:free" }, ids: ["other model"] },
    { query: { customer: "acme", ...january, property: "tokens:8" }, ids: ["late"] },
    { query: { customer: "acme", ...january, id: "first" }, ids: ["first"] },
    { query: { customer: "acme", ...january, type: "other" }, ids: [] },
    { query: { customer: "acme", from: "2026-02-01T00:00:00Z" }, ids: ["now"] },
    { query: { customer: "nobody", state: "quarantined" }, ids: ["nobody's"] },
    { query: { customer: "acme", state: "quarantined" }, ids: [] },
  ])("$query finds $ids", async ({ query, ids }) => {
    const { data } = await get("/v1/events", query as Record<string, string>);
    expect(data.map(({ id }: { id: string }) => id)).toEqual(ids);
  });

  test.each([
    { query: {}, code: "search_too_broad", field: "customer" },
    { query: { id: "first" }, code: "search_too_broad", field: "customer" },
    { query: { customer: "acme", property: "model:large" }, code: "search_too_broad", field: "from" },
    { query: { customer: "acme", type: "x", from: january.from }, code: "search_too_broad", field: "to" },
    {
      query: { customer: "acme", ...january, property: "model" },
      code: "request_invalid",
      field: "property",
    },
    { query: { customer: "acme", state: "conflict" }, code: "request_invalid", field: "state" },
  ])("$query is refused as $code, and says how to narrow it", async ({ query, code, field }) => {
    expect(await get("/v1/events", query as Record<string, string>)).toMatchObject({ code, field });
  });
});

describe("from an event to the line it is in, and back", () => {
  const billing = (id: string) => get("/v1/events/billing", { source: "gate way", id });
  const placesOf = async (id: string) => {
    const { contributions } = await billing(id);
    return contributions.flatMap(({ places }: { places: object[] }) => places);
  };

  test("an event that was billed, whatever characters its id has", async () => {
    const [place, ...none] = await placesOf("größer/100% ?&=#");
    expect(none).toEqual([]);
    expect(place).toMatchObject({
      status: "invoiced",
      subscription: "sub-acme",
      period_start: "2026-01-01T00:00:00.000Z",
      plan: "metered",
      price: "large",
      revision: 0,
      effect: "added",
      line: 1,
    });
    const back = await get(`/v1/invoices/${place.invoice}/lines/${place.line}/events`);
    expect(back).toMatchObject({
      quantity: "750",
      meter: "tokens",
      meter_version: 1,
      where: { model: "large" },
      revision: 0,
      next_cursor: null,
    });
    expect(back.data.map(({ id, quantity }: { id: string; quantity: string }) => [id, quantity])).toEqual([
      ["first", "700"],
      ["größer/100% ?&=#", "50"],
    ]);
  });

  test("page by page", async () => {
    const [{ invoice }] = await placesOf("first");
    const first = await get(`/v1/invoices/${invoice}/lines/1/events`, { limit: "1" });
    const second = await get(`/v1/invoices/${invoice}/lines/1/events`, {
      limit: "1",
      cursor: first.next_cursor,
    });
    expect([first, second].map(({ data }) => data[0].id)).toEqual(["first", "größer/100% ?&=#"]);
    expect(second.next_cursor).toBeNull();
    const wrong = await get(`/v1/invoices/${invoice}/lines/1/events`, { cursor: "eyJ9" });
    expect(wrong).toMatchObject({ code: "cursor_invalid" });
  });

  test.each([
    { id: "late", places: [{ status: "waiting", price: "large", invoice: null, line: null }] },
    { id: "now", places: [{ status: "open", price: "large", period_end: "2026-03-01T00:00:00.000Z" }] },
    { id: "other model", places: [{ status: "not_priced", price: null }] },
    { id: "not billed", places: [] },
  ])("$id is in no line: $places", async ({ id, places }) => {
    expect(await placesOf(id)).toMatchObject(places);
  });

  test("what is quarantined has contributed nothing, and what was never sent is not there", async () => {
    expect(await billing("nobody's")).toMatchObject({
      state: "quarantined",
      customer: "nobody",
      contributions: [],
    });
    expect(await billing("never")).toMatchObject({ status: 404, code: "usage_event_not_found" });
  });

  test("lines and invoices that are not there", async () => {
    const [{ invoice }] = await placesOf("first");
    expect(await get(`/v1/invoices/${invoice}/lines/9/events`)).toMatchObject({
      status: 404,
      code: "usage_line_not_found",
    });
    expect(await get("/v1/invoices/none/lines/1/events")).toMatchObject({ code: "invoice_not_found" });
    expect(await get(`/v1/invoices/${invoice}/lines/0/events`)).toMatchObject({ code: "request_invalid" });
  });
});

const catalog = {
  meters: [
    { key: "tokens", event_type: "request", aggregation: "sum", property: "tokens", dimensions: ["model"] },
    {
      key: "stored",
      event_type: "stored",
      aggregation: "time_weighted_sum",
      property: "stored",
      dimensions: ["region"],
    },
  ],
  plans: [
    {
      key: "metered",
      name: "Metered",
      currency: "usd",
      interval: { unit: "month", count: 1 },
      grace_seconds: 3_600,
      prices: [
        {
          type: "usage",
          key: "large",
          name: "Tokens",
          product: "tokens",
          meter: "tokens",
          where: { model: "large" },
          unit_label: "token",
          included: "100",
          model: { type: "per_unit", unit_price_minor: "0.1" },
        },
      ],
    },
  ],
};

import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { hashOf, newApiKeySecret, prefixOf } from "../../src/api/api-key-secret.ts";
import { insertApiKey } from "../../src/db/access.ts";
import { instant } from "../../src/domain/calendar/index.ts";
import { type System, startSystem } from "../support/system.ts";
import { scenarioCatalog } from "../support/system-catalog.ts";
import { contentsOf } from "../support/system-contents.ts";
import { beginStory, type Story } from "../support/system-story.ts";

/** Whatever is wrong with a request, it is refused with a code to branch on, and nothing of it is stored. */
let system: System;
let vera: Story;
const expiredKey = newApiKeySecret();

beforeAll(async () => {
  system = await startSystem();
  await system.client.put("/v1/catalog", { body: scenarioCatalog });
  vera = await beginStory(system, { id: "vera", plan: "metered" });
  await vera.cancel("period_end");
  await insertApiKey(system.db.orm, {
    id: "key_expired",
    prefix: prefixOf(expiredKey),
    secretHash: hashOf(expiredKey),
    name: "expired",
    scopes: ["read"],
    createdAt: instant("2026-01-01T00:00:00Z"),
    expiresAt: instant("2026-02-01T00:00:00Z"),
  });
  await vera.until("04-10");
  await webhooksDone();
});
afterAll(() => system.stop());

const person = { id: "new", name: "New", email: "new@example.com", currency: "usd", test_clock: "vera" };

describe("requests", () => {
  test.each([
    {
      what: "an unknown field",
      path: "customers",
      body: { ...person, vip: true },
      is: "400 request_invalid",
    },
    { what: "no name", path: "customers", body: { ...person, name: "" }, is: "400 request_invalid" },
    { what: "no JSON", path: "customers", body: "{", is: "400 json_malformed" },
    {
      what: "a plan that does not exist",
      path: "subscriptions",
      body: { id: "second", customer: "vera", items: [{ plan: "platinum" }] },
      is: "404 plan_not_found",
    },
    {
      what: "a customer who does not exist",
      path: "subscriptions",
      body: { customer: "nobody", items: [{ plan: "solo" }] },
      is: "404 customer_not_found",
    },
    {
      what: "no seats",
      path: "subscriptions",
      body: { customer: "vera", items: [{ plan: "team", seats: 0 }] },
      is: "400 request_invalid",
    },
    {
      what: "a plan in another currency",
      path: "subscriptions",
      body: { id: "third", customer: "vera", items: [{ plan: "euro" }] },
      is: "422 plan_currency_differs",
    },
    {
      what: "a second price for the same usage",
      path: "subscriptions",
      body: { id: "fourth", customer: "vera", items: [{ plan: "solo" }] },
      is: "422 meter_already_billed",
    },
    {
      what: "a change to a plan that does not exist",
      path: "subscriptions/vera/change-plan",
      body: { plan: "platinum" },
      is: "404 plan_not_found",
    },
    {
      what: "a second cancel",
      path: "subscriptions/vera/cancel",
      body: { when: "period_end" },
      is: "422 subscription_already_canceling",
    },
    {
      what: "resuming what is not paused",
      path: "subscriptions/vera/resume",
      body: {},
      is: "422 subscription_not_paused",
    },
    {
      what: "negative credits",
      path: "customers/vera/credit-purchases",
      body: { amount_minor: "-500" },
      is: "400 request_invalid",
    },
    {
      what: "NaN credits",
      path: "customers/vera/credit-grants",
      body: { amount_minor: "NaN", reason_code: "promotion" },
      is: "400 request_invalid",
    },
    {
      what: "a clock turned back",
      path: "test-clocks/vera/advance",
      body: { to: "2026-04-01T00:00:00Z" },
      is: "422 test_clock_backwards",
    },
    {
      what: "a clock sent to no time",
      path: "test-clocks/vera/advance",
      body: { to: "next year" },
      is: "400 request_invalid",
    },
  ])("$what: $is", async ({ path, body, is }) => {
    const before = await contentsOf(system.db);
    expect(await answerOf(path, body)).toBe(is);
    expect(await contentsOf(system.db)).toEqual(before);
  });

  test("a wrong signature of a webhook", async () => {
    const before = await contentsOf(system.db);
    const body = { id: "evt_forged", object: "event", type: "invoice.paid", data: { object: {} } };
    const headers = { "stripe-signature": `t=${Math.floor(Date.now() / 1000)},v1=${"0".repeat(64)}` };
    expect(await answerOf("webhooks/stripe", body, headers)).toBe("400 webhook_signature_invalid");
    expect(await contentsOf(system.db)).toEqual(before);
  });

  test.each([
    { what: "unknown", key: newApiKeySecret(), is: "401 api_key_invalid" },
    { what: "expired", key: expiredKey, is: "401 api_key_expired" },
  ])("an API key that is $what", async ({ key, is }) => {
    const before = await contentsOf(system.db);
    expect(await answerOf("customers", person, { authorization: `Bearer ${key}` })).toBe(is);
    expect(await contentsOf(system.db)).toEqual(before);
  });
});

describe("usage events", () => {
  const event = {
    id: "e1",
    source: "scenario",
    customer: "vera",
    type: "api.calls",
    time: "2026-04-05T00:00:00Z",
    data: { calls: 1 },
  };

  test.each([
    { what: "an unknown field", bad: { ...event, cost: 5 }, is: "invalid usage_event_invalid" },
    {
      what: "a negative quantity",
      bad: { ...event, data: { calls: -1 } },
      is: "invalid usage_quantity_negative",
    },
    { what: "NaN", bad: { ...event, data: { calls: "NaN" } }, is: "invalid usage_quantity_invalid" },
    { what: "no quantity", bad: { ...event, data: {} }, is: "invalid usage_property_missing" },
    {
      what: "a time in the customer's future",
      bad: { ...event, time: "2026-04-12T00:00:00Z" },
      is: "invalid usage_event_in_future",
    },
  ])("$what: $is", async ({ bad, is }) => {
    const before = await contentsOf(system.db);
    expect(await outcomeOf(bad)).toBe(is);
    expect(await contentsOf(system.db)).toEqual(before);
  });

  test("of an unknown customer are kept, and counted once there is the customer", async () => {
    const early = { ...event, customer: "wanda" };
    expect(await outcomeOf(early)).toBe("quarantined unknown_customer");
    expect(await outcomeOf(early)).toBe("duplicate ");
    await beginStory(system, { id: "wanda", plan: "metered", clock: "vera" });
    const query = { customer: "wanda", from: "2026-04-01T00:00:00Z", to: "2026-05-01T00:00:00Z" };
    const { data } = await system.client.get("/v1/events", { params: { query } });
    expect(data.map(({ id }) => id)).toEqual(["e1"]);
  });
});

test("after all that the clock still goes, and the month is billed as ever", async () => {
  await vera.uses(70, "04-08");
  await vera.until("05-01 02:00");
  expect(await vera.sums()).toEqual(["cycle: 70 = 70, paid"]);
});

/** Status and code of the answer. */
async function answerOf(path: string, body: unknown, headers: Record<string, string> = {}): Promise<string> {
  const { apiUrl, apiKey } = system.surroundings;
  const response = await fetch(`${apiUrl}/v1/${path}`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${apiKey}`,
      "idempotency-key": randomUUID(),
      "content-type": "application/json",
      ...headers,
    },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
  const { code } = (await response.json()) as { code?: string };
  return `${response.status} ${code}`;
}

async function outcomeOf(event: object): Promise<string> {
  const { results } = await system.client.post("/v1/events", { body: { events: [event as never] } });
  return results.map(({ status, code = "" }) => `${status} ${code}`).join();
}

/** What the preparations have set in motion at Stripe has come back and been dealt with. */
async function webhooksDone(): Promise<void> {
  const { account } = system.surroundings;
  await vi.waitFor(
    async () => {
      const { deliveries } = await account.control<{ deliveries: { state: string }[] }>("deliveries");
      expect(deliveries.filter(({ state }) => state === "pending")).toEqual([]);
      expect(await system.db.sql`select from stripe.webhook_inbox where state = 'waiting'`).toHaveLength(0);
    },
    { timeout: 10_000, interval: 50 },
  );
}

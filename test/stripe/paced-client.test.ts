import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { arrayLiteral } from "../../src/db/array-literal.ts";
import { turnsOf } from "../../src/db/billing/stripe-turns.ts";
import { type Database, openDatabase } from "../../src/db/database.ts";
import { createStripe } from "../../src/stripe/index.ts";
import { endpointOf } from "../../src/stripe/paced-client.ts";
import { cloneDatabase } from "../support/postgres.ts";
import { accountOf, type SandboxUnderTest, sandboxUnderTest } from "./support/sandbox.ts";

test.each([
  ["POST", "/v1/invoices/in_1AbC9/pay", "POST /v1/invoices/:id/pay"],
  ["GET", "/v1/payment_intents?limit=100", "GET /v1/payment_intents"],
  ["GET", "/v1/payment_intents/pi_1xY", "GET /v1/payment_intents/:id"],
  ["POST", "/v1/payment_methods/pm_card_visa/attach", "POST /v1/payment_methods/:id/attach"],
  ["GET", "/v1/invoice_payments?payment[type]=payment_intent", "GET /v1/invoice_payments"],
  ["POST", "/v2/billing/meter_event_session", "POST /v2/billing/meter_event_session"],
])("%s %s counts as %s", (method, path, endpoint) => {
  expect(endpointOf(method, path)).toBe(endpoint);
});

describe("turns", () => {
  let clone: Awaited<ReturnType<typeof cloneDatabase>>;
  let db: Database;
  let server: SandboxUnderTest;
  beforeAll(async () => {
    [clone, server] = await Promise.all([cloneDatabase(), sandboxUnderTest()]);
    db = openDatabase({ url: clone.appUrl, poolSize: 4 });
  });
  afterAll(async () => {
    await db.close();
    await clone.drop();
    await server.close();
  });

  /** How long each of some turns has to wait, in milliseconds, as the database says it. */
  async function waits(count: number, buckets: readonly string[], rates: readonly number[], most = "1 hour") {
    const found: (number | null)[] = [];
    for (let taken = 0; taken < count; taken += 1) {
      const [row] = await db.sql<{ ms: number | null }[]>`select extract(epoch from
        stripe.take_turn(${arrayLiteral(buckets)}::text[], ${arrayLiteral(rates.map(String))}::numeric[], ${most}::interval))::float8 * 1000 as ms`;
      found.push(row?.ms ?? null);
    }
    return found;
  }

  test("are spread over time: 201 at 10 a second take 20 seconds, less the 0.2 that are in store", async () => {
    const last = (await waits(201, ["one"], [10])).at(-1) ?? 0;
    expect(last).toBeGreaterThan(15_000);
    expect(last).toBeLessThan(20_000);
  });

  test("of an endpoint that is busy keep nobody from another endpoint", async () => {
    await waits(50, ["all", "busy"], [1_000, 1]);
    const [next] = await waits(1, ["all", "idle"], [1_000, 1]);
    expect(next).toBeLessThan(1_000);
  });

  test("too far away are not taken, and take no place", async () => {
    await waits(5, ["far"], [1], "1 hour");
    expect(await waits(3, ["far"], [1], "1 second")).toEqual([null, null, null]);
  });

  test("of several processes keep a client within what Stripe allows: no 429 in 60 calls at 20 a second", async () => {
    const { apiKey, control } = accountOf(server.sandbox.url);
    await control("limits", { requestsPerSecond: 25 });
    const access = { apiKey, apiBase: server.sandbox.url };
    const clients = [1, 2, 3].map(() =>
      createStripe({ ...access, takeTurn: turnsOf(db, { perSecond: 20, perEndpoint: 20 }) }),
    );
    const calls = Array.from({ length: 60 }, (_, n) => clients[n % 3]?.customers.create({ name: `n${n}` }));
    const ended = await Promise.allSettled(calls);
    expect(ended.filter(({ status }) => status === "rejected")).toEqual([]);
  });

  test("that are too far away are answered as Stripe would: 429, and nothing was sent", async () => {
    const { apiKey, control } = accountOf(server.sandbox.url);
    const never = createStripe({ apiKey, apiBase: server.sandbox.url, takeTurn: async () => false });
    await expect(never.customers.create({ name: "Ada" })).rejects.toMatchObject({
      statusCode: 429,
      code: "rate_limit",
    });
    expect(await control("requests")).toEqual({ requests: [] });
  });
});

import { afterAll, beforeAll, expect, test } from "vitest";
import { takeInMissedEvents } from "../../src/activities/missed-events.ts";
import { receiveWebhook } from "../../src/db/billing/webhook-inbox.ts";
import { type Database, openDatabase } from "../../src/db/database.ts";
import { createStripe, stripeRail } from "../../src/stripe/index.ts";
import { memoryOperationLog } from "../stripe/support/operation-log.ts";
import { accountOf, type SandboxUnderTest, sandboxUnderTest } from "../stripe/support/sandbox.ts";
import { cloneDatabase } from "../support/postgres.ts";

/** Webhooks that are lost: Stripe keeps its events for 30 days, and they are asked for. */
let server: SandboxUnderTest;
let clone: Awaited<ReturnType<typeof cloneDatabase>>;
let db: Database;
beforeAll(async () => {
  server = await sandboxUnderTest();
  clone = await cloneDatabase();
  db = openDatabase({ url: clone.appUrl, poolSize: 2 });
});
afterAll(async () => {
  await db.close();
  await clone.drop();
  await server.close();
});

async function allTaken(rail: ReturnType<typeof stripeRail>): Promise<{ missed: number; pages: number }> {
  let [missed, pages] = [0, 0];
  for (let hasMore = true; hasMore; pages += 1) {
    const page = await takeInMissedEvents({ db, rail });
    missed += page.missed;
    hasMore = page.hasMore;
  }
  return { missed, pages };
}

test("of 120 payments whose webhooks came for every third, the other 80 are taken in, once, over several pages", async () => {
  const { stripe, apiKey } = accountOf(server.sandbox.url);
  const rail = stripeRail(createStripe({ apiKey, apiBase: server.sandbox.url }), memoryOperationLog());
  const pay = () =>
    stripe.paymentIntents.create({
      amount: 700,
      currency: "usd",
      payment_method: "pm_card_visa",
      confirm: true,
    });
  for (let count = 0; count < 120; count += 1) await pay();
  const { data } = await stripe.events.list({ type: "payment_intent.succeeded", limit: 100 });
  const more = await stripe.events.list({
    type: "payment_intent.succeeded",
    limit: 100,
    starting_after: data.at(-1)?.id ?? "",
  });
  const succeeded = [...data, ...more.data];
  expect(succeeded).toHaveLength(120);
  for (const { id, type, api_version: apiVersion } of succeeded.filter((_event, n) => n % 3 === 0)) {
    await receiveWebhook(db.orm, { eventId: id, type, apiVersion, body: "{}" });
  }
  // What is about nothing that follows, such as payment_intent.created, is not even asked for.
  expect(await allTaken(rail)).toEqual({ missed: 80, pages: 2 });
  expect(await allTaken(rail)).toMatchObject({ missed: 0 });
  await pay();
  expect(await allTaken(rail)).toMatchObject({ missed: 1 });
  const [kept] = await db.sql<{ known: number }[]>`select count(*)::int as known from stripe.webhook_inbox`;
  expect(kept?.known).toBe(121);
});

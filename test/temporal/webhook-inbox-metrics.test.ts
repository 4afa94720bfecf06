import { Gauge, Registry } from "prom-client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { postponeWebhook, receiveWebhook } from "../../src/db/billing/webhook-inbox.ts";
import { type Database, openDatabase } from "../../src/db/database.ts";
import { createLogger } from "../../src/logger.ts";
import { measureWebhookInbox } from "../../src/workers/webhook-inbox-metrics.ts";
import { cloneDatabase, type TestDatabase } from "../support/postgres.ts";

let database: TestDatabase;
let db: Database;
const metrics = new Registry();
beforeAll(async () => {
  database = await cloneDatabase();
  db = openDatabase({ url: database.appUrl, poolSize: 2 });
  measureWebhookInbox(db, createLogger({ level: "silent", format: "json" }, "test"), metrics);
});
afterAll(async () => {
  await db.close();
  await database.drop();
});

async function scrape(registry = metrics): Promise<Record<string, number>> {
  const text = await registry.metrics();
  const samples = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return Object.fromEntries(samples.map((line) => [line.split(" ")[0], Number(line.split(" ")[1])]));
}

test("each scrape says how many webhooks wait, how long the oldest has, and how many are parked", async () => {
  expect(await scrape()).toEqual({
    reckoner_webhooks_waiting: 0,
    reckoner_webhooks_parked: 0,
    reckoner_webhooks_oldest_waiting_seconds: 0,
  });
  for (const eventId of ["evt_1", "evt_2", "evt_3"]) {
    await receiveWebhook(db.orm, { eventId, type: "invoice.paid", apiVersion: null, body: "{}" });
  }
  await postponeWebhook(db.orm, "evt_1", 10, "nobody knows this invoice");
  await postponeWebhook(db.orm, "evt_2", 1, "not yet");
  const scraped = await scrape();
  expect(scraped).toMatchObject({ reckoner_webhooks_waiting: 2, reckoner_webhooks_parked: 1 });
  expect(scraped.reckoner_webhooks_oldest_waiting_seconds).toBeGreaterThan(0);
  expect(scraped.reckoner_webhooks_oldest_waiting_seconds).toBeLessThan(60);
});

test("a database that is away is no reason to answer nothing: only these are missing", async () => {
  const away = openDatabase({ url: database.appUrl, poolSize: 1 });
  await away.close();
  const registry = new Registry();
  measureWebhookInbox(away, createLogger({ level: "silent", format: "json" }, "test"), registry);
  new Gauge({ name: "other", help: "another", registers: [registry] }).set(1);
  expect(await scrape(registry)).toEqual({ other: 1 });
});

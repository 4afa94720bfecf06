import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { ActivityDependencies } from "../../src/activities/dependencies.ts";
import type { StripeConfig } from "../../src/config.ts";
import { setStripeCustomer } from "../../src/db/billing/customer-payment.ts";
import { operationLog } from "../../src/db/billing/stripe-operations.ts";
import { inTransaction } from "../../src/db/database.ts";
import { agrees, compareMeters } from "../../src/db/invariants/stripe-meters.ts";
import { bookCorrection } from "../../src/db/usage/corrections.ts";
import { instant } from "../../src/domain/calendar/index.ts";
import { nextReports, type Reported } from "../../src/domain/metering/index.ts";
import { decimal } from "../../src/domain/money/index.ts";
import { createStripe, stripeRail } from "../../src/stripe/index.ts";
import { syncMeters } from "../../src/workers/meter-sync.ts";
import { applied } from "../../src/workers/webhook-inbox.ts";
import { addCustomer, foldAll, ingest, openUsage, usageEvent } from "../db/usage-fixture.ts";
import { webhookReceiver } from "../stripe/support/receiver.ts";
import { accountOf, type SandboxUnderTest, sandboxUnderTest } from "../stripe/support/sandbox.ts";
import { untilDone } from "../support/until-done.ts";

/** Usage pushed to Stripe's meters: tokens of requests, and how many there were. At noon of the 20th of January 2026. */
const noon = instant("2026-01-20T12:00:00Z");
const hourMs = 3_600_000;
const period = { start: instant("2026-01-01T00:00:00Z"), end: instant("2026-02-01T00:00:00Z") };
const named = [
  { key: "tokens", version: 1, eventName: "tokens" },
  { key: "requests", version: 1, eventName: "requests" },
];

let fixture: Awaited<ReturnType<typeof openUsage>>;
let server: SandboxUnderTest;
beforeAll(async () => {
  fixture = await openUsage();
  server = await sandboxUnderTest();
});
afterAll(async () => {
  await server.close();
  await fixture.close();
});

let customers = 0;
let customerId: string;
let account: ReturnType<typeof accountOf>;
let deps: ActivityDependencies;
let now = noon;
beforeEach(async () => {
  // A new account knows nobody of the tests before.
  await fixture.db.sql`update billing.customer set stripe_customer_id = null`;
  customers += 1;
  customerId = `customer-${customers}`;
  now = noon;
  account = accountOf(server.sandbox.url);
  await account.control("clock", { now: noon / 1000 });
  const open = (key: string) => createStripe({ apiKey: key, apiBase: server.sandbox.url });
  const rail = stripeRail(open(account.apiKey), operationLog(fixture.db), { by: "invoice" }, open);
  deps = { db: fixture.db, rail, gateway: {}, now: () => now } as ActivityDependencies;
  for (const { eventName } of named) {
    const meter = { display_name: eventName, event_name: eventName };
    await account.stripe.billing.meters.create({ ...meter, default_aggregation: { formula: "sum" } });
  }
  await addCustomer(fixture.db, customerId);
  await setStripeCustomer(fixture.db.orm, customerId, (await account.stripe.customers.create()).id);
});

let events = 0;
async function use(tokens: number, hoursAgo: number): Promise<string> {
  events += 1;
  const id = `event-${events}`;
  const time = instant(new Date(now - hoursAgo * hourMs).toISOString());
  await ingest(fixture.db, [
    usageEvent({ id, customerId, time, data: { model: "large", class: "input", tokens } }),
  ]);
  await foldAll(fixture.db);
  return id;
}

async function takeBack(eventId: string): Promise<void> {
  await fixture.db.sql`
    select usage.request_correction(${`void-${eventId}`}, 'void', null, 'duplicate', null, 'alice', now(), 100,
      array[seq], array[time], array[null::json]) from usage.event where id = ${eventId}`;
  await inTransaction(fixture.db, (tx) => bookCorrection(tx, `void-${eventId}`, now, [], []));
  await foldAll(fixture.db);
}

const sync = (by: StripeConfig["meters"]["by"] = "event") =>
  untilDone(() => syncMeters(deps, { of: named, by }));

async function compared() {
  const { items } = await compareMeters(
    fixture.db.orm,
    deps.rail.meters,
    { period, customerId },
    { limit: 10 },
  );
  return items.map(
    (each) => `${each.eventName}: ${each.counted}, ${each.told}, ${each.atStripe}, ${agrees(each)}`,
  );
}

describe.each(["event", "stream"] as const)("by %s", (by) => {
  test("each hour that has ended is told once, and what Stripe has counted is what we did", async () => {
    await use(10, 3);
    await use(15, 3);
    await use(7, 30);
    await use(1_000, 0);
    expect(await sync(by)).toEqual({ pushed: 4, unfit: [] });
    expect(await sync(by)).toMatchObject({ pushed: 0 });
    // 10 + 15 + 7; the hour that is under way is counted here, and told when it has ended.
    expect(await compared()).toEqual(["requests: 4, 3, 3, false", "tokens: 1032, 32, 32, false"]);
    now = instant("2026-01-20T13:05:00Z");
    await account.control("clock", { now: now / 1000 });
    await sync(by);
    expect(await compared()).toEqual(["requests: 4, 4, 4, true", "tokens: 1032, 1032, 1032, true"]);
  });

  test("late usage is told as what an hour has grown by", async () => {
    await use(10, 3);
    await sync(by);
    await use(5, 3);
    expect(await sync(by)).toMatchObject({ pushed: 2 });
    expect(await compared()).toEqual(["requests: 2, 2, 2, true", "tokens: 15, 15, 15, true"]);
  });

  test("usage that is voided within a day is taken back at Stripe, later made good by a negative event", async () => {
    const first = await use(10, 3);
    const second = await use(5, 2);
    await sync(by);
    await takeBack(first);
    await sync(by);
    expect(await compared()).toEqual(["requests: 1, 1, 1, true", "tokens: 5, 5, 5, true"]);
    now = instant("2026-01-21T13:00:00Z");
    await account.control("clock", { now: now / 1000 });
    await takeBack(second);
    await sync(by);
    expect(await compared()).toEqual(["requests: 0, 0, 0, true", "tokens: 0, 0, 0, true"]);
    const kinds = await fixture.db.sql`
      select kind, value::text from stripe.meter_push join catalog.meter on number = meter
      where customer_id = ${customerId} and key = 'tokens' and (kind = 'cancel' or value < 0) order by 1`;
    expect(kinds).toEqual([
      { kind: "cancel", value: "-10" },
      { kind: "usage", value: "-5" },
    ]);
  });

  test("an answer that was lost is no second event", async () => {
    await use(10, 3);
    const path = by === "event" ? "/v1/billing/meter_events" : "/v2/billing/meter_event_stream";
    await account.control("faults", { action: "reset_after", match: path, times: 2 });
    // What is not known is left until its claim has ended.
    await sync(by);
    await fixture.db.sql`update stripe.meter_push set next_attempt_at = now() where state = 'planned'`;
    await sync(by);
    expect(await compared()).toEqual(["requests: 1, 1, 1, true", "tokens: 10, 10, 10, true"]);
  });
});

test("usage that Stripe takes no more is not sent, and shows as a difference", async () => {
  await use(10, 18 * 24);
  now = instant("2026-02-10T12:00:00Z");
  await account.control("clock", { now: now / 1000 });
  await use(3, 24 * 12);
  await sync();
  expect(await compared()).toEqual(["requests: 2, 1, 1, false", "tokens: 13, 3, 3, false"]);
});

test("a meter that does not add up, or that Stripe does not have, is left out and named", async () => {
  await use(10, 3);
  const of = [
    { key: "longest", version: 1, eventName: "requests" },
    { key: "tokens", version: 1, eventName: "words" },
    { key: "tokens", version: 2, eventName: "tokens" },
  ];
  const { pushed, unfit } = await syncMeters(deps, { of, by: "event" });
  expect(pushed).toBe(0);
  expect(unfit.map((why) => why.slice(0, 30))).toEqual([
    "meter longest@1 is a max, whic",
    "Stripe has no active meter of ",
    "meter tokens@2 is not in the c",
  ]);
});

test("what Stripe took and did not count is noted, and told anew after a day", async () => {
  const receiver = await webhookReceiver();
  await account.stripe.v2.core.eventDestinations.create({
    name: "meters",
    type: "webhook_endpoint",
    event_payload: "thin",
    enabled_events: ["v1.billing.meter.error_report_triggered"],
    webhook_endpoint: { url: receiver.url },
  });
  const [known] = await fixture.db.sql<{ id: string }[]>`
    select stripe_customer_id as id from billing.customer where id = ${customerId}`;
  await setStripeCustomer(fixture.db.orm, customerId, `cus_gone_${customers}`);
  await use(10, 3);
  await sync("stream");
  await expect.poll(() => receiver.received.length).toBe(2);
  for (const { rawBody } of receiver.received) {
    const { id, type } = JSON.parse(rawBody);
    expect(await applied(deps, { event_id: id, type, body: rawBody })).toBe("done");
    expect(await applied(deps, { event_id: id, type, body: rawBody }), "twice").toBe("done");
  }
  await receiver.close();
  const noted = await fixture.db.sql`select code, errors from stripe.meter_error`;
  expect(noted).toEqual(Array(2).fill({ code: "meter_event_customer_not_found", errors: 1 }));
  await setStripeCustomer(fixture.db.orm, customerId, known?.id ?? "");
  expect(await sync("stream"), "not at once").toMatchObject({ pushed: 0 });
  now = instant("2026-01-21T13:00:00Z");
  await account.control("clock", { now: now / 1000 });
  await sync("stream");
  expect(await compared()).toEqual(["requests: 1, 1, 1, true", "tokens: 10, 10, 10, true"]);
});

describe("what is told of an hour", () => {
  const reported = (revision: number, value: string, more: Partial<Reported> = {}): Reported => ({
    revision,
    kind: "usage",
    value: decimal(value),
    cancels: null,
    state: "sent",
    sentAt: instant(new Date(noon - hourMs).toISOString()),
    ...more,
  });
  const old = { sentAt: instant(new Date(noon - 24 * hourMs).toISOString()) };
  const canceled = (revision: number, cancels: number, value: string) =>
    reported(revision, value, { kind: "cancel", cancels });

  test.each([
    { what: "nothing was told", quantity: "7", told: [], next: ["usage 7"] },
    { what: "it is told", quantity: "7", told: [reported(1, "7")], next: [] },
    { what: "it has grown", quantity: "9.5", told: [reported(1, "7")], next: ["usage 2.5"] },
    { what: "it has shrunk", quantity: "4", told: [reported(1, "7")], next: ["cancel 1 -7", "usage 4"] },
    {
      what: "the newest is enough",
      quantity: "7",
      told: [reported(1, "7"), reported(2, "2")],
      next: ["cancel 2 -2"],
    },
    { what: "it is too late to take back", quantity: "4", told: [reported(1, "7", old)], next: ["usage -3"] },
    {
      what: "it is on its way",
      quantity: "4",
      told: [reported(1, "7", { state: "planned", sentAt: null })],
      next: ["usage -3"],
    },
    {
      what: "it was taken back before",
      quantity: "0",
      told: [reported(1, "7"), canceled(2, 1, "-7"), reported(3, "4")],
      next: ["cancel 3 -4"],
    },
    {
      what: "it was refused",
      quantity: "7",
      told: [reported(1, "7", { state: "refused" })],
      next: ["usage 7"],
    },
    { what: "all of it is gone", quantity: "0", told: [reported(1, "7", old)], next: ["usage -7"] },
  ])("$what", ({ quantity, told, next }) => {
    const reports = nextReports(decimal(quantity), told, noon);
    expect(
      reports.map(({ kind, cancels, value }) =>
        [kind, cancels, value.text].filter((each) => each !== null).join(" "),
      ),
    ).toEqual(next);
    const revisions = reports.map(({ revision }) => revision);
    expect(revisions).toEqual(revisions.map((_, place) => told.length + place + 1));
  });
});

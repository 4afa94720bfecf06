import { Stripe } from "stripe";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { webhookReceiver } from "./support/receiver.ts";
import { accountOf, refusalOf, type SandboxUnderTest, sandboxUnderTest } from "./support/sandbox.ts";

/** Stripe's meters as the stand-in has them. The account's clock stands at noon of the 15th of May 2026. */
const noon = Date.parse("2026-05-15T12:00:00Z") / 1000;
const [minute, hour, day] = [60, 3_600, 86_400];
const streamed = process.env.NIGHTLY === undefined ? 10_000 : 1_000_000;

let server: SandboxUnderTest;
beforeAll(async () => {
  server = await sandboxUnderTest();
});
afterAll(() => server.close());

let account: ReturnType<typeof accountOf>;
let meter: Stripe.Billing.Meter;
let customer: string;
beforeEach(async () => {
  account = accountOf(server.sandbox.url);
  await account.control("clock", { now: noon });
  const { stripe } = account;
  meter = await stripe.billing.meters.create({
    display_name: "Tokens",
    event_name: "tokens",
    default_aggregation: { formula: "sum" },
  });
  customer = (await stripe.customers.create({ name: "Ada" })).id;
});

const send = (value: string, more: { identifier?: string; timestamp?: number; event_name?: string } = {}) =>
  account.stripe.billing.meterEvents.create({
    event_name: "tokens",
    payload: { stripe_customer_id: customer, value },
    ...more,
  });

async function counted(since = noon - 40 * day, until = noon + day): Promise<number> {
  const times = { start_time: since - (since % day), end_time: until - (until % day) };
  const { data } = await account.stripe.billing.meters.listEventSummaries(meter.id, { customer, ...times });
  return data[0]?.aggregated_value ?? 0;
}

describe("events of the first version", () => {
  test("are added up exactly, by the hour and by the day", async () => {
    await send("0.1", { timestamp: noon - day });
    await send("0.2", { timestamp: noon - day + hour });
    await send("-0.05", { timestamp: noon - day + hour + minute });
    expect(await counted()).toBe(0.25);
    const range = { customer, start_time: noon - 2 * day, end_time: noon };
    const hourly = { ...range, value_grouping_window: "hour" } as const;
    const { data } = await account.stripe.billing.meters.listEventSummaries(meter.id, hourly);
    expect(data.map((each) => [each.start_time - noon, each.aggregated_value])).toEqual([
      [hour - day, 0.15],
      [-day, 0.1],
    ]);
  });

  test.each([
    { why: "36 days old", more: { timestamp: noon - 36 * day }, code: "timestamp_too_far_in_past" },
    { why: "6 minutes ahead", more: { timestamp: noon + 6 * minute }, code: "timestamp_in_future" },
    { why: "of no meter", more: { event_name: "words" }, code: "no_meter" },
  ])("$why are refused", async ({ more, code }) => {
    expect(await refusalOf(send("1", more))).toMatchObject({ statusCode: 400, code });
    await send("1", { timestamp: noon - 34 * day });
    await send("1", { timestamp: noon + 4 * minute });
    expect(await counted()).toBe(2);
  });

  test.each(["one", "1e3", "1.0000000000001", "1234567890123456"])(
    "a value of %s is refused",
    async (value) => {
      expect(await refusalOf(send(value))).toMatchObject({ statusCode: 400 });
    },
  );

  test("an identifier is taken for a day, and then no more", async () => {
    await send("1", { identifier: "one" });
    expect(await refusalOf(send("1", { identifier: "one" }))).toMatchObject({
      code: "duplicate_meter_event",
    });
    expect(await counted()).toBe(1);
    await account.control("clock", { now: noon + day });
    await send("1", { identifier: "one", timestamp: noon });
    expect(await counted(noon - day, noon + 2 * day)).toBe(2);
  });

  test("are canceled by their identifier within a day, once", async () => {
    await send("5", { identifier: "five" });
    const cancel = () =>
      account.stripe.billing.meterEventAdjustments.create({
        event_name: "tokens",
        type: "cancel",
        cancel: { identifier: "five" },
      });
    await cancel();
    await cancel();
    expect(await counted()).toBe(0);
    await account.control("clock", { now: noon + day });
    expect(await refusalOf(cancel())).toMatchObject({ code: "out_of_window" });
  });

  test("of a meter that is not in use are refused until it is again", async () => {
    await account.stripe.billing.meters.deactivate(meter.id);
    expect(await refusalOf(send("1"))).toMatchObject({ code: "archived_meter" });
    await account.stripe.billing.meters.reactivate(meter.id);
    await send("1");
    expect(await counted()).toBe(1);
  });
});

/** The SDK with what opens the stream. */
async function session(): Promise<Stripe> {
  const { authentication_token } = await account.stripe.v2.billing.meterEventSession.create();
  const address = { host: "127.0.0.1", port: server.sandbox.port, protocol: "http" } as const;
  return new Stripe(authentication_token, { ...address, maxNetworkRetries: 0 });
}

const batch = (from: number, count = 100) =>
  Array.from({ length: count }, (_, number) => ({
    event_name: "tokens",
    identifier: `event-${from + number}`,
    payload: { stripe_customer_id: customer, value: "1" },
    timestamp: new Date((noon - hour) * 1000).toISOString(),
  }));

describe("the stream", () => {
  test(`counts ${streamed} events exactly, whatever is sent twice`, { timeout: 600_000 }, async () => {
    const { v2 } = await session();
    for (let from = 0; from < streamed; from += 100) {
      await v2.billing.meterEventStream.create({ events: batch(from) });
      if (from % 1_000 === 0) await v2.billing.meterEventStream.create({ events: batch(from) });
    }
    expect(await counted()).toBe(streamed);
  });

  test("is closed after a quarter of an hour, to no session, and to an API key", async () => {
    const open = await session();
    const now = (seconds: number) => account.control("clock", { now: noon + seconds });
    await now(15 * minute - 1);
    await open.v2.billing.meterEventStream.create({ events: batch(0, 1) });
    await now(15 * minute);
    const refused = await refusalOf(open.v2.billing.meterEventStream.create({ events: batch(1, 1) }));
    expect(refused).toBeInstanceOf(Stripe.errors.TemporarySessionExpiredError);
    const again = await session();
    await again.v2.billing.meterEventStream.create({ events: batch(1, 1) });
    const byKey = account.stripe.v2.billing.meterEventStream.create({ events: batch(2, 1) });
    expect(await refusalOf(byKey)).toMatchObject({ statusCode: 401 });
    expect(await counted()).toBe(2);
  });

  test("takes a hundred at once, and no more", async () => {
    const { v2 } = await session();
    const refused = await refusalOf(v2.billing.meterEventStream.create({ events: batch(0, 101) }));
    expect(refused).toMatchObject({ statusCode: 400, code: "invalid_fields" });
  });

  test("tells by a thin event what it took and did not count", async () => {
    const receiver = await webhookReceiver();
    const { stripe } = account;
    await stripe.v2.core.eventDestinations.create({
      name: "meters",
      type: "webhook_endpoint",
      event_payload: "thin",
      enabled_events: ["v1.billing.meter.error_report_triggered"],
      webhook_endpoint: { url: receiver.url },
    });
    const { v2 } = await session();
    const [bad, good] = [
      { stripe_customer_id: "cus_nobody", value: "1" },
      { stripe_customer_id: customer, value: "3" },
    ];
    await v2.billing.meterEventStream.create({
      events: [
        { event_name: "tokens", identifier: "bad", payload: bad },
        { event_name: "tokens", identifier: "good", payload: good },
      ],
    });
    await expect.poll(() => receiver.received.length).toBe(1);
    const notification = JSON.parse(receiver.received[0]?.rawBody ?? "{}");
    expect(notification).toMatchObject({ object: "v2.core.event", related_object: { id: meter.id } });
    expect(notification).not.toHaveProperty("data");
    const event = await stripe.v2.core.events.retrieve(notification.id);
    expect(event).toMatchObject({
      data: {
        reason: {
          error_count: 1,
          error_types: [
            { code: "meter_event_customer_not_found", sample_errors: [{ request: { identifier: "bad" } }] },
          ],
        },
      },
    });
    expect(await counted()).toBe(3);
    await receiver.close();
  });
});

test("a destination is sent thin events of what endpoints get snapshots of, signed with its own secret", async () => {
  const [thin, snapshots] = [await webhookReceiver(), await webhookReceiver()];
  const { stripe } = account;
  const destination = await stripe.v2.core.eventDestinations.create({
    name: "ours",
    type: "webhook_endpoint",
    event_payload: "thin",
    enabled_events: ["v1.customer.updated"],
    webhook_endpoint: { url: thin.url },
    include: ["webhook_endpoint.signing_secret"],
  });
  await stripe.webhookEndpoints.create({ url: snapshots.url, enabled_events: ["customer.updated"] });
  await stripe.customers.update(customer, { name: "Ada L." });
  await expect.poll(() => [thin.received.length, snapshots.received.length]).toEqual([1, 1]);
  const [post] = thin.received;
  const notification = stripe.parseEventNotification(
    post?.rawBody ?? "",
    String(post?.headers["stripe-signature"]),
    destination.webhook_endpoint?.signing_secret ?? "",
  );
  expect(notification).toMatchObject({
    type: "v1.customer.updated",
    related_object: { id: customer, type: "customer", url: `/v1/customers/${customer}` },
    snapshot_event: JSON.parse(snapshots.received[0]?.rawBody ?? "{}").id,
  });
  expect((await stripe.webhookEndpoints.list()).data).toHaveLength(1);
  await Promise.all([thin.close(), snapshots.close()]);
});

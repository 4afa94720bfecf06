import { Stripe } from "stripe";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { webhookReceiver } from "../../src/api/webhook-receiver.ts";
import { type Database, openDatabase } from "../../src/db/database.ts";
import { type RunningApi, startApi } from "./support/running-api.ts";

const secrets = ["whsec_new_secret", "whsec_old_secret"];
let api: RunningApi;
let inbox: Database;

beforeAll(async () => {
  api = await startApi({
    receiveWebhook: (webhook) => webhookReceiver(inbox, { secrets, isLive: false })(webhook),
  });
  inbox = openDatabase({ url: api.ownerUrl, poolSize: 2 });
});
afterAll(async () => {
  await inbox.close();
  await api.stop();
});

/** Written as no serializer of ours would: a body that was parsed and written again would not fit its signature. */
const bodyOf = (id: string, livemode = false, type = "invoice.paid") =>
  `{ "id" : "${id}", "object":"event","type":"${type}","api_version":"2026-01-01","created":1767225600,\n` +
  ` "livemode": ${livemode}, "data":{"object":{"id":"in_1","object":"invoice", "amount": 1.0}}, "note": "\\u00e9 é" }\n`;

const send = (body: string, signature: string | undefined) =>
  api.call("POST", "/v1/webhooks/stripe", body, {
    key: null,
    idempotencyKey: null,
    headers: {
      "content-type": "application/json",
      ...(signature === undefined ? {} : { "stripe-signature": signature }),
    },
  });

const signed = (payload: string, secret = secrets[0] ?? "", timestamp = Math.floor(Date.now() / 1000)) =>
  Stripe.webhooks.generateTestHeaderString({ payload, secret, timestamp });

const stored = (id: string) => inbox.sql`select body, state from stripe.webhook_inbox where event_id = ${id}`;

describe("a webhook of Stripe's", () => {
  test.each([
    { id: "evt_new", secret: secrets[0] },
    { id: "evt_old", secret: secrets[1] },
  ])("signed with $secret is kept as the bytes that came, and answered", async ({ id, secret }) => {
    const answer = await send(bodyOf(id), signed(bodyOf(id), secret));
    expect([answer.status, answer.body]).toEqual([200, { received: true }]);
    expect(await stored(id)).toMatchObject([{ body: bodyOf(id), state: "waiting" }]);
  });

  test.each([
    { type: "payout.paid", state: "waiting", why: "is applied" },
    { type: "invoice.finalized", state: "ignored", why: "is about what we did ourselves" },
    { type: "customer.created", state: "ignored", why: "is nothing that something follows from" },
  ])("of $type $why: it is kept as $state", async ({ type, state }) => {
    const id = `evt_${type}`;
    const body = bodyOf(id, false, type);
    expect((await send(body, signed(body))).status).toBe(200);
    const [kept] = await inbox.sql`
      select body, state, finished_at is null as goes_on from stripe.webhook_inbox where event_id = ${id}`;
    expect(kept).toEqual({ body, state, goes_on: state === "waiting" });
  });

  test.each([
    { type: "v1.payout.paid", state: "waiting" },
    { type: "v1.billing.meter.error_report_triggered", state: "waiting" },
    { type: "v1.customer.created", state: "ignored" },
  ])("that is thin, of $type, is verified as snapshots are, and kept as $state", async ({ type, state }) => {
    const related = { id: "po_1", type: "payout", url: "/v1/payouts/po_1" };
    const thin = {
      id: `evt_${type}`,
      object: "v2.core.event",
      type,
      livemode: false,
      related_object: related,
    };
    const body = JSON.stringify({ ...thin, created: "2026-01-01T00:00:00.000Z" });
    expect((await send(body, signed(body, "whsec_of_somebody_else"))).status).toBe(400);
    expect((await send(body, signed(body))).status).toBe(200);
    expect(await stored(thin.id)).toMatchObject([{ body, state }]);
  });

  test("that comes 10 times at once is kept once, and answered each time", async () => {
    const body = bodyOf("evt_many");
    const answers = await Promise.all(Array.from({ length: 10 }, () => send(body, signed(body))));
    expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(200));
    expect(await stored("evt_many")).toHaveLength(1);
  });

  test.each([
    { why: "no signature", id: "evt_1", signature: () => undefined },
    { why: "another secret", id: "evt_2", signature: (body: string) => signed(body, "whsec_stranger") },
    {
      why: "301 seconds old",
      id: "evt_3",
      signature: (body: string) => signed(body, secrets[0], Date.now() / 1000 - 301),
    },
    { why: "an altered byte", id: "evt_4", signature: (body: string) => signed(body.replace("1.0", "1.1")) },
    {
      why: "re-serialised",
      id: "evt_5",
      signature: (body: string) => signed(JSON.stringify(JSON.parse(body))),
    },
  ])("with $why is refused, and nothing is kept", async ({ id, signature }) => {
    const answer = await send(bodyOf(id), signature(bodyOf(id)));
    expect([answer.status, answer.body.code]).toEqual([400, "webhook_signature_invalid"]);
    expect(await stored(id)).toEqual([]);
  });

  test("of the other mode is refused", async () => {
    const body = bodyOf("evt_live", true);
    const answer = await send(body, signed(body));
    expect([answer.status, answer.body.code]).toEqual([400, "webhook_mode_invalid"]);
    expect(await stored("evt_live")).toEqual([]);
  });

  test("without a body is refused", async () => {
    const answer = await send("", signed(""));
    expect(answer.status).toBe(400);
  });
});

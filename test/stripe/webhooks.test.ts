import { Stripe } from "stripe";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { verifyWebhook, webhookSubject } from "../../src/stripe/webhooks.ts";
import { type ReceivedPost, type WebhookReceiver, webhookReceiver } from "./support/receiver.ts";
import { accountOf, type SandboxUnderTest, sandboxUnderTest } from "./support/sandbox.ts";

let server: SandboxUnderTest;
beforeAll(async () => {
  server = await sandboxUnderTest();
});
afterAll(() => server.close());

let account: ReturnType<typeof accountOf>;
let stripe: Stripe;
let receiver: WebhookReceiver;
let endpoint: Stripe.WebhookEndpoint;
beforeEach(async () => {
  account = accountOf(server.sandbox.url);
  stripe = account.stripe;
  receiver = await webhookReceiver();
  endpoint = await stripe.webhookEndpoints.create({ url: receiver.url, enabled_events: ["*"] });
});
afterEach(() => receiver.close());

const secret = () => endpoint.secret ?? "";
const signatureOf = (post: ReceivedPost) => String(post.headers["stripe-signature"]);
const arrived = async (count: number) => {
  await expect.poll(() => receiver.received.length, { timeout: 3000 }).toBe(count);
  return receiver.received;
};

describe("deliveries", () => {
  test("carry the event, signed, in the SDK's version", async () => {
    const customer = await stripe.customers.create({ name: "Ada" }, { idempotencyKey: "ada" });
    const [post] = await arrived(1);
    if (!post) throw new Error("nothing came");
    const event = stripe.webhooks.constructEvent(post.rawBody, signatureOf(post), secret());
    expect(event).toMatchObject({
      type: "customer.created",
      api_version: "2026-10-28.endive",
      pending_webhooks: 1,
      data: { object: { id: customer.id, name: "Ada" } },
      request: { idempotency_key: "ada" },
    });
    expect(await stripe.events.retrieve(event.id)).toMatchObject({ id: event.id, type: "customer.created" });
  });

  test("say what an update changed", async () => {
    const { id } = await stripe.customers.create({ name: "Ada" });
    await stripe.customers.update(id, { name: "Grace" });
    await arrived(2);
    const { data } = await stripe.events.list({ type: "customer.updated" });
    expect(data[0]?.data.previous_attributes).toEqual({ name: "Ada" });
  });

  test("are tried again until the answer is 2xx; a redirect is not", async () => {
    receiver.answerNextWith(500, 302, 200);
    await stripe.customers.create();
    const posts = await arrived(3);
    expect(new Set(posts.map(({ rawBody }) => JSON.parse(rawBody).id)).size).toBe(1);
    await expect.poll(deliveryStates).toEqual([{ state: "delivered", attempts: 3 }]);
  });

  test("end as failed when nobody ever takes them, and can be sent again", async () => {
    receiver.answerNextWith(500, 500, 500, 500);
    await stripe.customers.create();
    await expect.poll(deliveryStates, { timeout: 3000 }).toEqual([{ state: "failed", attempts: 4 }]);
    const [event] = (await stripe.events.list({ delivery_success: false })).data;
    await account.control("deliveries/resend", { event: event?.id });
    await arrived(5);
  });

  test("go only where they are wanted", async () => {
    await stripe.webhookEndpoints.update(endpoint.id, { enabled_events: ["customer.deleted"] });
    const { id } = await stripe.customers.create();
    await stripe.customers.del(id);
    await arrived(1);
    expect(receiver.types()).toEqual(["customer.deleted"]);
    await stripe.webhookEndpoints.update(endpoint.id, { disabled: true });
    await stripe.customers.create();
    expect((await account.control<{ deliveries: unknown[] }>("deliveries")).deliveries).toHaveLength(1);
  });

  async function deliveryStates() {
    type Delivery = { state: string; attempts: number };
    const { deliveries } = await account.control<{ deliveries: Delivery[] }>("deliveries");
    return deliveries.map(({ state, attempts }) => ({ state, attempts }));
  }
});

describe("delivery faults", () => {
  const arm = (action: string, more = {}) =>
    account.control("faults", { action, match: "customer.created", ...more });

  test("a duplicate is the same event twice", async () => {
    await arm("duplicate");
    await stripe.customers.create();
    const posts = await arrived(2);
    expect(posts[0]?.rawBody).toBe(posts[1]?.rawBody);
  });

  test("a dropped event is never delivered, but listed", async () => {
    await arm("drop");
    const { id } = await stripe.customers.create();
    await stripe.customers.update(id, { name: "Ada" });
    await arrived(1);
    expect(receiver.types()).toEqual(["customer.updated"]);
    const { data } = await stripe.events.list();
    expect(data.map(({ type }) => type)).toEqual(["customer.updated", "customer.created"]);
  });

  test("a reordered event arrives after the one that followed it", async () => {
    await arm("reorder");
    const { id } = await stripe.customers.create();
    await stripe.customers.update(id, { name: "Ada" });
    await arrived(2);
    expect(receiver.types()).toEqual(["customer.updated", "customer.created"]);
  });

  test("a bad signature is refused, and the fault names the event it fired for", async () => {
    await arm("bad_signature");
    await stripe.customers.create();
    const [post] = await arrived(1);
    if (!post) throw new Error("nothing came");
    const received = { rawBody: post.rawBody, signatureHeader: signatureOf(post), toleranceSeconds: 300 };
    expect(() => verifyWebhook({ ...received, secrets: [secret()] })).toThrow("not signed");
    const { faults } = await account.control<{ faults: { firedFor: string[] }[] }>("faults");
    expect(faults[0]?.firedFor).toEqual([JSON.parse(post.rawBody).id]);
  });
});

describe("verification", () => {
  const rawBody = JSON.stringify({
    id: "evt_1",
    object: "event",
    type: "invoice.paid",
    created: 1,
    livemode: false,
    api_version: "2026-10-28.endive",
    data: {
      object: {
        id: "in_1",
        object: "invoice",
        metadata: { reckoner_invoice: "inv_1", reckoner_workflow: "w" },
      },
    },
  });
  const now = () => Math.floor(Date.now() / 1000);
  const signed = (timestamp: number, by = "whsec_ours") =>
    Stripe.webhooks.generateTestHeaderString({ payload: rawBody, secret: by, timestamp });
  const verify = (signatureHeader: string, more = {}) =>
    verifyWebhook({ rawBody, signatureHeader, secrets: ["whsec_ours"], toleranceSeconds: 300, ...more });

  test("a good signature gives the event's outline", () => {
    expect(verify(signed(now()))).toEqual({
      id: "evt_1",
      type: "invoice.paid",
      apiVersion: "2026-10-28.endive",
      livemode: false,
      objectId: "in_1",
      objectType: "invoice",
      created: 1,
      rawBody,
    });
  });

  test.each([
    { why: "301 seconds old", header: () => signed(now() - 301), more: {} },
    { why: "another secret", header: () => signed(now(), "whsec_theirs"), more: {} },
    {
      why: "one byte altered",
      header: () => signed(now()),
      more: { rawBody: rawBody.replace("in_1", "in_2") },
    },
    { why: "no header", header: () => "", more: {} },
    { why: "a blank secret is no secret", header: () => signed(now()), more: { secrets: [" "] } },
    {
      why: "a tolerance of 0 is not endless",
      header: () => signed(now() - 9999),
      more: { toleranceSeconds: 0 },
    },
  ])("$why is refused", ({ header, more }) => {
    expect(() => verify(header(), more)).toThrow(
      expect.objectContaining({ code: "webhook_signature_invalid" }),
    );
  });

  test("both secrets are accepted while they roll", async () => {
    const old = secret();
    const { secret: fresh } = await account.control<{ secret: string }>("webhook_endpoints/roll", {
      webhook_endpoint: endpoint.id,
      overlapSeconds: 60,
    });
    await stripe.customers.create();
    const [post] = await arrived(1);
    if (!post) throw new Error("nothing came");
    expect(signatureOf(post).match(/v1=/g)).toHaveLength(2);
    for (const one of [old, fresh]) {
      const received = { rawBody: post.rawBody, signatureHeader: signatureOf(post), toleranceSeconds: 300 };
      expect(verifyWebhook({ ...received, secrets: ["whsec_third", one] }).type).toBe("customer.created");
    }
  });
});

test.each([
  {
    object: {
      object: "invoice",
      id: "in_1",
      metadata: { reckoner_invoice: "inv_1", reckoner_workflow: "w" },
    },
    subject: { kind: "invoice", stripeInvoiceId: "in_1", invoiceId: "inv_1", workflowId: "w" },
  },
  {
    object: { object: "invoice", id: "in_1", metadata: null },
    subject: { kind: "invoice", stripeInvoiceId: "in_1", invoiceId: null, workflowId: null },
  },
  {
    object: { object: "invoice_payment", id: "inpay_1", invoice: "in_1" },
    subject: { kind: "invoice", stripeInvoiceId: "in_1", invoiceId: null, workflowId: null },
  },
  {
    object: { object: "customer", id: "cus_1", metadata: { reckoner_customer: "c" } },
    subject: { kind: "customer", stripeCustomerId: "cus_1", customerId: "c" },
  },
  {
    object: { object: "payment_method", id: "pm_1", customer: "cus_1" },
    subject: { kind: "customer", stripeCustomerId: "cus_1", customerId: null },
  },
  { object: { object: "payment_method", id: "pm_1", customer: null }, subject: { kind: "ignored" } },
  { object: { object: "payout", id: "po_1" }, subject: { kind: "payout", payoutId: "po_1" } },
  { object: { object: "refund", id: "re_1" }, subject: { kind: "refund", stripeRefundId: "re_1" } },
  { object: { object: "dispute", id: "du_1" }, subject: { kind: "dispute", stripeDisputeId: "du_1" } },
  { object: { object: "charge", id: "ch_1" }, subject: { kind: "ignored" } },
])("an event about $object.object $object.id is about $subject.kind", ({ object, subject }) => {
  expect(webhookSubject({ rawBody: JSON.stringify({ data: { object } }) })).toEqual(subject);
});

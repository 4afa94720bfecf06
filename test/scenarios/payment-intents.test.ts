import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { type SystemHere, startSystem } from "../support/system.ts";
import { scenarioCatalog } from "../support/system-catalog.ts";
import { beginStory } from "../support/system-story.ts";
import { bankOf, eventually, expectBooksAgreeWithStripe } from "../support/system-stripe.ts";

/**
 * The stories of how invoices are paid, in a deployment that collects by payment intents: Stripe has no invoices at all. Prices,
 * in cents: solo 3000 in advance; metered 1 a call. Stripe keeps 2.9 % and 30 of each payment.
 */
let system: SystemHere;
beforeAll(async () => {
  const returnUrl = "https://shop.test/thanks";
  system = await startSystem({ collecting: { by: "payment_intent", returnUrl } });
  await system.client.put("/v1/catalog", { body: scenarioCatalog });
});
afterAll(() => system.stop());

afterEach(async () => {
  await expectBooksAgreeWithStripe(system);
  expect((await system.surroundings.account.stripe.invoices.list()).data).toEqual([]);
});

const bank = bankOf(() => system);

interface Request {
  readonly method: string;
  readonly path: string;
  readonly body: string;
}

/** What was asked of Stripe for an invoice, or about its intent. */
async function callsFor(invoiceId: string, intentId: string): Promise<string[]> {
  const { requests } = await system.surroundings.account.control<{ requests: Request[] }>("requests");
  return requests
    .filter(({ path, body }) => path.includes(intentId) || decodeURIComponent(body).includes(invoiceId))
    .map(({ method, path }) => `${method} ${path.replace(intentId, "{intent}")}`);
}

test("an invoice that is paid at once takes one call", async () => {
  const abe = await beginStory(system, { id: "abe", plan: "solo" });
  await abe.until("04-02");
  expect(await abe.sums()).toEqual(["activation: 3000 = 3000, paid"]);
  const [invoice] = await abe.invoices();
  const [payment] = invoice?.payments ?? [];
  const webhooks = async () => {
    const rows = await system.db.sql<{ type: string; state: string }[]>`
      select type, state from stripe.webhook_inbox where body like ${`%${payment?.stripe_payment_intent}%`}
        and type = 'payment_intent.succeeded'`;
    return rows.map(({ state }) => state);
  };
  await eventually(webhooks).toEqual(["done"]);
  // The webhook about it finds it booked, and asks nothing.
  expect(await callsFor(invoice?.id ?? "", payment?.stripe_payment_intent ?? "")).toEqual([
    "POST /v1/payment_intents",
  ]);
});

test("a card that is declined recovers on schedule, on the same intent", async () => {
  const bea = await beginStory(system, { id: "bea", plan: "solo" });
  await bea.until("04-02");
  await bea.declines(bea.paymentMethod, ["insufficient_funds", "insufficient_funds"]);
  await bea.until("05-07");
  expect(await bea.sums()).toEqual(["activation: 3000 = 3000, paid", "cycle: 3000 = 3000, paid"]);
  expect(await bea.attempts(1)).toEqual([
    "first declined 2026-05-01T01:00",
    "schedule declined 2026-05-04T01:00",
    "schedule paid 2026-05-06T01:00",
  ]);
  const [, cycle] = await bea.invoices();
  const intentId = cycle?.payments[0]?.stripe_payment_intent ?? "";
  expect(await callsFor(cycle?.id ?? "", intentId)).toEqual([
    "POST /v1/payment_intents",
    "GET /v1/payment_intents/{intent}",
    "POST /v1/payment_intents/{intent}/confirm",
    "GET /v1/payment_intents/{intent}",
    "POST /v1/payment_intents/{intent}/confirm",
  ]);
  expect(await bea.status()).toBe("active");
});

test("a bank that wants the customer: the notice has the link, and what is confirmed there is paid", async () => {
  const cy = await beginStory(system, { id: "cy", plan: "solo" });
  await cy.until("04-02");
  await cy.declines(cy.paymentMethod, ["require_action", "require_action"]);
  await cy.until("05-02");
  const [, cycle] = await cy.invoices();
  expect(cycle).toMatchObject({ status: "open", dunning: { state: "awaiting_action" } });
  expect(cycle?.hosted_invoice_url).toContain("/authenticate/");
  await fetch(cycle?.hosted_invoice_url ?? "", {
    method: "POST",
    body: "answer=confirm",
    redirect: "manual",
  });
  await eventually(() => cy.status()).toBe("active");
  await cy.until("05-09");
  expect(await cy.sums()).toEqual(["activation: 3000 = 3000, paid", "cycle: 3000 = 3000, paid"]);
});

test("given up and written off, it can still be paid by the link, and is recovered", async () => {
  const dot = await beginStory(system, { id: "dot", plan: "metered" });
  await dot.until("04-21");
  await dot.uses(250, "04-20");
  await dot.declines(
    dot.paymentMethod,
    Array.from({ length: 20 }, () => "require_action"),
  );
  await dot.until("06-30");
  expect(await dot.sums()).toEqual(["cycle: 250 = 250, uncollectible"]);
  const [cycle] = await dot.invoices();
  await fetch(cycle?.hosted_invoice_url ?? "", {
    method: "POST",
    body: "answer=confirm",
    redirect: "manual",
  });
  await eventually(() => dot.sums()).toEqual(["cycle: 250 = 250, paid"]);
});

test("a webhook that never comes is missed by nobody: the balance tells of the payment", async () => {
  const eli = await beginStory(system, { id: "eli", plan: "solo" });
  await eli.until("04-02");
  await eli.declines(eli.paymentMethod, ["require_action", "require_action"]);
  await eli.until("05-02");
  await system.surroundings.account.control("faults", { action: "drop", match: "payment_intent.succeeded" });
  const [, cycle] = await eli.invoices();
  await fetch(cycle?.hosted_invoice_url ?? "", {
    method: "POST",
    body: "answer=confirm",
    redirect: "manual",
  });
  await system.followStripe();
  await system.followStripe();
  expect(await eli.sums()).toEqual(["activation: 3000 = 3000, paid", "cycle: 3000 = 3000, paid"]);
});

test("void, and nobody can pay it; its refund and its dispute are as with a copy", async () => {
  const flo = await beginStory(system, { id: "flo", plan: "solo" });
  await flo.until("04-02");
  const [paid] = await flo.invoices();
  const path = { path: { id: paid?.id ?? "" } };
  await system.client.post("/v1/invoices/{id}/refunds", {
    params: path,
    body: { amount_minor: "1000", reason_code: "service_outage" },
  });
  const read = () => system.client.get("/v1/invoices/{id}", { params: path });
  await eventually(async () => (await read()).refunds.map(({ status }) => status)).toEqual(["succeeded"]);
  const [payment] = (await read()).payments;
  const { id: dispute } = await bank("open_dispute", { charge: payment?.stripe_charge, amount: 500 });
  const standing = async () =>
    (await read()).disputes.map(({ status, withdrawn_minor: taken }) => `${status} ${taken}`);
  await eventually(standing).toEqual(["needs_response 500"]);
  await bank("lose_dispute", { dispute });
  await eventually(standing).toEqual(["lost 500"]);

  await flo.declines(flo.paymentMethod, ["insufficient_funds"]);
  await flo.until("05-02");
  const [, cycle] = await flo.invoices();
  await system.client.post("/v1/invoices/{id}/void", {
    params: { path: { id: cycle?.id ?? "" } },
    body: { reason_code: "billing_error" },
  });
  const { data } = await system.surroundings.account.stripe.paymentIntents.list({ limit: 100 });
  const intent = data.find(({ metadata }) => metadata.reckoner_invoice === cycle?.id);
  expect(intent?.status).toBe("canceled");
});

import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { accountOf, refusalOf, type SandboxUnderTest, sandboxUnderTest } from "./support/sandbox.ts";

let server: SandboxUnderTest;
beforeAll(async () => {
  server = await sandboxUnderTest();
});
afterAll(() => server.close());

let account: ReturnType<typeof accountOf>;
beforeEach(() => {
  account = accountOf(server.sandbox.url);
});

test("health needs no key, everything else does", async () => {
  const health = await fetch(`${server.sandbox.url}/_sandbox/health`);
  expect(await health.json()).toEqual({ status: "ok" });
  expect((await fetch(`${server.sandbox.url}/_sandbox/dump`)).status).toBe(401);
});

test.each([
  { path: "faults", body: { action: "explode" }, message: "action must be one of" },
  { path: "clock", body: { now: "soon" }, message: "now must be seconds" },
  {
    path: "cards/script",
    body: { payment_method: "pm_1", outcomes: ["maybe"] },
    message: "maybe is not one of",
  },
  {
    path: "cards/script",
    body: { payment_method: "pm_none", outcomes: [] },
    message: "No such paymentmethod",
  },
  {
    path: "bank",
    body: { action: "complete_authentication", intent: "pi_none" },
    message: "No such paymentintent",
  },
  { path: "nothing", body: {}, message: "There is no such control" },
])("$path refuses $body", async ({ path, body, message }) => {
  await expect(account.control(path, body)).rejects.toThrow(message);
});

test("the request log says what came, under which key, and what was answered", async () => {
  await account.stripe.customers.create({ name: "Ada" }, { idempotencyKey: "ada" });
  await account.control("faults", { action: "reset_before", method: "GET", times: 2 });
  await refusalOf(account.stripe.customers.list());
  const { requests } = await account.control<{ requests: object[] }>("requests");
  expect(requests).toMatchObject([
    {
      method: "POST",
      path: "/v1/customers",
      body: "name=Ada",
      idempotencyKey: "ada",
      status: 200,
      fault: null,
    },
    { method: "GET", path: "/v1/customers", status: 0, fault: "reset_before" },
    { method: "GET", path: "/v1/customers", status: 0, fault: "reset_before" },
  ]);
});

test("seeded faults fall on the same requests each time", async () => {
  const fallsOf = async () => {
    const { stripe, control } = accountOf(server.sandbox.url);
    await control("faults", { action: "error_before", method: "POST", probability: 0.3, seed: 7 });
    const falls: boolean[] = [];
    for (let n = 0; n < 20; n += 1) falls.push(await failed(stripe.customers.create()));
    return falls;
  };
  const falls = await fallsOf();
  expect(falls).toContain(true);
  expect(falls).toContain(false);
  expect(await fallsOf()).toEqual(falls);
});

async function failed(call: Promise<unknown>): Promise<boolean> {
  return await call.then(
    () => false,
    () => true,
  );
}

test("nth falls on the nth match only", async () => {
  await account.control("faults", {
    action: "error_before",
    method: "POST",
    match: "/v1/customers/*",
    nth: 2,
  });
  const { id } = await account.stripe.customers.create();
  await account.stripe.customers.update(id, { name: "1" });
  expect(await refusalOf(account.stripe.customers.update(id, { name: "2" }))).toMatchObject({
    statusCode: 500,
  });
  await account.stripe.customers.update(id, { name: "3" });
});

test("a limit of requests per second answers 429, and lets go again", async () => {
  await account.control("limits", { requestsPerSecond: 5 });
  const calls = Array.from({ length: 20 }, () => failed(account.stripe.customers.create()));
  const refusals = (await Promise.all(calls)).filter(Boolean).length;
  expect(refusals).toBeGreaterThan(10);
  await expect.poll(() => failed(account.stripe.customers.create()), { timeout: 3000 }).toBe(false);
});

test("the dump holds what an audit needs, the pages show it to people", async () => {
  const customer = await account.stripe.customers.create({ name: "<b>Ada</b>" });
  const draft = await account.stripe.invoices.create({ customer: customer.id });
  await account.stripe.invoices.addLines(draft.id, {
    lines: [{ amount: 1250, description: "Tokens & seats" }],
  });
  const invoice = await account.stripe.invoices.finalizeInvoice(draft.id);
  const dump = await account.control<{ invoices: object[] }>("dump");
  expect(dump.invoices).toMatchObject([{ id: invoice.id, status: "open", total: 1250 }]);

  const hosted = await (await fetch(invoice.hosted_invoice_url ?? "")).text();
  for (const shown of [invoice.number ?? "", "Tokens &amp; seats", "12.50 USD", "&lt;b&gt;Ada"]) {
    expect(hosted).toContain(shown);
  }
  expect(await (await fetch(server.sandbox.url)).text()).toContain("Stripe stand-in");
  expect((await fetch(`${invoice.hosted_invoice_url}x`)).status).toBe(404);
});

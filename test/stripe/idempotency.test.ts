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

const key = { idempotencyKey: "one" };
const customerCount = async () => (await account.stripe.customers.list({ limit: 100 })).data.length;

test("one key, fifty times at once: one object", async () => {
  const { customers } = account.stripe;
  const made = await Promise.all(Array.from({ length: 50 }, () => customers.create({ name: "Ada" }, key)));
  expect(new Set(made.map(({ id }) => id)).size).toBe(1);
  expect(await customerCount()).toBe(1);
  const replayed = made.filter((each) => each.lastResponse.headers["idempotent-replayed"] === "true");
  expect(replayed).toHaveLength(49);
});

test("while the first request is at work, the others are told so", async () => {
  await account.control("faults", { action: "delay_before", milliseconds: 300 });
  const first = account.stripe.customers.create({ name: "Ada" }, key);
  await expect.poll(async () => (await refusalOrNothing())?.statusCode).toBe(409);
  expect((await first).name).toBe("Ada");
  expect(await customerCount()).toBe(1);

  async function refusalOrNothing() {
    const { faults } = await account.control<{ faults: { firedFor: string[] }[] }>("faults");
    return faults[0]?.firedFor.length
      ? await refusalOf(account.stripe.customers.create({ name: "Ada" }, key))
      : undefined;
  }
});

test("another body under a used key is refused; the first reply stays", async () => {
  const made = await account.stripe.customers.create({ name: "Ada" }, key);
  const refusal = await refusalOf(account.stripe.customers.create({ name: "Eve" }, key));
  expect(refusal).toMatchObject({ statusCode: 400, rawType: "idempotency_error" });
  expect((await account.stripe.customers.create({ name: "Ada" }, key)).id).toBe(made.id);
});

test("after 25 hours of the account's clock a key is a new request", async () => {
  await account.control("clock", { now: "2026-01-01T00:00:00Z" });
  const first = await account.stripe.customers.create({}, key);
  await account.control("clock", { now: "2026-01-01T23:00:00Z" });
  expect((await account.stripe.customers.create({}, key)).id).toBe(first.id);
  await account.control("clock", { now: "2026-01-02T01:00:00Z" });
  expect((await account.stripe.customers.create({}, key)).id).not.toBe(first.id);
});

test("a stored 500 answers 500 for ever, although the object exists", async () => {
  await account.control("faults", { action: "error_after_stored" });
  for (let n = 0; n < 3; n += 1) {
    expect(await refusalOf(account.stripe.customers.create({ name: "Ada" }, key))).toMatchObject({
      statusCode: 500,
    });
  }
  expect(await customerCount()).toBe(1);
});

test.each([
  { what: "a rejected parameter", arm: undefined, body: { nme: "Ada" }, status: 400 },
  { what: "a 429", arm: { action: "rate_limit" }, body: { name: "Ada" }, status: 429 },
  { what: "a lock timeout", arm: { action: "lock_timeout" }, body: { name: "Ada" }, status: 429 },
  { what: "a 409", arm: { action: "conflict" }, body: { name: "Ada" }, status: 409 },
  { what: "a 500 before execution", arm: { action: "error_before" }, body: { name: "Ada" }, status: 500 },
])("$what is not kept under the key", async ({ arm, body, status }) => {
  if (arm) await account.control("faults", arm);
  expect((await refusalOf(account.stripe.customers.create(body as object, key))).statusCode).toBe(status);
  expect((await account.stripe.customers.create({ name: "Ada" }, key)).name).toBe("Ada");
  expect(await customerCount()).toBe(1);
});

test("a refusal by state is kept: the same key gives it again after the state has changed", async () => {
  const { stripe } = account;
  const { id } = await stripe.customers.create();
  const invoice = await stripe.invoices.create({ customer: id });
  expect(await refusalOf(stripe.invoices.pay(invoice.id, {}, key))).toMatchObject({ statusCode: 400 });
  await stripe.invoices.finalizeInvoice(invoice.id);
  expect(await refusalOf(stripe.invoices.pay(invoice.id, {}, key))).toMatchObject({
    statusCode: 400,
    message: expect.stringContaining("draft"),
  });
});

test("a key of more than 255 characters is refused", async () => {
  const long = { idempotencyKey: "k".repeat(256) };
  expect(await refusalOf(account.stripe.customers.create({}, long))).toMatchObject({ statusCode: 400 });
});

test("Stripe-Should-Retry is sent when the fault says so", async () => {
  await account.control("faults", { action: "rate_limit", shouldRetry: true });
  const refusal = await refusalOf(account.stripe.customers.create({}));
  expect(refusal.headers?.["stripe-should-retry"]).toBe("true");
});

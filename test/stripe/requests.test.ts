import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  accountOf,
  newTestKey,
  refusalOf,
  type SandboxUnderTest,
  sandboxUnderTest,
} from "./support/sandbox.ts";

let server: SandboxUnderTest;
beforeAll(async () => {
  server = await sandboxUnderTest();
});
afterAll(() => server.close());

let account: ReturnType<typeof accountOf>;
beforeEach(() => {
  account = accountOf(server.sandbox.url);
});

/** A request past the SDK, for what the SDK cannot be made to send. */
async function raw(method: string, path: string, headers: Record<string, string> = {}, body = "") {
  const response = await fetch(`${server.sandbox.url}${path}`, {
    method,
    headers,
    ...(body !== "" && { body }),
  });
  return { status: response.status, headers: response.headers, body: await response.json() };
}

const bearer = () => ({ Authorization: `Bearer ${account.apiKey}` });

describe("what is refused before anything happens", () => {
  test.each([
    { why: "no key", headers: () => ({}), status: 401 },
    { why: "a publishable key", headers: () => ({ Authorization: "Bearer pk_test_1" }), status: 401 },
    { why: "a live key", headers: () => ({ Authorization: "Bearer sk_live_1" }), status: 401 },
    { why: "another version", headers: () => ({ ...bearer(), "Stripe-Version": "2020-08-27" }), status: 400 },
  ])("$why: $status", async ({ headers, status }) => {
    const reply = await raw("GET", "/v1/customers", headers());
    expect(reply.status).toBe(status);
    expect(reply.body.error).toMatchObject({ type: "invalid_request_error", message: expect.any(String) });
    expect(reply.headers.get("request-id")).toMatch(/^req_/);
  });

  test("an operation that is not here is Stripe's 404", async () => {
    const reply = await raw("GET", "/v1/terminal/readers", bearer());
    expect(reply.status).toBe(404);
    expect(reply.body.error.message).toContain("Unrecognized request URL (GET: /v1/terminal/readers)");
  });

  test.each([
    { body: "nme=Ada", code: "parameter_unknown", param: "nme" },
    { body: "address[planet]=Mars", code: "parameter_unknown", param: "address[planet]" },
    { body: "balance=much", code: "parameter_invalid_integer", param: "balance" },
    { body: "tax_exempt=sometimes", code: undefined, param: "tax_exempt" },
    { body: `metadata[${"k".repeat(41)}]=v`, code: undefined, param: `metadata[${"k".repeat(41)}]` },
    { body: `metadata[k]=${"v".repeat(501)}`, code: undefined, param: "metadata[k]" },
    { body: "shipping[name]=Ada", code: "parameter_missing", param: "shipping[address]" },
    { body: "source=tok_visa", code: "sandbox_parameter_unsupported", param: "source" },
    { body: "name[first]=Ada", code: undefined, param: "name" },
    { body: "expand[]=subscriptions.data.plan.tiers.x", code: undefined, param: "expand" },
    { body: "expand[]=favourite_colour", code: undefined, param: "expand" },
  ])("POST /v1/customers $body", async ({ body, code, param }) => {
    const reply = await raw("POST", "/v1/customers", bearer(), body);
    expect(reply.status).toBe(400);
    expect(reply.body.error).toMatchObject({ type: "invalid_request_error", param });
    expect(reply.body.error.code).toBe(code);
    expect((await account.stripe.customers.list()).data).toEqual([]);
  });

  test("the endive version has no payment_method_types on intents", async () => {
    const create = { amount: 100, currency: "usd", payment_method_types: ["card"] };
    const refusal = await refusalOf(account.stripe.paymentIntents.create(create as never));
    expect(refusal).toMatchObject({ code: "parameter_unknown", param: "payment_method_types" });
  });

  test("an unknown customer is named by its parameter", async () => {
    const refusal = await refusalOf(account.stripe.invoices.create({ customer: "cus_none" }));
    expect(refusal).toMatchObject({ statusCode: 400, code: "resource_missing", param: "customer" });
    expect(refusal.doc_url).toContain("resource-missing");
    const unknown = await refusalOf(account.stripe.customers.retrieve("cus_none"));
    expect(unknown).toMatchObject({ statusCode: 404, code: "resource_missing", param: "id" });
  });
});

describe("objects", () => {
  test("metadata is merged, emptied by key and emptied as a whole", async () => {
    const { customers } = account.stripe;
    const { id } = await customers.create({ metadata: { a: "1", b: "2" } });
    expect((await customers.update(id, { metadata: { b: "", c: "3" } })).metadata).toEqual({
      a: "1",
      c: "3",
    });
    expect((await customers.update(id, { metadata: "" })).metadata).toEqual({});
  });

  test("a deleted customer leaves a stub and can be used no more", async () => {
    const { customers, invoices } = account.stripe;
    const { id } = await customers.create({ name: "Ada" });
    await customers.del(id);
    expect(await customers.retrieve(id)).toMatchObject({ id, deleted: true });
    expect((await customers.list()).data).toEqual([]);
    expect(await refusalOf(invoices.create({ customer: id }))).toMatchObject({ code: "resource_missing" });
  });

  test("fields that were never set are null, as Stripe sends them", async () => {
    const customer = await account.stripe.customers.create();
    expect(customer).toMatchObject({
      email: null,
      name: null,
      description: null,
      balance: 0,
      delinquent: false,
    });
  });

  test("two keys are two accounts", async () => {
    const { id } = await account.stripe.customers.create();
    const other = accountOf(server.sandbox.url, newTestKey());
    expect(await refusalOf(other.stripe.customers.retrieve(id))).toMatchObject({ statusCode: 404 });
  });
});

describe("lists", () => {
  test("come newest first and page both ways", async () => {
    const { customers } = account.stripe;
    const ids: string[] = [];
    for (let n = 0; n < 5; n += 1) ids.unshift((await customers.create({ name: `${n}` })).id);
    const first = await customers.list({ limit: 2 });
    expect(first).toMatchObject({ has_more: true, data: [{ id: ids[0] }, { id: ids[1] }] });
    const next = await customers.list({ limit: 3, starting_after: ids[1] ?? "" });
    expect(next).toMatchObject({ has_more: false, data: [{ id: ids[2] }, { id: ids[3] }, { id: ids[4] }] });
    const back = await customers.list({ limit: 2, ending_before: ids[3] ?? "" });
    expect(back).toMatchObject({ has_more: true, data: [{ id: ids[1] }, { id: ids[2] }] });
    expect(await customers.list({ limit: 2 }).autoPagingToArray({ limit: 10 })).toHaveLength(5);
  });

  test.each([{ limit: 0 }, { limit: 101 }])("limit $limit is refused", async (params) => {
    expect(await refusalOf(account.stripe.customers.list(params))).toMatchObject({
      statusCode: 400,
      param: "limit",
    });
  });

  test("filter by creation time on the simulated clock", async () => {
    await account.control("clock", { now: "2026-01-01T00:00:00Z" });
    await account.stripe.customers.create({ name: "January" });
    await account.control("clock", { now: "2026-02-01T00:00:00Z" });
    await account.stripe.customers.create({ name: "February" });
    const february = Date.parse("2026-02-01T00:00:00Z") / 1000;
    const { data } = await account.stripe.customers.list({ created: { gte: february } });
    expect(data).toMatchObject([{ name: "February", created: february }]);
    await expect(account.control("clock", { now: "2026-01-15T00:00:00Z" })).rejects.toThrow(
      "does not go backwards",
    );
  });
});

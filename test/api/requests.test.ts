import { request as httpRequest } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { insertAsOwner } from "./support/billing-rows.ts";
import { type RunningApi, startApi } from "./support/running-api.ts";

let api: RunningApi;
beforeAll(async () => {
  const testClocks = {
    areAllowed: true,
    advance: async () => Promise.reject(new Error("card 4242424242424242 of secret-customer")),
    create: async () => Promise.reject(new Error("not in this test")),
  };
  api = await startApi({ testClocks });
});
afterAll(() => api.stop());

const acme = { id: "acme", name: "Acme", email: "billing@acme.test", currency: "usd" };

describe("a request that is not understood says what and where", () => {
  test.each([
    { why: "an unknown field", body: { ...acme, emial: "x" }, field: "emial", says: /is not a known field/ },
    { why: "a wrong type", body: { ...acme, name: 7 }, field: "name", says: /must be a text, not a number/ },
    {
      why: "null for a text",
      body: { ...acme, name: null },
      field: "name",
      says: /must be a text, not null/,
    },
    {
      why: "a missing field",
      body: { id: "acme" },
      field: "name",
      says: /name: is required; email: is required/,
    },
    { why: "an empty text", body: { ...acme, name: "" }, field: "name", says: /must not be empty/ },
    { why: "a text too long", body: { ...acme, name: "x".repeat(201) }, field: "name", says: /at most 200/ },
    { why: "NUL in a text", body: { ...acme, name: "a\0b" }, field: "name", says: /NUL/ },
    { why: "half a surrogate pair", body: { ...acme, name: "a\ud800" }, field: "name", says: /Unicode/ },
    {
      why: "an unknown currency",
      body: { ...acme, currency: "xyz" },
      field: "currency",
      says: /is not a currency/,
    },
    {
      why: "a currency in capitals",
      body: { ...acme, currency: "USD" },
      field: "currency",
      says: /lower-case/,
    },
    {
      why: "an unknown time zone",
      body: { ...acme, time_zone: "Mars/Base" },
      field: "time_zone",
      says: /time zone/,
    },
    { why: "an id with a slash", body: { ...acme, id: "a/b" }, field: "id", says: /letters, digits/ },
    { why: "no e-mail address", body: { ...acme, email: "nobody" }, field: "email", says: /e-mail/ },
    {
      why: "lists nested without end",
      body: `{"name":${"[".repeat(200_000)}${"]".repeat(200_000)}}`,
      field: "name",
      says: /must be a text, not a list/,
    },
    { why: "a list for an object", body: [acme], field: undefined, says: /must be an object, not a list/ },
    { why: "a text for an object", body: '"acme"', field: undefined, says: /must be an object, not a text/ },
    { why: "null for an object", body: "null", field: undefined, says: /must be an object, not null/ },
  ])("$why", async ({ body, field, says }) => {
    const answer = await api.call("POST", "/v1/customers", body);
    expect([answer.status, answer.body.code, answer.body.field]).toEqual([400, "request_invalid", field]);
    expect(answer.body.detail).toMatch(says);
  });

  test("nothing of all that was stored", async () => {
    expect((await api.call("GET", "/v1/customers")).body.data).toEqual([]);
  });

  test.each([
    { path: "/v1/customers?limit=0", field: "limit" },
    { path: "/v1/customers?limit=101", field: "limit" },
    { path: "/v1/customers?limit=ten", field: "limit" },
    { path: "/v1/customers?limit=1.5", field: "limit" },
    { path: "/v1/customers?limit=", field: "limit" },
    { path: "/v1/customers?page=2", field: "page" },
    { path: "/v1/customers?limit=1&limit=2", field: "limit" },
    { path: "/v1/customers/a%00b", field: "id" },
    { path: "/v1/invoices?status=lost", field: "status" },
  ])("GET $path is refused at $field", async ({ path, field }) => {
    const answer = await api.call("GET", path);
    expect([answer.status, answer.body.code, answer.body.field]).toEqual([400, "request_invalid", field]);
  });

  test.each([
    { why: "broken JSON", body: '{"name":', code: "json_malformed", status: 400, headers: {} },
    {
      why: "a prototype in JSON",
      body: '{"__proto__":{"a":1}}',
      code: "json_malformed",
      status: 400,
      headers: {},
    },
    {
      why: "an empty body",
      body: "",
      code: "body_missing",
      status: 400,
      headers: { "content-type": "application/json" },
    },
    {
      why: "a form",
      body: "a=1",
      code: "media_type_unsupported",
      status: 415,
      headers: { "content-type": "application/x-www-form-urlencoded" },
    },
    {
      why: "a body too large",
      body: `"${"x".repeat(1_048_576)}"`,
      code: "body_too_large",
      status: 413,
      headers: {},
    },
  ])("$why is $status $code", async ({ body, code, status, headers }) => {
    const answer = await api.call("POST", "/v1/customers", body, { headers });
    expect([answer.status, answer.body.code]).toEqual([status, code]);
  });

  test("CloudEvents are read under their own content types, and held to the same rules", async () => {
    const headers = { "content-type": "application/cloudevents-batch+json; charset=utf-8" };
    expect((await api.call("POST", "/v1/events", "[]", { headers })).body).toMatchObject({
      accepted: 0,
      results: [],
    });
    expect((await api.call("POST", "/v1/events", "[", { headers })).body.code).toBe("json_malformed");
  });

  test.each([
    { method: "GET", path: "/v1/nothing" },
    { method: "GET", path: "/" },
  ])("$method $path does not exist", async ({ method, path }) => {
    const answer = await api.call(method, path);
    expect([answer.status, answer.body.code]).toEqual([404, "route_not_found"]);
  });

  test.each([
    { method: "PUT", path: "/v1/customers", allow: "GET, POST" },
    { method: "DELETE", path: "/v1/customers/acme/", allow: "GET, PATCH" },
    { method: "QUERY", path: "/v1/invoices/inv_1/document.pdf?a=1", allow: "GET" },
  ])("$method $path is told what is there: $allow", async ({ method, path, allow }) => {
    const answer = await api.call(method, path);
    expect([answer.status, answer.body.code]).toEqual([405, "method_not_allowed"]);
    expect(answer.headers.get("allow")).toBe(allow);
  });

  // Each was found by `npm run contract`.
  test.each([
    {
      path: "/v1/customers/acme/spending-caps",
      body: {
        amount_minor: "__main__",
        window: { type: "billing_cycle" },
        spender: { type: "organisation" },
      },
      field: "amount_minor",
    },
    {
      path: "/v1/customers/acme/setup-sessions",
      body: { return_url: "https://\0" },
      field: "return_url",
    },
    {
      path: `/v1/customers/${"a".repeat(300)}/setup-sessions`,
      body: { return_url: "https://a" },
      field: "id",
    },
  ])("$path with a wrong $field", async ({ path, body, field }) => {
    const answer = await api.call("POST", path, body);
    expect([answer.status, answer.body.code, answer.body.field]).toEqual([400, "request_invalid", field]);
  });

  test("a path with a broken percent-encoding", async () => {
    // fetch would refuse to send this.
    const { port } = new URL(api.url);
    const status = await new Promise((resolve, reject) => {
      httpRequest({ port, path: "/v1/customers/%zz" }, (response) => resolve(response.resume().statusCode))
        .on("error", reject)
        .end();
    });
    expect(status).toBe(400);
  });
});

describe("every error", () => {
  test("has the one shape", async () => {
    const answer = await api.call("GET", "/v1/customers/nobody", undefined, {
      headers: { "x-request-id": "mine-1" },
    });
    expect(answer.headers.get("content-type")).toBe("application/problem+json; charset=utf-8");
    expect(answer.body).toEqual({
      type: "urn:reckoner:problem:customer_not_found",
      title: "Customer not found",
      status: 404,
      code: "customer_not_found",
      detail: 'there is no customer "nobody": check the id',
      request_id: "mine-1",
    });
  });

  test("that nobody expected says nothing but the request id, under which the log has it", async () => {
    await insertAsOwner(
      api.ownerUrl,
      "insert into billing.test_clock (id, current_at, target_at) values ('clk', '2026-01-01Z', '2026-01-01Z')",
    );
    const answer = await api.call("POST", "/v1/test-clocks/clk/advance", { to: "2026-02-01T00:00:00Z" });
    expect(answer.status).toBe(500);
    expect(answer.body.code).toBe("internal_error");
    expect(answer.text).not.toContain("4242");
    const line = api
      .log()
      .split("\n")
      .find((text) => text.includes("unexpected error"));
    expect(line).toContain(answer.body.request_id);
  });
});

describe("request ids", () => {
  test("are taken from the caller when they are harmless, and answered", async () => {
    const answer = await api.call("GET", "/healthz", undefined, { headers: { "x-request-id": "a.b:c-1_2" } });
    expect(answer.headers.get("x-request-id")).toBe("a.b:c-1_2");
  });

  test.each(["has space", "x".repeat(129), "<script>"])("%s is replaced by a new one", async (id) => {
    const answer = await api.call("GET", "/healthz", undefined, { headers: { "x-request-id": id } });
    expect(answer.headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
  });
});

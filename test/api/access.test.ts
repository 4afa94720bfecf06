import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { newApiKeySecret } from "../../src/api/api-key-secret.ts";
import { instant } from "../../src/domain/calendar/index.ts";
import { type RunningApi, startApi } from "./support/running-api.ts";

let api: RunningApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

describe("who may call", () => {
  const secret = newApiKeySecret();
  test.each([
    { header: undefined, code: "api_key_missing", why: "no header" },
    { header: "", code: "api_key_missing", why: "an empty header" },
    { header: "Basic dXNlcjpwYXNz", code: "api_key_missing", why: "another scheme" },
    { header: "Bearer", code: "api_key_missing", why: "a scheme without a key" },
    { header: `Bearer ${secret} extra`, code: "api_key_missing", why: "more than a key" },
    { header: `Bearer ${secret}`, code: "api_key_invalid", why: "a well-formed key that nobody made" },
    { header: `Bearer ${secret.slice(0, -1)}`, code: "api_key_invalid", why: "a key cut off" },
    { header: "Bearer rk_1", code: "api_key_invalid", why: "a short text" },
    { header: "Bearer ' or 1=1 --", code: "api_key_missing", why: "SQL" },
  ])("$why is refused as $code", async ({ header, code }) => {
    const headers: Record<string, string> = header === undefined ? {} : { authorization: header };
    const answer = await api.call("GET", "/v1/customers", undefined, { key: null, headers });
    expect([answer.status, answer.body.code]).toEqual([401, code]);
    expect(answer.headers.get("www-authenticate")).toBe("Bearer");
  });

  test("a key with one character changed is refused", async () => {
    const other = api.adminKey.endsWith("0") ? "1" : "0";
    const answer = await api.call("GET", "/v1/customers", undefined, {
      key: api.adminKey.slice(0, -1) + other,
    });
    expect([answer.status, answer.body.code]).toEqual([401, "api_key_invalid"]);
  });

  test("an expired key is refused, from the very instant on", async () => {
    const expired = await api.newKey(["read"], instant("2026-03-01T12:00:00Z"));
    const valid = await api.newKey(["read"], instant("2026-03-01T12:00:00.001Z"));
    const refused = await api.call("GET", "/v1/customers", undefined, { key: expired });
    expect([refused.status, refused.body.code]).toEqual([401, "api_key_expired"]);
    expect((await api.call("GET", "/v1/customers", undefined, { key: valid })).status).toBe(200);
  });

  test.each([
    { scopes: ["read"], method: "GET", path: "/v1/customers", status: 200 },
    { scopes: ["write"], method: "GET", path: "/v1/customers", status: 200 },
    { scopes: ["admin"], method: "GET", path: "/v1/api-keys", status: 200 },
    { scopes: ["usage:write"], method: "GET", path: "/v1/customers", status: 403 },
    { scopes: ["read"], method: "POST", path: "/v1/customers", status: 403 },
    { scopes: ["usage:write"], method: "POST", path: "/v1/customers", status: 403 },
    { scopes: ["write"], method: "GET", path: "/v1/api-keys", status: 403 },
    { scopes: ["read", "write", "usage:write"], method: "PUT", path: "/v1/catalog", status: 403 },
  ] as const)(
    "a key for $scopes gets $status from $method $path",
    async ({ scopes, method, path, status }) => {
      const key = await api.newKey(scopes);
      const answer = await api.call(method, path, undefined, { key });
      expect(answer.status).toBe(status);
      if (status === 403) expect(answer.body.code).toBe("scope_missing");
    },
  );
});

describe("API keys", () => {
  test("a key says itself who it is and what it may do, without its secret", async () => {
    const made = await api.call("POST", "/v1/api-keys", { name: "console", scopes: ["read", "approve"] });
    const { secret, ...key } = made.body;
    const answer = await api.call("GET", "/v1/api-keys/current", undefined, { key: secret });
    // When it was last used is written down beside the request.
    expect([answer.status, { ...answer.body, last_used_at: null }]).toEqual([200, key]);
  });

  test("a key works from its creation to its revocation, and its secret is shown once", async () => {
    const created = await api.call("POST", "/v1/api-keys", { name: "ingest", scopes: ["read"] });
    expect(created.status).toBe(201);
    expect(created.body.secret).toMatch(/^rk_[0-9A-Za-z]{49}$/);
    expect(created.body).toMatchObject({
      name: "ingest",
      scopes: ["read"],
      revoked_at: null,
      expires_at: null,
    });
    const key: string = created.body.secret;
    expect((await api.call("GET", "/v1/customers", undefined, { key })).status).toBe(200);

    const listed = await api.call("GET", "/v1/api-keys?limit=100");
    expect(listed.text).toContain(created.body.id);
    expect(listed.text).not.toContain(key);

    const revoked = await api.call("DELETE", `/v1/api-keys/${created.body.id}`);
    expect([revoked.status, revoked.body.revoked_at]).toEqual([200, "2026-03-01T12:00:00.000Z"]);
    const refused = await api.call("GET", "/v1/customers", undefined, { key });
    expect([refused.status, refused.body.code]).toEqual([401, "api_key_revoked"]);
    expect((await api.call("DELETE", `/v1/api-keys/${created.body.id}`)).body).toEqual(revoked.body);
  });

  test("a repetition of the creation gets the key without its secret, which is kept nowhere", async () => {
    const body = { name: "once", scopes: ["write"] };
    const first = await api.call("POST", "/v1/api-keys", body, { idempotencyKey: "make-once" });
    const second = await api.call("POST", "/v1/api-keys", body, { idempotencyKey: "make-once" });
    expect(second.body).toEqual({ ...first.body, secret: null });
    const stored = await api.db.sql`
      select response::text as text from access.idempotency_key where key = 'make-once'
      union all select row_to_json(k)::text from access.api_key k where id = ${first.body.id}`;
    expect(stored).toHaveLength(2);
    for (const { text } of stored) expect(text).not.toContain(first.body.secret);
    expect(api.log()).not.toContain(first.body.secret);
    expect(api.log()).not.toContain(api.adminKey);
  });

  test.each([
    { body: { name: "x", scopes: [] }, code: "request_invalid", field: "scopes" },
    { body: { name: "x", scopes: ["root"] }, code: "request_invalid", field: "scopes[0]" },
    { body: { name: "", scopes: ["read"] }, code: "request_invalid", field: "name" },
    {
      body: { name: "x", scopes: ["read"], expires_at: "2026-03-01T12:00:00Z" },
      code: "api_key_expiry_invalid",
      field: "expires_at",
    },
    {
      body: { name: "x", scopes: ["read"], expires_at: "tomorrow" },
      code: "request_invalid",
      field: "expires_at",
    },
  ])("$body is refused at $field", async ({ body, code, field }) => {
    const answer = await api.call("POST", "/v1/api-keys", body);
    expect([answer.body.code, answer.body.field]).toEqual([code, field]);
  });

  test("the database refuses to give a revoked key back, to the application's role and to the owner", async () => {
    const { body } = await api.call("POST", "/v1/api-keys", { name: "gone", scopes: ["read"] });
    await api.call("DELETE", `/v1/api-keys/${body.id}`);
    await expect(
      api.db.sql`update access.api_key set revoked_at = null where id = ${body.id}`,
    ).rejects.toThrow(/is revoked/);
    await expect(
      api.db.sql`update access.api_key set scopes = '{admin}' where id = ${body.id}`,
    ).rejects.toThrow(/permission denied/);
    await expect(api.db.sql`delete from access.api_key where id = ${body.id}`).rejects.toThrow(
      /permission denied/,
    );
  });
});

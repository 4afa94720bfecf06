import { randomBytes } from "node:crypto";
import { defaultPayloadConverter, type Payload } from "@temporalio/common";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createLogger } from "../../src/logger.ts";
import { payloadCodec } from "../../src/temporal/payload-codec.ts";
import { buildCodecServer } from "../../src/workers/codec-server/codec-server.ts";
import { type RunningApi, startApi, wallClock } from "../api/support/running-api.ts";

const key = { id: "2026", secret: randomBytes(32) };
const ui = "http://localhost:8233";
const facts = { invoiceId: "inv_1" };

let api: RunningApi;
let server: Awaited<ReturnType<typeof buildCodecServer>>;
let url: string;
let operator: string;
beforeAll(async () => {
  api = await startApi();
  operator = await api.newKey(["operate"]);
  server = await buildCodecServer({
    db: api.db,
    now: () => wallClock,
    logger: createLogger({ level: "silent", format: "json" }, "codec-server"),
    payloadKeys: [key],
    origins: [ui],
  });
  url = await server.listen({ host: "127.0.0.1", port: 0 });
});
afterAll(async () => {
  await server.close();
  await api.stop();
});

/** As protobuf's JSON has it. */
function jsonOf({ metadata, data }: Payload) {
  const base64 = (bytes: Uint8Array | null | undefined) => Buffer.from(bytes ?? []).toString("base64");
  const fields = Object.entries(metadata ?? {}).map(([name, value]) => [name, base64(value)]);
  return { metadata: Object.fromEntries(fields), data: base64(data) };
}

const plain = () => jsonOf(defaultPayloadConverter.toPayload(facts));
async function encrypted() {
  const [payload] = await payloadCodec([key]).encode([defaultPayloadConverter.toPayload(facts)]);
  return jsonOf(payload ?? {});
}

async function ask(path: string, payloads: unknown, headers: Record<string, string>) {
  const response = await fetch(url + path, {
    method: "POST",
    headers: { "content-type": "application/json", "x-namespace": "default", ...headers },
    body: JSON.stringify({ payloads }),
  });
  // biome-ignore lint/suspicious/noExplicitAny: a test looks at whatever came back
  const body: any = await response.json();
  return { status: response.status, body, headers: response.headers };
}
const bearer = (secret: string) => ({ authorization: `Bearer ${secret}` });

test("who may operate reads what is encrypted, and can encrypt", async () => {
  const decoded = await ask("/decode", [await encrypted(), plain()], bearer(operator));
  expect(decoded).toMatchObject({ status: 200, body: { payloads: [plain(), plain()] } });
  const encoded = await ask("/encode", [plain()], bearer(api.adminKey));
  expect(encoded.body.payloads[0].metadata["encryption-key-id"]).toBe(btoa("2026"));
  expect((await ask("/decode", encoded.body.payloads, bearer(operator))).body.payloads).toEqual([plain()]);
});

describe("nobody else does", () => {
  test.each([
    { who: "without a key", headers: () => ({}), status: 401, code: "api_key_missing" },
    { who: "with a made-up key", headers: () => bearer("rk_nothing"), status: 401, code: "api_key_invalid" },
    {
      who: "with a cookie of another process",
      headers: () => ({ cookie: `reckoner_codec=${randomBytes(60).toString("base64url")}` }),
      status: 401,
      code: "api_key_missing",
    },
  ])("$who", async ({ headers, status, code }) => {
    const refused = await ask("/decode", [await encrypted()], headers());
    expect(refused).toMatchObject({ status, body: { code } });
  });

  test.each(["read", "write", "approve"] as const)("with a key that may only %s", async (scope) => {
    const refused = await ask("/decode", [await encrypted()], bearer(await api.newKey([scope])));
    expect(refused).toMatchObject({ status: 403, body: { code: "scope_missing" } });
  });
});

test("what cannot be decrypted is said without its content", async () => {
  const [foreign] = await payloadCodec([{ id: "2020", secret: randomBytes(32) }]).encode([
    defaultPayloadConverter.toPayload(facts),
  ]);
  const unknown = await ask("/decode", [jsonOf(foreign ?? {})], bearer(operator));
  expect(unknown).toMatchObject({ status: 422, body: { code: "payload_undecodable" } });
  expect(unknown.body.detail).toContain('encrypted with the key "2020", and known here are 2026');
  const damaged = { ...(await encrypted()), data: btoa("not what was sent, but long enough") };
  const changed = await ask("/decode", [damaged], bearer(operator));
  expect(changed.body.detail).toBe("the payload was changed, or is not one of ours");
});

describe("from the Temporal UI", () => {
  test("a preflight of its origin is answered, of another one it is not", async () => {
    const preflight = (origin: string) =>
      fetch(`${url}/decode`, {
        method: "OPTIONS",
        headers: { origin, "access-control-request-method": "POST" },
      });
    const allowed = await preflight(ui);
    expect(allowed.status).toBe(204);
    expect(allowed.headers.get("access-control-allow-origin")).toBe(ui);
    expect(allowed.headers.get("access-control-allow-credentials")).toBe("true");
    expect(allowed.headers.get("access-control-allow-headers")).toContain("x-namespace");
    expect(
      (await preflight("https://elsewhere.example")).headers.get("access-control-allow-origin"),
    ).toBeNull();
  });

  test("an operator signs in once, and the browser's cookie carries on until the key is revoked", async () => {
    const signIn = (secret: string, origin = url) =>
      fetch(url, { method: "POST", headers: { origin }, body: new URLSearchParams({ api_key: secret }) });
    expect(await (await fetch(url)).text()).toContain('type="password"');
    const signedIn = await signIn(operator);
    const setCookie = signedIn.headers.get("set-cookie") ?? "";
    expect(setCookie).toMatch(/; HttpOnly; Path=\/; Max-Age=43200; SameSite=Lax$/);
    expect(setCookie).not.toContain(operator);
    const [cookie = ""] = setCookie.split(";");
    const decoded = await ask("/decode", [await encrypted()], { cookie, origin: ui });
    expect(decoded).toMatchObject({ status: 200, body: { payloads: [plain()] } });
    expect(decoded.headers.get("access-control-allow-origin")).toBe(ui);
    expect((await signIn(operator, "https://elsewhere.example")).status).toBe(403);

    const reader = (await signIn(await api.newKey(["read"]))).headers.get("set-cookie")?.split(";")[0] ?? "";
    expect((await ask("/decode", [await encrypted()], { cookie: reader })).status).toBe(403);
  });
});

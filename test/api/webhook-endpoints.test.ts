import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { insertCustomer } from "../../src/db/billing/customers.ts";
import { composeNotices } from "../../src/db/notices/compose-notices.ts";
import { secretsOf } from "../../src/db/notices/endpoint-secrets.ts";
import { enqueueNotice, noticeIdOf } from "../../src/db/notices/enqueue-notice.ts";
import { instantOfEpochMs } from "../../src/domain/calendar/index.ts";
import { type RunningApi, startApi, wallClock } from "./support/running-api.ts";

const sealingKeys = [Buffer.alloc(32, 7)];
let api: RunningApi;
beforeAll(async () => {
  api = await startApi({ webhookEndpoints: { sealingKeys, privateAllowed: false } });
  await insertCustomer(api.db.orm, {
    id: "acme",
    name: "Acme",
    email: "a@acme.test",
    currency: "usd",
    timeZone: "UTC",
    testClockId: null,
    createdAt: wallClock,
  });
});
afterAll(() => api.stop());

const create = async (body: object = {}) =>
  (await api.call("POST", "/v1/webhook-endpoints", { url: "https://example.com/hooks", ...body })).body;

const compose = () =>
  composeNotices(api.db, { now: wallClock, hasMail: false, hasOperator: false, except: new Set() });

const tell = (key: string) =>
  enqueueNotice(api.db.orm, {
    key,
    kind: "credits.low",
    customerId: "acme",
    subject: { currency: "usd", remainingMinor: "10", grantedMinor: "100" },
    occurredAt: wallClock,
  });

describe("an endpoint", () => {
  test("is created with a secret that is shown once, changed, disabled and deleted", async () => {
    const made = await api.call(
      "POST",
      "/v1/webhook-endpoints",
      { url: "https://example.com/a", kinds: ["invoice.issued"] },
      { idempotencyKey: "once" },
    );
    expect(made.body).toMatchObject({ status: "enabled", kinds: ["invoice.issued"], disabled_reason: null });
    expect(made.body.secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    const again = await api.call(
      "POST",
      "/v1/webhook-endpoints",
      { url: "https://example.com/a", kinds: ["invoice.issued"] },
      { idempotencyKey: "once" },
    );
    expect(again.body).toEqual({ ...made.body, secret: null });
    const path = `/v1/webhook-endpoints/${made.body.id}`;
    expect((await api.call("GET", path)).body).not.toHaveProperty("secret");
    const changed = await api.call("PATCH", path, { kinds: null, enabled: false });
    expect(changed.body).toMatchObject({ kinds: null, status: "disabled", disabled_reason: "requested" });
    expect((await api.call("POST", `${path}/test`)).body).toMatchObject({
      code: "webhook_endpoint_disabled",
    });
    expect((await api.call("PATCH", path, { enabled: true })).body).toMatchObject({ status: "enabled" });
    expect((await api.call("DELETE", path)).body).toMatchObject({ status: "deleted" });
    expect((await api.call("GET", path)).status).toBe(404);
    expect(api.log()).not.toContain(made.body.secret);
  });

  test.each([
    { url: "http://example.com", detail: "must begin with https://" },
    {
      url: "https://me:word@example.com",
      detail: "must not hold a name or a password: the signature says who sends",
    },
  ])("at $url is refused", async ({ url, detail }) => {
    const refused = await api.call("POST", "/v1/webhook-endpoints", { url });
    expect([refused.status, refused.body]).toMatchObject([
      422,
      { code: "webhook_endpoint_url_refused", detail },
    ]);
  });

  test("is for those who administrate: others may look", async () => {
    const key = await api.newKey(["write"]);
    expect(
      (await api.call("POST", "/v1/webhook-endpoints", { url: "https://a.example" }, { key })).status,
    ).toBe(403);
    expect((await api.call("GET", "/v1/webhook-endpoints", undefined, { key })).status).toBe(200);
  });

  test("gets another secret, beside which the old one signs for a day", async () => {
    const { id, secret } = await create({ kinds: ["invoice.issued"] });
    const rotated = await api.call("POST", `/v1/webhook-endpoints/${id}/rotate-secret`, {});
    const hour = 3_600_000;
    const at = (ms: number) => secretsOf(api.db.orm, sealingKeys, id, instantOfEpochMs(wallClock + ms));
    expect(await at(23 * hour)).toEqual([secret, rotated.body.secret]);
    expect(await at(24 * hour)).toEqual([rotated.body.secret]);
    const last = await api.call("POST", `/v1/webhook-endpoints/${id}/rotate-secret`, { overlap_hours: 0 });
    expect(await at(0)).toEqual([last.body.secret]);
    await expect(secretsOf(api.db.orm, [Buffer.alloc(32, 8)], id, wallClock)).rejects.toThrow(
      "WEBHOOK_SECRET_KEYS",
    );
  });
});

describe("what was told", () => {
  test("is listed by customer, with where it went; a delivery and a time can be asked for again", async () => {
    const { id } = await create({ kinds: ["credits.low"] });
    await tell("low/1");
    await compose();
    const notice = noticeIdOf("low/1");
    const { body } = await api.call("GET", "/v1/notices?customer=acme&kind=credits.low");
    expect(body.data).toMatchObject([
      {
        id: notice,
        customer: "acme",
        occurred_at: "2026-03-01T12:00:00.000Z",
        data: { currency: "usd", remaining_minor: "10", granted_minor: "100" },
        deliveries: [{ id: `${notice}.${id}`, status: "waiting", attempts: 0 }],
      },
    ]);
    expect((await api.call("GET", `/v1/notices/${notice}`)).body).toEqual(body.data[0]);
    const listed = await api.call("GET", `/v1/webhook-endpoints/${id}/deliveries?status=waiting`);
    expect(listed.body.data).toMatchObject([{ notice_id: notice, kind: "credits.low" }]);
    const one = await api.call("GET", `/v1/notice-deliveries/${notice}.${id}`);
    expect(one.body).toMatchObject({ webhook_endpoint: id, log: [] });
    expect((await api.call("POST", `/v1/notice-deliveries/${notice}.${id}/replay`)).status).toBe(202);
    const range = { from: "2020-01-01T00:00:00Z", to: "2100-01-01T00:00:00Z" };
    const replayed = await api.call("POST", `/v1/webhook-endpoints/${id}/replay`, range);
    expect(replayed.body).toEqual({ deliveries: 1 });
    const tested = await api.call("POST", `/v1/webhook-endpoints/${id}/test`);
    await compose();
    expect((await api.call("GET", `/v1/notice-deliveries/${tested.body.delivery}`)).body).toMatchObject({
      kind: "webhook_endpoint.test",
      webhook_endpoint: id,
    });
  });

  test("may be told without e-mail, kind by kind", async () => {
    const path = "/v1/customers/acme/notice-preferences";
    expect((await api.call("GET", path)).body).toEqual({ suppressed_kinds: [] });
    const put = await api.call("PUT", path, { suppressed_kinds: ["invoice.upcoming"] });
    expect(put.body).toEqual({ suppressed_kinds: ["invoice.upcoming"] });
    expect((await api.call("GET", path)).body).toEqual(put.body);
    expect((await api.call("PUT", path, { suppressed_kinds: ["webhook_endpoint.test"] })).status).toBe(400);
  });
});

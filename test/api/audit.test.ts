import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readCsv } from "../support/read-csv.ts";
import { everyRoute } from "./support/every-route.ts";
import { type Answer, type RunningApi, startApi } from "./support/running-api.ts";
import { type SignedIn, signIn } from "./support/sessions.ts";

let api: RunningApi;
let admin: SignedIn;
beforeAll(async () => {
  api = await startApi();
  admin = await signIn(api, "admin");
  await ask("POST", "/v1/customers", { id: "acme", name: "Acme", email: "a@acme.example", currency: "usd" });
});
afterAll(() => api.stop());

let asked = 0;
const ask = (method: string, path: string, body?: object): Promise<Answer> =>
  admin.call(method, path, body, { "idempotency-key": `write-${++asked}` });

const trail = async (query = "") => (await admin.call("GET", `/v1/audit-events?limit=100${query}`)).body.data;
/** All instants are the same here, so the newest is whatever was not there before. */
const idsNow = async (): Promise<ReadonlySet<string>> => {
  const rows = await api.db.sql<{ id: string }[]>`select id from access.audit_event`;
  return new Set(rows.map(({ id }) => id));
};
const newSince = async (before: ReadonlySet<string>): Promise<string[]> =>
  [...(await idsNow())].filter((id) => !before.has(id));

/** Ids of what earlier rows made, by the path that made it. */
const made: Record<string, string> = {};
const withIds = (path: string) =>
  path.replace(/\{([^}]+)\}/g, (_braces, name: string) => made[name] ?? "missing");

/** Every kind of write that needs nothing but the database, in an order in which each finds what it needs. */
const writes: readonly { method: string; path: string; body?: object; tables: readonly string[] }[] = [
  { method: "PATCH", path: "/v1/customers/acme", body: { name: "Acme Inc." }, tables: ["billing.customer"] },
  {
    method: "PUT",
    path: "/v1/seller",
    body: { name: "We", numbering: { series: "year", prefix: "R" } },
    tables: ["billing.seller"],
  },
  {
    method: "POST",
    path: "/v1/customers/acme/credit-grants",
    body: { amount_minor: "500", reason_code: "goodwill", reason: "late" },
    tables: ["billing.adjustment", "billing.credit_grant"],
  },
  {
    method: "POST",
    path: "/v1/customers/acme/balance-adjustments",
    body: { change_minor: "90000", reason_code: "goodwill" },
    tables: ["billing.adjustment"],
  },
  {
    method: "POST",
    path: "/v1/adjustments/{adjustment}/withdraw",
    body: { note: "not yet" },
    tables: ["billing.adjustment_decision"],
  },
  {
    method: "POST",
    path: "/v1/api-keys",
    body: { name: "one", scopes: ["read"] },
    tables: ["access.api_key"],
  },
  { method: "POST", path: "/v1/api-keys/{key}/rotate", body: {}, tables: ["access.api_key"] },
  { method: "DELETE", path: "/v1/api-keys/{key}", tables: ["access.api_key"] },
  { method: "POST", path: "/v1/customers/acme/portal-tokens", body: {}, tables: ["access.portal_token"] },
  { method: "DELETE", path: "/v1/portal-tokens/{token}", tables: ["access.portal_token"] },
  {
    method: "PUT",
    path: "/v1/customers/acme/notice-preferences",
    body: { suppressed_kinds: [] },
    tables: [],
  },
  {
    method: "POST",
    path: "/v1/webhook-endpoints",
    body: { url: "http://127.0.0.1:9/hook", kinds: ["invoice.upcoming"] },
    tables: ["notice.endpoint"],
  },
  { method: "DELETE", path: "/v1/webhook-endpoints/{endpoint}", tables: ["notice.endpoint"] },
];

const kept: Readonly<Record<string, string>> = {
  "/v1/customers/acme/balance-adjustments": "adjustment",
  "/v1/api-keys": "key",
  "/v1/customers/acme/portal-tokens": "token",
  "/v1/webhook-endpoints": "endpoint",
};

describe("the audit trail", () => {
  test.each(writes)("$method $path leaves exactly one row, in the commit of the change", async (write) => {
    const before = await idsNow();
    const answer = await ask(write.method, withIds(write.path), write.body);
    expect([answer.status < 300, answer.text]).toEqual([true, answer.text]);
    const name = kept[write.path];
    if (name !== undefined) made[name] = answer.body.id;
    const left = await newSince(before);
    expect(left).toHaveLength(1);
    const { body: event } = await admin.call("GET", `/v1/audit-events/${left[0]}`);
    expect(event).toMatchObject({ actor: admin.actor, rights: ["admin"] });
    expect(event.operation).toBe(
      `${write.method} ${write.path.replace("acme", ":id").replace(/\{\w+\}/, ":id")}`,
    );
    const tables: string[] = event.changes.map(({ table }: { table: string }) => table);
    expect(tables).toEqual(expect.arrayContaining([...write.tables]));
    // The very transaction: the trail's row and the changed one have it in common.
    const [same] = await api.db.sql`
      select count(distinct change.xmin::text) = 1 as same from access.audit_change as change
      where audit_event_id = ${event.id} and relation = any (${[...write.tables]}::text[])`;
    expect([write.tables.length, same?.same]).toEqual([write.tables.length, write.tables.length > 0]);
    expect(JSON.stringify(event)).not.toMatch(/secret_hash|"sealed"/);
  });

  test("says who, what, why, before and after", async () => {
    const [renamed] = await trail("&search=PATCH");
    expect(renamed).toMatchObject({
      resource: "customers",
      verb: "write",
      customer: "acme",
      input: { name: "Acme Inc." },
    });
    expect(renamed.changes).toMatchObject([{ before: { name: "Acme" }, after: { name: "Acme Inc." } }]);
    const [given] = await trail("&resource=credits&search=late");
    expect(given.reason).toBe("goodwill: late");
  });

  test("a repetition, a refusal and a read leave none", async () => {
    const body = { name: "again", scopes: ["read"] };
    const headers = { "idempotency-key": "only-once" };
    await admin.call("POST", "/v1/api-keys", body, headers);
    const before = await idsNow();
    await admin.call("POST", "/v1/api-keys", body, headers);
    await ask("PATCH", "/v1/customers/nobody", { name: "x" });
    await ask("POST", "/v1/customers", {
      id: "acme",
      name: "Acme",
      email: "a@acme.example",
      currency: "usd",
    });
    await ask("POST", "/v1/calculate/money", { amount: "1" });
    expect(await newSince(before)).toEqual([]);
  });

  test("can be searched by who, about whom, what and when, and turned over page by page", async () => {
    expect(await trail("&actor=person/nobody")).toEqual([]);
    expect((await trail("&customer=acme")).length).toBeGreaterThan(4);
    expect(await trail("&to=2026-03-01T12:00:00Z")).toEqual([]);
    expect(await trail("&search=100%25")).toEqual([]);
    const all = (await trail()).map(({ id }: { id: string }) => id);
    const page = (await admin.call("GET", "/v1/audit-events?limit=3")).body;
    const next = (await admin.call("GET", `/v1/audit-events?limit=3&cursor=${page.next_cursor}`)).body;
    expect([...page.data, ...next.data].map(({ id }: { id: string }) => id)).toEqual(all.slice(0, 6));
    const one = await admin.call("GET", `/v1/audit-events/${all[0]}`);
    expect(one.body).toEqual(page.data[0]);
  });

  test("can be exported whole, as CSV that no spreadsheet runs and as JSON Lines", async () => {
    await ask("PATCH", "/v1/customers/acme", { name: "=HYPERLINK(1)" });
    const all = await trail();
    const lines = (await admin.call("GET", "/v1/audit-events/export?format=jsonl")).text.trim().split("\n");
    expect(lines.map((line) => JSON.parse(line))).toEqual(all);
    const rows = readCsv((await admin.call("GET", "/v1/audit-events/export")).text);
    expect(rows).toHaveLength(all.length + 1);
    expect(rows.flat().filter((cell) => /^[=+@]/.test(cell))).toEqual([]);
  });

  test("cannot be changed or made up by the application's role", async () => {
    for (const statement of [
      "update access.audit_event set actor = 'x'",
      "delete from access.audit_change",
      "insert into access.audit_change (audit_event_id, relation, after) select id, 'x', '{}' from access.audit_event",
    ]) {
      await expect(api.db.sql.unsafe(statement)).rejects.toThrow(/permission denied/);
    }
  });

  test("is left by every write route but those whose own records are the facts", async () => {
    const routes = (await everyRoute(api)).filter(({ method }) => method !== "GET");
    const without = routes.filter(
      ({ permission }) => permission === undefined || /:read$|^usage:write$/.test(permission),
    );
    const names = without
      .map(({ method, path }) => `${method} ${path}`)
      .filter((name) => !/calculate|preview/.test(name));
    expect(names.toSorted()).toEqual([
      "DELETE /v1/session",
      "POST /v1/catalog/plan",
      "POST /v1/customers/{id}/edge-cut-offs",
      "POST /v1/entitlements/check",
      "POST /v1/events",
      "POST /v1/reservations",
      "POST /v1/reservations/{id}/extend",
      "POST /v1/reservations/{id}/release",
      "POST /v1/reservations/{id}/settle",
      "POST /v1/subscriptions/{id}/foreseen-invoices",
      "POST /v1/usage/heartbeats",
      "POST /v1/webhooks/stripe",
    ]);
  });

  test("every table that people settle is in it: the others are named", async () => {
    const rows = await api.db.sql<{ table: string }[]>`
      select nspname || '.' || relname as table from pg_class
      join pg_namespace on pg_namespace.oid = relnamespace
      where relkind in ('r', 'p') and not relispartition and nspname in ('catalog', 'billing', 'access', 'notice')
        and not exists (select from pg_trigger where tgrelid = pg_class.oid and tgname = 'audited') order by 1`;
    expect(rows.map(({ table }) => table)).toEqual([...unaudited].toSorted());
  });
});

/** What follows in numbers from what was settled, claims, and the trail itself. */
const unaudited = [
  "access.audit_change",
  "access.audit_event",
  "access.idempotency_key",
  "access.operation_outcome",
  "access.operation_target",
  "access.session",
  "billing.credit_draw",
  "billing.credit_return",
  "billing.entitlement_revision",
  "billing.invoice_line",
  "billing.invoice_part",
  "billing.late_usage_watch",
  "billing.number_series",
  "billing.open_reservation",
  "billing.opened_window",
  "billing.rated_adjustment",
  "billing.rated_usage",
  "billing.rating_run",
  "billing.receipt",
  "billing.reservation",
  "billing.reservation_expiry",
  "billing.reservation_extension",
  "billing.spending_counter",
  "notice.delivery",
  "notice.delivery_attempt",
];

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { portalRoutes } from "../../src/api/access/portal-callers.ts";
import { BilledCustomers } from "./support/billed-customer.ts";
import { type DocumentedRoute, everyRoute, filled } from "./support/every-route.ts";
import { type RunningApi, startApi } from "./support/running-api.ts";

/** Two customers with the same things each; the token is of the first one. */
let api: RunningApi;
let routes: DocumentedRoute[];
let token: string;
const things: Record<string, Record<string, string>> = {};

beforeAll(async () => {
  api = await startApi();
  const customers = new BilledCustomers(api.db);
  await customers.publish();
  for (const customer of ["own", "foreign"]) {
    const invoice = await customers.subscribe(customer);
    const grant = await api.call("POST", `/v1/customers/${customer}/credit-grants`, {
      amount_minor: "500",
      reason_code: "promotion",
    });
    const note = await api.call("POST", `/v1/invoices/${invoice}/credit-notes`, {
      reason_code: "goodwill",
      lines: [{ line: 1, amount_minor: "100" }],
    });
    things[customer] = {
      customers: customer,
      subscriptions: customer,
      invoices: invoice,
      "credit-grants": grant.body.id,
      "credit-notes": note.body.id,
    };
  }
  routes = (await everyRoute(api)).filter(({ permission }) => permission !== undefined);
  token = await newToken("own");
});
afterAll(() => api.stop());

const newToken = async (customer: string, body: object = {}): Promise<string> =>
  (await api.call("POST", `/v1/customers/${customer}/portal-tokens`, body)).body.secret;

/** What a customer would send, so that nothing but whose it is can be refused. */
const bodies: Record<string, object> = {
  "payment-methods": { token: "pm_card_visa" },
  "notice-preferences": { suppressed_kinds: [] },
  "spending-caps": {
    amount_minor: "1000",
    window: { type: "billing_cycle" },
    spender: { type: "organisation" },
  },
  "change-preview": { kind: "change_quantity", seats: 4 },
  "change-plan": { plan: "enterprise" },
  "change-quantity": { seats: 4 },
  cancel: { when: "period_end" },
  uncancel: {},
};

const nameOf = ({ method, path }: DocumentedRoute) => `${method} ${path.replace(/\{([^}]+)\}/g, ":$1")}`;

async function ask(route: DocumentedRoute, whose: "own" | "foreign", id?: string) {
  const [, , collection = "", , last = ""] = route.path.split("/");
  const path = filled(route.path, (name) =>
    name === "id" ? (id ?? things[whose]?.[collection] ?? "nobody-1") : name === "key" ? "pro" : "1",
  );
  const isList = route.method === "GET" && !route.path.includes("{");
  const body = ["GET", "DELETE"].includes(route.method) ? undefined : (bodies[last] ?? {});
  return api.call(route.method, isList ? `${path}?customer=${things[whose]?.customers}` : path, body, {
    key: token,
  });
}

describe("a token for a customer's own pages", () => {
  test("is refused every route with every id that is not its customer's, and every route that is not listed", async () => {
    const open: string[] = [];
    for (const route of routes) {
      if (nameOf(route) === "GET /v1/plans/:key") continue;
      const answer = await ask(route, "foreign");
      if (answer.body?.code !== "portal_refused")
        open.push(`${nameOf(route)}: ${answer.status} ${answer.body?.code}`);
      if (!portalRoutes.has(nameOf(route))) continue;
      const unknown = await ask(route, "own", "nobody-1");
      const isList = !route.path.includes("{");
      // There and not there look the same.
      if (!isList && unknown.body?.detail !== answer.body?.detail)
        open.push(`${nameOf(route)} tells what is there`);
    }
    expect(open).toEqual([]);
    expect(routes.length).toBeGreaterThan(150);
  });

  test("opens every listed route with its customer's own ids", async () => {
    const listed = routes.filter((route) => portalRoutes.has(nameOf(route)));
    expect(listed.map(nameOf).toSorted()).toEqual([...portalRoutes.keys()].toSorted());
    const shut: string[] = [];
    for (const route of listed) {
      const answer = await ask(route, "own");
      if ([401, 403].includes(answer.status))
        shut.push(`${nameOf(route)}: ${answer.status} ${answer.body?.detail}`);
    }
    expect(shut).toEqual([]);
  });

  test.each([
    { action: "change-plan", body: { plan: "pro", overrides: [] }, field: "overrides" },
    { action: "change-quantity", body: { seats: 1, proration: { settle: "none" } }, field: "proration" },
    { action: "cancel", body: { unused: "refund" }, field: "unused" },
  ])(
    "may not say $field to $action: that is money, and not the customer's to say",
    async ({ action, body, field }) => {
      const answer = await api.call("POST", `/v1/subscriptions/own/${action}`, body, { key: token });
      expect([answer.status, answer.body.code, answer.body.field]).toEqual([403, "portal_refused", field]);
    },
  );

  test("a list without the customer, and one of another customer, is refused", async () => {
    for (const query of ["", "?customer=foreign"]) {
      const answer = await api.call("GET", `/v1/invoices${query}`, undefined, { key: token });
      expect([answer.status, answer.body.code]).toEqual([403, "portal_refused"]);
    }
    const own = await api.call("GET", "/v1/invoices?customer=own", undefined, { key: token });
    expect(own.body.data.map(({ customer }: { customer: string }) => customer)).toEqual(["own"]);
  });

  test("says whose it is, ends when it is revoked, and is kept nowhere", async () => {
    const answer = await api.call(
      "POST",
      "/v1/customers/own/portal-tokens",
      {},
      { idempotencyKey: "let-in" },
    );
    const { secret, id } = answer.body;
    const session = await api.call("GET", "/v1/session", undefined, { key: secret });
    expect(session.body).toMatchObject({
      kind: "portal",
      customer: "own",
      actor: `portal/${id}`,
      allowed: [],
    });
    const again = await api.call("POST", "/v1/customers/own/portal-tokens", {}, { idempotencyKey: "let-in" });
    expect(again.body).toEqual({ ...answer.body, secret: null });
    await api.call("DELETE", `/v1/portal-tokens/${id}`);
    const ended = await api.call("GET", "/v1/customers/own", undefined, { key: secret });
    expect([ended.status, ended.body.code]).toEqual([401, "portal_token_invalid"]);
    expect(api.log()).not.toContain(secret);
    const [row] = await api.db
      .sql`select string_agg(to_jsonb(t)::text, '') as text from access.portal_token as t`;
    expect(row?.text).not.toContain(secret);
  });

  test.each(["rp_", "rp_nothing", `rp_${"x".repeat(43)}`])("%s is no token", async (key) => {
    const answer = await api.call("GET", "/v1/customers/own", undefined, { key });
    expect([answer.status, answer.body.code]).toEqual([401, "portal_token_invalid"]);
  });
});

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { entitlementCheckSchema, entitlementListSchema } from "../../src/api/routes/entitlement-schemas.ts";
import { insertTestClock, moveTestClock } from "../../src/db/billing/test-clocks.ts";
import { instant } from "../../src/domain/calendar/index.ts";
import { checkFeature, createReckonerClient } from "../../src/sdk/index.ts";
import { addCustomer } from "../db/usage-fixture.ts";
import { insertAsOwner } from "./support/billing-rows.ts";
import { type EntitlementApi, entitlementCatalog, startEntitlementApi } from "./support/entitlement-api.ts";

// The wall clock of the API is at 2026-03-01T12:00:00Z; billing cycles begin on the tenth.
let api: EntitlementApi;
beforeAll(async () => {
  api = await startEntitlementApi();
});
afterAll(() => api.stop());

const hour = 3_600_000;

/** The answer for the one feature that is asked for. */
async function checkOne(customer: string, feature: object, subject: Record<string, string> = {}) {
  const { status, body } = await api.check(customer, [feature], subject);
  expect(status).toBe(200);
  expect(entitlementCheckSchema.parse(body)).toEqual(body);
  return body.features[0];
}

describe("who gives what", () => {
  test("a plan with an add-on: features are added, settings combined, limits summed, sources named", async () => {
    await api.subscribe("both", "pro", "extra");
    const { body } = await api.check(
      "both",
      [
        { feature: "sso" },
        { feature: "models", value: "large" },
        { feature: "projects", value: "20" },
        { feature: "projects", value: "21" },
        { feature: "requests" },
      ],
      { user: "u1" },
    );
    const plan = {
      type: "plan",
      subscription: "sub-both",
      plan: "pro",
      plan_version: 1,
      feature_grant: null,
    };
    const addOn = { ...plan, type: "add_on", plan: "extra" };
    const [sso, models, projects, tooMany, requests] = body.features;
    expect(sso).toMatchObject({ allowed: true, reason: "granted", sources: [addOn] });
    expect(models).toMatchObject({ allowed: true, setting: ["large", "small"], sources: [plan, addOn] });
    expect(projects).toMatchObject({ allowed: true, reason: "granted", setting: "20" });
    expect(tooMany).toMatchObject({ allowed: false, reason: "value_not_included" });
    expect(requests).toMatchObject({
      allowed: true,
      reason: "within_limits",
      limits: [
        { level: "customer", quantity: "15", used: "0", left: "15", sources: [0, 1] }, // 10 + 5
        { level: "user", quantity: "3", used: "0", left: "3", sources: [0] },
      ],
      next: { quantity: "1", cost_minor: "0", paid_from: [{ bucket: "allowance", amount_minor: "0" }] },
    });
    expect(body).toMatchObject({ allowed: false, subscriptions: [{ id: "sub-both", status: "active" }] });
  });

  test("the SDK asks after one feature", async () => {
    await api.subscribe("typed", "pro");
    const reckoner = createReckonerClient({ baseUrl: api.url, apiKey: api.adminKey });
    const question = { customer: "typed", feature: "requests", quantity: "4", subject: { user: "u1" } };
    const { allowed, reason, decided_by: by } = await checkFeature(reckoner, question);
    expect([allowed, reason, by?.level, by?.left]).toEqual([false, "limit_reached", "user", "3"]);
  });

  test("what nobody gives is denied; what there is not is refused", async () => {
    await api.subscribe("bare");
    expect(await checkOne("bare", { feature: "sso" })).toMatchObject({
      allowed: false,
      reason: "not_entitled",
      sources: [],
      limits: null,
    });
    const unknown = await api.check("bare", [{ feature: "sso" }, { feature: "flying" }]);
    expect(unknown.status).toBe(422);
    expect(unknown.body).toMatchObject({ code: "feature_unknown", field: "features[1].feature" });
    const nobody = await api.check("nobody", [{ feature: "sso" }]);
    expect([nobody.status, nobody.body.code]).toEqual([404, "customer_not_found"]);
    const other = await api.call("POST", "/v1/entitlements/check", {
      customer: "bare",
      features: [],
      user: "u",
    });
    expect([other.status, other.body.code]).toEqual([400, "request_invalid"]);
  });

  test("a grant comes on top, a contract stands in the place of plans; what has ended or not begun gives nothing", async () => {
    await api.subscribe("given", "pro");
    const monthly = (quantity: string) => [{ quantity, window: { type: "calendar", unit: "month" } }];
    const grant = await api.give("given", {
      feature: "requests",
      limits: monthly("100"),
      reason: "an outage",
    });
    expect(grant.status).toBe(201);
    expect(grant.body).toMatchObject({ status: "active", kind: "grant", reason_code: "goodwill", end: null });
    const later = { feature: "sso", effective_at: "2026-03-02T00:00:00Z" };
    expect((await api.give("given", later)).body.status).toBe("scheduled");
    const quantities = async () =>
      (await checkOne("given", { feature: "requests" }, { user: "u" })).limits.map(
        ({ level, quantity }: { level: string; quantity: string }) => `${level} ${quantity}`,
      );
    expect(await quantities()).toEqual(["customer 110", "user 3"]);
    expect(await checkOne("given", { feature: "sso" })).toMatchObject({ reason: "not_entitled" });
    const contract = await api.give("given", {
      feature: "requests",
      kind: "contract",
      limits: monthly("50"),
    });
    expect(await quantities()).toEqual(["customer 150"]); // 50 by contract, 100 on top
    await api.call("POST", `/v1/feature-grants/${contract.body.id}/end`, { reason: "it was void" });
    expect(await quantities()).toEqual(["customer 110", "user 3"]);
    const again = await api.call("POST", `/v1/feature-grants/${contract.body.id}/end`, { reason: "another" });
    expect([again.status, again.body.code]).toEqual([409, "feature_grant_ended"]);
    const { body } = await api.call("GET", "/v1/customers/given/feature-grants");
    expect(body.data.map(({ status }: { status: string }) => status).toSorted()).toEqual([
      "active",
      "ended",
      "scheduled",
    ]);
  });

  test.each([
    { grant: { feature: "flying" }, field: "feature", code: "entitlement_invalid" },
    { grant: { feature: "sso", limit: "5" }, field: "limit", code: "entitlement_invalid" },
    { grant: { feature: "models" }, field: "values", code: "entitlement_invalid" },
    {
      grant: { feature: "requests", limits: [{ quantity: "1", window: { type: "never" }, per: ["team"] }] },
      field: "limits[0].per[0]",
      code: "entitlement_invalid",
    },
    {
      grant: { feature: "sso", expires_at: "2026-03-01T12:00:00Z" },
      field: "expires_at",
      code: "feature_grant_expiry_invalid",
    },
    {
      grant: { feature: "sso", effective_at: "2026-03-01T11:59:59Z" },
      field: "effective_at",
      code: "feature_grant_effective_invalid",
    },
  ])("a grant that cannot be is refused at $field: $code", async ({ grant, field, code }) => {
    const { status, body } = await api.give("bare", grant);
    expect({ status, code: body.code, field: body.field }).toEqual({ status: 422, code, field });
  });
});

test("a meter keeps the dimensions that limits of sold plans are for", async () => {
  const [, ...others] = entitlementCatalog.meters;
  const meters = [
    { key: "requests", event_type: "request", aggregation: "count", dimensions: ["model"] },
    ...others,
  ];
  const { status, body } = await api.call("PUT", "/v1/catalog", { meters, plans: [] });
  expect([status, body.code, body.field]).toEqual([422, "meter_in_use", "meters[0].dimensions"]);
});

describe("what is used", () => {
  test("an event that was accepted over HTTP is in the next check, of all and of each user", async () => {
    await api.subscribe("busy", "pro");
    for (let count = 1; count <= 3; count++) {
      await api.use("busy", { user: "u1", agoMs: 4 * hour });
      const { limits } = await checkOne("busy", { feature: "requests" }, { user: "u1" });
      expect(limits.map(({ used }: { used: string }) => used)).toEqual([`${count}`, `${count}`]);
    }
    expect(await checkOne("busy", { feature: "requests" }, { user: "u1" })).toMatchObject({
      allowed: false,
      reason: "limit_reached",
      // Used at 08:00, of a window of five hours that is kept by the minute.
      decided_by: {
        feature: "requests",
        level: "user",
        used: "3",
        left: "0",
        resets_at: "2026-03-01T13:01:00.000Z",
      },
    });
    expect(await checkOne("busy", { feature: "requests" }, { user: "u2" })).toMatchObject({
      allowed: true,
      limits: [{ used: "3" }, { used: "0" }],
    });
    expect(await checkOne("busy", { feature: "requests" })).toMatchObject({
      allowed: false,
      reason: "subject_missing",
      decided_by: { level: "user", used: null },
    });
    expect(await checkOne("busy", { feature: "requests", quantity: "13" }, { user: "u3" })).toMatchObject({
      reason: "limit_reached",
      // 3 + 13 > 10, and 13 > 3, which never fits.
      decided_by: { level: "user", resets_at: null },
    });
  });

  test("beyond an allowance it is charged, until the budget is spent", async () => {
    await api.subscribe("spender", "pro");
    await api.use("spender", { tokens: 600 });
    expect(await checkOne("spender", { feature: "tokens", quantity: "400" })).toMatchObject({
      reason: "within_limits",
      next: { cost_minor: "0", paid_from: [{ bucket: "allowance" }] },
    });
    expect(await checkOne("spender", { feature: "tokens", quantity: "500" })).toMatchObject({
      allowed: true,
      reason: "beyond_allowance",
      decided_by: { used: "600", left: "400", resets_at: "2026-03-10T00:00:00.000Z" },
      // 600 + 500 - 1000 = 100 beyond what is included, at 0.01.
      next: { cost_minor: "1", paid_from: [{ bucket: "on_demand", credit_grant: null, amount_minor: "1" }] },
      budgets: [{ feature: "spending", amount_minor: "20", used: "0", left: "20" }],
    });
    await api.use("spender", { tokens: 2_000 });
    expect(await checkOne("spender", { feature: "tokens", quantity: "400" })).toMatchObject({
      allowed: true,
      budgets: [{ used: "16", left: "4" }], // 1,600 beyond, at 0.01
    });
    expect(await checkOne("spender", { feature: "tokens", quantity: "401" })).toMatchObject({
      allowed: false,
      reason: "budget_reached",
      decided_by: { feature: "spending", level: "customer", amount_minor: "20", used: "16" },
    });
  });

  test("what a user holds pays for his next unit, and for nobody else's", async () => {
    await api.subscribe("seats", "pro");
    const credit = { amount_minor: "3", reason_code: "goodwill", kind: "goodwill" };
    const { body: grant } = await api.call("POST", "/v1/customers/seats/credit-grants", credit);
    const held = { credit_grant: grant.id, holder: { type: "user", key: "u_1" } };
    expect((await api.call("POST", "/v1/customers/seats/grant-holders", held)).status).toBe(201);
    await api.use("seats", { tokens: 1_000 });
    const paidBy = async (user: string) => {
      const { next } = await checkOne("seats", { feature: "tokens", quantity: "400" }, { user });
      return next.paid_from.map((part: Record<string, string>) => `${part.bucket} ${part.amount_minor}`);
    };
    expect(await paidBy("u_1")).toEqual(["seat_allowance 3", "on_demand 1"]);
    expect(await paidBy("u_2")).toEqual(["on_demand 4"]);
  });

  test("credit pays before money, after what was used before will draw on it", async () => {
    await api.subscribe("credited", "pro");
    const credit = { amount_minor: "3", reason_code: "goodwill", kind: "goodwill" };
    const { body: grant } = await api.call("POST", "/v1/customers/credited/credit-grants", credit);
    await api.use("credited", { tokens: 1_200 }); // 200 beyond: 2 of the credit
    const { next } = await checkOne("credited", { feature: "tokens", quantity: "200" });
    expect(next).toEqual({
      quantity: "200",
      cost_minor: "2",
      paid_from: [
        { bucket: "prepaid_credits", credit_grant: grant.id, amount_minor: "1" },
        { bucket: "on_demand", credit_grant: null, amount_minor: "1" },
      ],
    });
  });

  test("what a budget's window has spent is what the period came to since", async () => {
    await api.subscribe("hourly", "pro");
    const window = { type: "rolling", length: { unit: "hour", count: 1 } };
    const limits = [{ amount_minor: "2", window }];
    await api.give("hourly", { feature: "spending", kind: "contract", limits });
    await api.use("hourly", { tokens: 1_500, agoMs: 3 * hour }); // 500 beyond, before the window
    await api.use("hourly", { tokens: 100, agoMs: 600_000 });
    expect(await checkOne("hourly", { feature: "tokens", quantity: "100" })).toMatchObject({
      allowed: true,
      budgets: [{ feature: "spending", used: "1", left: "1" }],
    });
    expect(await checkOne("hourly", { feature: "tokens", quantity: "101" })).toMatchObject({
      reason: "budget_reached",
    });
  });

  test("a window of first use opens with it, and stays where it was told", async () => {
    await api.subscribe("worker", "pro");
    const windowOf = async () => {
      const { allowed, limits } = await checkOne("worker", { feature: "jobs" });
      return [allowed, limits[0].used, limits[0].window_start, limits[0].resets_at];
    };
    expect(await windowOf()).toEqual([true, "0", null, null]);
    await api.use("worker", { type: "job", agoMs: 2 * hour });
    const opened = ["2026-03-01T10:00:00.000Z", "2026-03-01T15:00:00.000Z"];
    expect(await windowOf()).toEqual([true, "1", ...opened]);
    await api.use("worker", { type: "job", agoMs: 3 * hour }); // was before the window that was told
    expect(await windowOf()).toEqual([true, "1", ...opened]);
    await api.use("worker", { type: "job", agoMs: hour });
    expect(await windowOf()).toEqual([false, "2", ...opened]);
  });

  test("on a test clock, windows are those of its time", async () => {
    await insertTestClock(api.db.orm, "clock", instant("2026-02-27T12:00:00Z"));
    await addCustomer(api.db, "clocked", "clock");
    const window = { type: "calendar", unit: "month" };
    await api.give("clocked", { feature: "requests", limits: [{ quantity: "1", window }] });
    await api.use("clocked", { agoMs: 48 * hour }); // on the 27th
    expect(await checkOne("clocked", { feature: "requests" })).toMatchObject({
      reason: "limit_reached",
      decided_by: { used: "1", resets_at: "2026-03-01T00:00:00.000Z" },
    });
    const at = instant("2026-03-01T00:00:00Z");
    await moveTestClock(api.db.orm, "clock", { currentAt: at, targetAt: at, isSettled: true });
    expect(await checkOne("clocked", { feature: "requests" })).toMatchObject({
      allowed: true,
      limits: [{ used: "0" }],
    });
  });

  test("all that a customer has is listed, with what is used of it", async () => {
    const { status, body } = await api.call("GET", "/v1/customers/spender/entitlements?subject=user:u1");
    expect(status).toBe(200);
    expect(entitlementListSchema.parse(body)).toEqual(body);
    expect(
      body.data.map(
        ({ feature, allowed, limits }: { feature: string; allowed: boolean; limits: { used: string }[] }) => [
          feature,
          allowed,
          limits?.map(({ used }) => used) ?? null,
        ],
      ),
    ).toEqual([
      ["jobs", true, ["0"]],
      ["models", true, null],
      ["projects", true, null],
      ["requests", true, ["2", "2"]],
      ["spending", true, ["16"]],
      ["support", true, null],
      ["tokens", true, ["2600"]],
    ]);
  });
});

describe("access", () => {
  test.each([
    { customer: "waiting", status: "incomplete", reason: "subscription_incomplete" },
    { customer: "resting", status: "paused", reason: "subscription_paused" },
  ])("a subscription that is $status gives nothing, and is named", async ({ customer, status, reason }) => {
    await api.subscribe(customer);
    await copySubscription(customer, status);
    expect(await checkOne(customer, { feature: "models" })).toMatchObject({
      allowed: false,
      reason,
      hindered_by: `sub-${customer}`,
    });
    await api.give(customer, { feature: "models", values: ["tiny"] });
    expect(await checkOne(customer, { feature: "models" })).toMatchObject({
      allowed: true,
      setting: ["tiny"],
    });
  });

  test("a trial gives what its plan does, until the subscription ends", async () => {
    await api.subscribe("trying");
    await copySubscription("trying", "trialing");
    expect((await api.check("trying", [{ feature: "models" }])).body).toMatchObject({
      allowed: true,
      subscriptions: [{ id: "sub-trying", status: "trialing" }],
    });
    await api.db
      .sql`update billing.subscription set cancel_at = '2026-03-01T12:00:00Z' where id = 'sub-trying'`;
    expect(await checkOne("trying", { feature: "models" })).toMatchObject({
      reason: "not_entitled",
      hindered_by: null,
    });
  });

  test.each([
    { level: "limited", models: "access_limited", support: "granted" },
    { level: "ended", models: "access_ended", support: "access_ended" },
  ])("an invoice that is not paid leaves access $level", async ({ level, models, support }) => {
    const customer = `owing-${level}`;
    await api.subscribe(customer, "pro");
    const policy = JSON.stringify({ access: [{ afterMs: 0, level }], finalAction: "cancel" });
    await insertAsOwner(
      api.ownerUrl,
      `insert into billing.invoice (id, source_key, kind, customer_id, subscription_id, number, status, currency, period_start,
        period_end, subtotal_minor, credits_applied_minor, balance_applied_minor, total_minor, issued_at)
      values ('${customer}', '${customer}', 'cycle', '${customer}', 'sub-${customer}', '${customer}', 'open', 'usd', '2026-01-10Z',
        '2026-02-10Z', 5, 0, 0, 5, '2026-02-10Z');
      insert into billing.invoice_part (invoice_id, part, subscription_id) values ('${customer}', 1, 'sub-${customer}');
      insert into billing.dunning (invoice_id, state, attempts, started_at, policy)
      values ('${customer}', 'retrying', 1, '2026-02-20Z', '${policy}')`,
    );
    const { body } = await api.check(customer, [{ feature: "models" }, { feature: "support" }]);
    expect(body.access).toEqual({ level, invoice: customer });
    expect(body.features.map(({ reason }: { reason: string }) => reason)).toEqual([models, support]);
  });
});

/** A subscription of a customer in a state, with the terms of one that there is. */
async function copySubscription(customer: string, status: string): Promise<void> {
  const id = `sub-${customer}`;
  const begun = status === "paused" ? "active" : status;
  const trialEndsAt = status === "trialing" ? "2026-03-12T00:00:00Z" : null;
  const expiresAt = status === "incomplete" ? "2026-03-12T00:00:00Z" : null;
  await api.db.sql`
    insert into billing.subscription (id, customer_id, status, started_at, interval_unit, interval_count, time_zone, currency,
      grace_seconds, billed_through, trial_ends_at, expires_at)
    select ${id}, ${customer}, ${begun}, started_at, interval_unit, interval_count, time_zone, currency, grace_seconds,
      billed_through, ${trialEndsAt}::text::timestamptz, ${expiresAt}::text::timestamptz
    from billing.subscription where id = 'sub-both'`;
  await api.db.sql`
    insert into billing.subscription_terms (subscription_id, effective_at, change_id, items, paused)
    select ${id}, effective_at, change_id, items, paused
    from billing.subscription_terms where subscription_id = 'sub-both'`;
  await api.db
    .sql`update billing.subscription set status = ${status} where id = ${id} and status <> ${status}`;
}

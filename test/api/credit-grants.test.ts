import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { keepUpAllGrants } from "../../src/activities/keep-up-grants.ts";
import { instantOfEpochMs } from "../../src/domain/calendar/index.ts";
import { expectInvariants } from "../support/invariants.ts";
import { adjusting } from "./support/adjusting.ts";
import { insertAsOwner } from "./support/billing-rows.ts";
import { buyCredit } from "./support/paid-credit.ts";
import { type Answer, type RunningApi, startApi, wallClock } from "./support/running-api.ts";

let api: RunningApi;
let [support, finance] = ["", ""];
const { person, customer, grant, post, voidGrant } = adjusting(() => api);

beforeAll(async () => {
  api = await startApi();
  [support, finance] = [await person("write"), await person("write", "approve")];
  const published = await api.call("PUT", "/v1/catalog", catalog);
  expect(published.body, published.text).toMatchObject({ plans: [{ change: "new" }] });
});
afterAll(async () => {
  // The database's clock says what is overdue, and it is later than the API's.
  await keepUpAllGrants(api.db, instantOfEpochMs(Date.now()), 1_000);
  await expectInvariants(api.db);
  await api.stop();
});

const get = async (path: string) => (await api.call("GET", `/v1/${path}`)).body;
const recurring = (id: string, terms: object = {}): Promise<Answer> =>
  post(
    `customers/${id}/recurring-credit-grants`,
    {
      amount_minor: "1000",
      interval: { unit: "month" },
      expires_at: "2026-07-01T12:00:00Z",
      reason_code: "contract",
      ...terms,
    },
    support,
  );
const keepUp = () => keepUpAllGrants(api.db, wallClock);

describe("a grant", () => {
  test("says what it may pay, from when on and until when", async () => {
    const id = await customer();
    const scope = { products: ["tokens"], prices: [{ plan: "pro", price: "storage" }], features: ["models"] };
    const times = { effective_at: "2026-04-01T00:00:00.000Z", expires_at: "2026-05-01T00:00:00.000Z" };
    const given = await grant(id, "500", support, { scope, ...times, priority: 10 });
    expect([given.status, given.body]).toMatchObject([
      201,
      { status: "pending", scope, ...times, priority: 10, recurring_grant: null, end: null },
    ]);
    const everything = await grant(id, "500", support);
    expect(everything.body).toMatchObject({ status: "active", scope: null });
    const scopeOfOne = { products: ["tokens"] };
    expect((await grant(id, "1", support, { scope: scopeOfOne })).body.scope).toEqual({
      ...scopeOfOne,
      prices: [],
      features: [],
    });
  });

  test.each([
    { terms: { scope: { products: ["tokns"] } }, code: "credit_scope_unknown", field: "scope" },
    {
      terms: { scope: { prices: [{ plan: "pro", price: "base" }] } },
      code: "credit_scope_unknown",
      field: "scope",
    },
    { terms: { scope: { features: ["sso"] } }, code: "credit_scope_unknown", field: "scope" },
    { terms: { scope: {} }, code: "request_invalid", field: "scope" },
    {
      terms: { effective_at: "2026-02-28T00:00:00Z" },
      code: "credit_effective_invalid",
      field: "effective_at",
    },
    {
      terms: { effective_at: "2026-04-02T00:00:00Z", expires_at: "2026-04-02T00:00:00Z" },
      code: "credit_expiry_invalid",
      field: "expires_at",
    },
  ])("with $terms is refused: $code", async ({ terms, code, field }) => {
    const answer = await grant(await customer(), "500", support, terms);
    expect(answer.body).toMatchObject({ code, field });
  });

  test("above the limit keeps its terms until somebody else agrees", async () => {
    const id = await customer();
    const terms = { scope: { products: ["tokens"] }, effective_at: "2026-04-01T00:00:00.000Z" };
    const waiting = await grant(id, "50001", support, terms);
    expect(waiting.status).toBe(202);
    await post(`adjustments/${waiting.body.id}/approve`, {}, finance);
    expect(await get(`credit-grants/${waiting.body.credit_grant}`)).toMatchObject({
      status: "pending",
      scope: { products: ["tokens"], prices: [], features: [] },
      effective_at: terms.effective_at,
      draws: [],
    });
  });

  test("that is not there is not found", async () => {
    expect(await get("credit-grants/none")).toMatchObject({ status: 404, code: "credit_grant_not_found" });
  });
});

test("a balance is what can be spent, in the order in which it is, with what is lost next", async () => {
  const id = await customer();
  await buyCredit(api.db, { grantId: "bal-paid", customerId: id, amountMinor: 2_000n });
  const gift = (await grant(id, "300", support, { expires_at: "2026-04-01T00:00:00.000Z" })).body.id;
  const first = (await grant(id, "200", support, { priority: 1 })).body.id;
  const later = (await grant(id, "100", support, { effective_at: "2026-05-01T00:00:00Z" })).body.id;
  const gone = (await grant(id, "50", support)).body.id;
  await voidGrant(gone, support);
  const balance = await get(`customers/${id}/credit-balance`);
  expect(balance).toMatchObject({
    customer: id,
    currency: "usd",
    as_of: "2026-03-01T12:00:00.000Z",
    remaining_minor: "2500",
    available_minor: "2500",
    burn_order: "priority_first",
    burn_order_of: null,
    next_expiry: { at: "2026-04-01T00:00:00.000Z", credit_grant: gift, amount_minor: "300" },
  });
  const ids = (grants: { id: string }[]) => grants.map((each) => each.id);
  expect(ids(balance.grants)).toEqual([first, gift, "bal-paid"]);
  expect(ids(balance.upcoming)).toEqual([later]);
});

describe("a recurring grant", () => {
  test("within the limit is agreed to at once, and given by the worker, once", async () => {
    const id = await customer();
    // Four times 10.00: on 1 March, April, May and June; none on 1 July, when it ends.
    const made = await recurring(id, { scope: { products: ["tokens"] }, priority: 5 });
    expect([made.status, made.body]).toMatchObject([
      201,
      {
        status: "active",
        amount_minor: "1000",
        total_minor: "4000",
        interval: { unit: "month", count: 1 },
        time_zone: "UTC",
        first: "at_once",
        next_at: "2026-03-01T12:00:00.000Z",
        given: 0,
        rollover: null,
        approval: { limit_minor: "50000", needed: false },
        decision: null,
        end: null,
      },
    ]);
    await keepUp();
    await keepUp();
    const { data } = await get(`customers/${id}/credit-grants`);
    expect(data).toMatchObject([
      {
        id: `${made.body.id}.0`,
        kind: "promotional",
        status: "active",
        amount_minor: "1000",
        priority: 5,
        scope: { products: ["tokens"], prices: [] },
        effective_at: "2026-03-01T12:00:00.000Z",
        expires_at: "2026-04-01T12:00:00.000Z",
        recurring_grant: made.body.id,
        occurrence: 0,
      },
    ]);
    expect(await get(`recurring-credit-grants/${made.body.id}`)).toMatchObject({
      given: 1,
      next_at: "2026-04-01T12:00:00.000Z",
    });
  });

  test.each([
    { terms: { amount_minor: "12501" }, total: "50004", why: "four times 125.01 are above 500.00" },
    { terms: { expires_at: undefined }, total: null, why: "without an end" },
    {
      terms: { rollover: { min_minor: "12000", max_minor: "12000" } },
      total: "52000",
      why: "what the rollover adds counts",
    },
  ])("waits for somebody else: $why", async ({ terms, total }) => {
    const id = await customer();
    const made = await recurring(id, terms);
    expect([made.status, made.body]).toMatchObject([
      202,
      { status: "pending_approval", total_minor: total, next_at: null, approval: { needed: true } },
    ]);
    await keepUp();
    expect((await get(`customers/${id}/credit-grants`)).data).toEqual([]);
    const path = `recurring-credit-grants/${made.body.id}`;
    const [own, others] = [
      await post(`${path}/approve`, {}, support),
      await post(`${path}/withdraw`, {}, finance),
    ];
    expect([own.body.code, others.body.code]).toEqual(["scope_missing", "requester_only"]);
    expect((await post(`${path}/approve`, { note: "agreed" }, finance)).body).toMatchObject({
      status: "active",
      decision: { outcome: "approved", note: "agreed" },
    });
    expect((await post(`${path}/reject`, { note: "no" }, finance)).body).toMatchObject({
      status: 409,
      code: "recurring_grant_not_pending",
    });
    await keepUp();
    expect((await get(`customers/${id}/credit-grants`)).data).toHaveLength(1);
  });

  test("many small ones of one key within a day add up", async () => {
    const id = await customer();
    const small = { amount_minor: "6000" };
    expect([(await recurring(id, small)).status, (await recurring(id, small)).status]).toEqual([201, 201]);
    const third = await recurring(id, small);
    expect(third.status).toBe(202);
    expect((await get(`customers/${id}/recurring-credit-grants?status=active`)).data).toHaveLength(2);
    const waiting = (await get("recurring-credit-grants?status=pending_approval")).data;
    expect(waiting).toContainEqual(third.body);
    expect(waiting.every(({ status }: { status: string }) => status === "pending_approval")).toBe(true);
  });

  test("that was rejected or withdrawn is never given", async () => {
    const id = await customer();
    for (const [decision, key] of [
      ["reject", finance],
      ["withdraw", support],
    ] as const) {
      const { body } = await recurring(id, { amount_minor: "20000" });
      const decided = await post(`recurring-credit-grants/${body.id}/${decision}`, { note: "no" }, key);
      expect(decided.body.decision.outcome).toMatch(decision);
      const end = await post(`recurring-credit-grants/${body.id}/end`, {}, support);
      expect(end.body).toMatchObject({ status: 409, code: "recurring_grant_not_active" });
    }
    await keepUp();
    expect((await get(`customers/${id}/credit-grants`)).data).toEqual([]);
  });

  test("that is ended gives no more, and what was given stays", async () => {
    await insertAsOwner(
      api.ownerUrl,
      "insert into billing.test_clock (id, current_at, target_at) values ('rec', '2026-01-15Z', '2026-01-15Z')",
    );
    const id = await customer("usd", "rec");
    const { body } = await recurring(id, {
      interval: { unit: "week", count: 2 },
      expires_at: "2026-04-01T00:00:00Z",
    });
    const clockAt = (at: string) =>
      insertAsOwner(
        api.ownerUrl,
        `update billing.test_clock set current_at = '${at}', target_at = '${at}' where id = 'rec'`,
      );
    await clockAt("2026-02-01Z");
    // What is due is given though it is ended first: the 15th and the 29th of January.
    const ended = await post(`recurring-credit-grants/${body.id}/end`, { reason: "contract over" }, support);
    expect(ended.body).toMatchObject({ status: "ended", end: { reason: "contract over" } });
    await clockAt("2026-03-20Z");
    await keepUp();
    const { data } = await get(`customers/${id}/credit-grants`);
    expect(data).toMatchObject([
      {
        occurrence: 1,
        status: "expired",
        end: { cause: "expired", held_minor: "1000", rolled_over_minor: "0" },
      },
      { occurrence: 0, status: "expired", end: { cause: "expired", held_minor: "1000" } },
    ]);
  });

  test.each([
    { terms: { rollover: { min_minor: "2", max_minor: "1" } }, code: "credit_rollover_invalid" },
    {
      terms: { first: "at_instant", anchor: "2026-03-01T00:00:00Z", expires_at: "2026-03-20T00:00:00Z" },
      code: "recurring_grant_never_given",
    },
    { terms: { interval: { unit: "hour" } }, code: "request_invalid" },
    { terms: { reason_code: "other" }, code: "request_invalid" },
    { terms: { expires_at: "2026-01-01T00:00:00Z" }, code: "credit_expiry_invalid" },
  ])("with $terms is refused: $code", async ({ terms, code }) => {
    expect((await recurring(await customer(), terms)).body.code).toBe(code);
  });

  test("asked for twice under one key is one", async () => {
    const id = await customer();
    const body = {
      amount_minor: "10",
      interval: { unit: "day" },
      expires_at: "2026-03-05T00:00:00Z",
      reason_code: "promotion",
    };
    const path = `/v1/customers/${id}/recurring-credit-grants`;
    const options = { key: support, idempotencyKey: "once-and-again" };
    const [one, other] = [
      await api.call("POST", path, body, options),
      await api.call("POST", path, body, options),
    ];
    expect(other.body).toEqual(one.body);
    expect((await get(`customers/${id}/recurring-credit-grants`)).data).toHaveLength(1);
  });
});

const usage = (key: string, product: string) => ({
  ...{ key, type: "usage", name: key, product, meter: "tokens", where: { kind: key }, unit_label: "token" },
  ...{ model: { type: "per_unit", unit_price_minor: "1" }, included: "0" },
});

const catalog = {
  meters: [
    { key: "tokens", event_type: "request", aggregation: "sum", property: "tokens", dimensions: ["kind"] },
  ],
  features: [
    { key: "models", name: "Models", type: "boolean" },
    { key: "sso", name: "Single sign-on", type: "boolean" },
  ],
  plans: [
    {
      key: "pro",
      name: "Pro",
      currency: "usd",
      interval: { unit: "month", count: 1 },
      prices: [
        {
          key: "base",
          type: "flat",
          name: "Base",
          product: "platform",
          timing: "in_advance",
          amount_minor: "100",
        },
        { ...usage("tokens", "tokens"), feature: "models" },
        usage("storage", "storage"),
      ],
    },
  ],
};

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { keepUpAllGrants } from "../../src/activities/keep-up-grants.ts";
import { instantOfEpochMs } from "../../src/domain/calendar/index.ts";
import { expectInvariants } from "../support/invariants.ts";
import { adjusting, refusal } from "./support/adjusting.ts";
import { type RunningApi, startApi } from "./support/running-api.ts";

/** Coupons within their limits, campaigns within their budgets, and the routes of alerts and rules that buy credit. */

let api: RunningApi;
let [support, finance] = ["", ""];
const { person, customer, post, grants, decide } = adjusting(() => api);

beforeAll(async () => {
  api = await startApi();
  [support, finance] = [await person("write"), await person("write", "approve")];
  const published = await api.call("PUT", "/v1/catalog", catalog);
  expect(published.status, published.text).toBe(200);
});
afterAll(async () => {
  // The database's clock says what is overdue, and it is later than the API's.
  await keepUpAllGrants(api.db, instantOfEpochMs(Date.now()), 1_000);
  await expectInvariants(api.db);
  await api.stop();
});

const get = async (path: string) => (await api.call("GET", `/v1/${path}`)).body;
const coupon = async (terms: object): Promise<{ readonly id: string }> => {
  const usual = { name: "Hello", currency: "usd", amount_minor: "1000" };
  const answer = await post("coupons", { ...usual, ...terms }, support);
  expect(answer.status, answer.text).toBe(201);
  return answer.body;
};
const campaign = async (budget: string): Promise<string> => {
  const body = { name: "Spring", currency: "usd", budget_minor: budget };
  return (await post("campaigns", body, support)).body.id;
};
const redeem = (id: string, code: string, options?: object) =>
  post(`customers/${id}/redemptions`, { code }, support, options);
const outcomes = (
  answers: readonly { readonly status: number; readonly body: { readonly code?: string } }[],
) =>
  Object.fromEntries(
    [...Map.groupBy(answers, ({ status, body }) => (status === 201 ? "redeemed" : (body.code ?? "")))].map(
      ([outcome, group]) => [outcome, group.length],
    ),
  );
const atOnce = <Result>(times: number, ask: (index: number) => Promise<Result>) =>
  Promise.all(Array.from({ length: times }, (_, index) => ask(index)));

describe("a coupon", () => {
  test("gives its credit once for a request, with its own terms", async () => {
    const id = await customer();
    await coupon({ code: "hello-10", expires_after_days: 30, scope: { products: ["tokens"] } });
    const [first, again] = [
      await redeem(id, "Hello-10", { idempotencyKey: `once-${id}` }),
      await redeem(id, "Hello-10", { idempotencyKey: `once-${id}` }),
    ];
    expect(first.body).toMatchObject({
      customer: id,
      credit_grant: {
        kind: "promotional",
        amount_minor: "1000",
        expires_at: "2026-03-31T12:00:00.000Z",
        scope: { products: ["tokens"] },
      },
    });
    expect(again.body).toEqual(first.body);
    expect(await grants(id)).toHaveLength(1);
    expect(refusal(await redeem(id, "HELLO-10"))).toBe("409 coupon_redeemed_already");
  });

  test("for three is redeemed by three of nine who ask at once", async () => {
    await coupon({ code: "THREE", redemptions_max: 3 });
    const ids = await atOnce(9, () => customer());
    const answers = await Promise.all(ids.map((id) => redeem(id, "THREE")));
    expect(outcomes(answers)).toEqual({ redeemed: 3, coupon_used_up: 6 });
    const given = await Promise.all(ids.map(async (id) => (await grants(id)).length));
    expect(given.reduce((sum, count) => sum + count, 0)).toBe(3);
  });

  test("is redeemed once by a customer who asks six times at once", async () => {
    await coupon({ code: "ONCE" });
    const id = await customer();
    const answers = await atOnce(6, () => redeem(id, "ONCE"));
    expect(outcomes(answers)).toEqual({ redeemed: 1, coupon_redeemed_already: 5 });
  });

  test("above the limit of one person waits for another", async () => {
    await coupon({ code: "LARGE", amount_minor: "60000" });
    const id = await customer();
    const waiting = await redeem(id, "LARGE");
    expect([waiting.status, waiting.body.credit_grant]).toEqual([201, null]);
    await decide(waiting.body.adjustment, "approve", finance);
    const { data } = await get(`customers/${id}/redemptions`);
    expect(data).toMatchObject([{ credit_grant: { amount_minor: "60000" } }]);
  });

  test.each([
    {
      terms: { code: "SOON", starts_at: "2026-04-01T00:00:00Z" },
      why: "not begun",
      is: "409 coupon_not_in_force",
    },
    { terms: { code: "EUROS", currency: "eur" }, why: "another currency", is: "422 coupon_currency_differs" },
    { terms: { code: "PROS", plans: ["pro"] }, why: "no such plan", is: "422 coupon_plan_missing" },
  ])("is refused: $why", async ({ terms, is }) => {
    await coupon(terms);
    const id = await customer();
    expect(refusal(await redeem(id, terms.code))).toBe(is);
    expect(await grants(id)).toEqual([]);
  });

  test("that is exclusive is not had together with another of its campaign", async () => {
    const id = await customer();
    const spring = await campaign("100000");
    await coupon({ code: "WITH-OTHERS", campaign: spring });
    await coupon({ code: "ALONE", campaign: spring, stacking: "exclusive" });
    await coupon({ code: "ELSEWHERE" });
    await redeem(id, "WITH-OTHERS");
    expect(refusal(await redeem(id, "ALONE"))).toBe("409 coupon_not_stackable");
    expect((await redeem(id, "ELSEWHERE")).status).toBe(201);
  });

  test("that has ended gives nothing more", async () => {
    const { id } = await coupon({ code: "OVER" });
    await post(`coupons/${id}/end`, {}, support);
    expect(refusal(await redeem(await customer(), "OVER"))).toBe("409 coupon_not_in_force");
    const answer = await post(
      "coupons",
      { name: "x", currency: "usd", amount_minor: "1", code: "over" },
      support,
    );
    expect(refusal(answer)).toBe("409 coupon_code_taken");
  });
});

test("a campaign stops by itself when its budget is given away, and reports cost and uptake", async () => {
  const id = await campaign("2500");
  const { id: couponId } = await coupon({ code: "BUDGET", campaign: id });
  const answers = await atOnce(6, async () => redeem(await customer(), "BUDGET"));
  expect(outcomes(answers)).toEqual({ redeemed: 2, campaign_budget_spent: 4 });
  expect(await get(`campaigns/${id}/report`)).toMatchObject({
    campaign: { given_minor: "2000", redemptions: 2 },
    left_minor: "500",
    coupons: [
      {
        coupon: couponId,
        redemptions: 2,
        customers: 2,
        given_minor: "2000",
        spent_minor: "0",
        unspent_minor: "2000",
      },
    ],
  });
});

test("a referral gives to both sides, once, however often it is said", async () => {
  const { id } = await coupon({ given_on: "referral", amount_minor: "300", per_customer_max: 100 });
  const [referrer, referred, other] = [await customer(), await customer(), await customer()];
  const answers = await atOnce(4, () => post("referrals", { referrer, referred }, support));
  expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 201]);
  expect([await grants(referrer), await grants(referred)]).toMatchObject([
    [{ amount_minor: "300" }],
    [{ amount_minor: "300" }],
  ]);
  expect(refusal(await post("referrals", { referrer: other, referred }, support))).toBe(
    "409 referral_exists",
  );
  await post(`coupons/${id}/end`, {}, support);
});

test("who signs up is given what is given on that, once", async () => {
  const { id } = await coupon({ given_on: "sign_up", amount_minor: "200" });
  const body = { id: "signed-up", name: "Ada", email: "ada@example.com", currency: "usd" };
  for (const _ of [1, 2]) await post("customers", body, support);
  expect(await grants("signed-up")).toMatchObject([{ amount_minor: "200", kind: "promotional" }]);
  await post(`coupons/${id}/end`, {}, support);
  expect(await grants(await customer())).toEqual([]);
});

test("alerts and rules that buy credit are set, shown and ended", async () => {
  const id = await customer();
  const subject = { type: "spending", amount_minor: "1000", window: { type: "calendar", unit: "month" } };
  const alert = await post(
    `customers/${id}/alerts`,
    { subject, condition: { type: "share", percent: 80 } },
    support,
  );
  expect(alert.body).toMatchObject({ customer: id, subject, end: null, crossings: [] });
  await post(`alerts/${alert.body.id}/end`, {}, support);
  expect((await get(`customers/${id}/alerts`)).data).toMatchObject([{ id: alert.body.id, end: {} }]);
  const forecast = { subject: { type: "credit" }, condition: { type: "forecast" } };
  expect(refusal(await post(`customers/${id}/alerts`, forecast, support))).toBe(
    "422 alert_condition_invalid",
  );
  const terms = { threshold_minor: "500", amount_minor: "1000", monthly_limit_minor: "5000" };
  const first = await post(`customers/${id}/top-up-rules`, terms, support);
  const second = await post(`customers/${id}/top-up-rules`, { ...terms, amount_minor: "2000" }, support);
  expect(second.body).toMatchObject({
    amount_minor: "2000",
    cool_down_seconds: 3600,
    end: null,
    purchases: [],
  });
  expect(await get(`top-up-rules/${first.body.id}`)).toMatchObject({ end: { cause: "replaced" } });
  const tooMuch = await post(`customers/${id}/top-up-rules`, { ...terms, amount_minor: "5001" }, support);
  expect(refusal(tooMuch)).toBe("422 top_up_limit_invalid");
  expect((await post(`top-up-rules/${second.body.id}/end`, {}, support)).body.end.cause).toBe("requested");
});

const catalog = {
  meters: [{ key: "tokens", event_type: "request", aggregation: "sum", property: "tokens" }],
  plans: [
    {
      ...{ key: "pro", name: "Pro", currency: "usd", interval: { unit: "month", count: 1 } },
      prices: [
        {
          ...{ key: "tokens", name: "Tokens", product: "tokens", type: "usage", meter: "tokens" },
          model: { type: "per_unit", unit_price_minor: "0.01" },
        },
      ],
    },
  ],
};

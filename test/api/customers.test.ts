import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { insertAsOwner } from "./support/billing-rows.ts";
import { type RunningApi, startApi } from "./support/running-api.ts";

let api: RunningApi;
beforeAll(async () => {
  api = await startApi();
  await insertAsOwner(
    api.ownerUrl,
    "insert into billing.test_clock (id, current_at, target_at) values ('clk', '2027-05-05T05:05:05Z', '2027-05-05T05:05:05Z')",
  );
});
afterAll(() => api.stop());

const acme = { id: "acme", name: "Acme", email: "billing@acme.test", currency: "usd" };

describe("a customer", () => {
  test("is created with an id of the caller's, or one that is made", async () => {
    const named = await api.call("POST", "/v1/customers", acme);
    expect([named.status, named.body]).toEqual([
      201,
      {
        ...acme,
        time_zone: "UTC",
        test_clock: null,
        payment_method: null,
        created_at: "2026-03-01T12:00:00.000Z",
      },
    ]);
    const unnamed = await api.call("POST", "/v1/customers", { ...acme, id: undefined });
    expect(unnamed.body.id).toMatch(/^cus_[0-9A-Za-z]{22}$/);
  });

  test("created again with the same values is the same; with others it is refused", async () => {
    const again = await api.call("POST", "/v1/customers", acme);
    expect([again.status, again.headers.get("idempotent-replayed")]).toEqual([201, null]);
    const other = await api.call("POST", "/v1/customers", { ...acme, currency: "eur" });
    expect([other.status, other.body.code, other.body.field]).toEqual([409, "customer_exists", "id"]);
    expect((await api.call("GET", "/v1/customers/acme")).body.currency).toBe("usd");
  });

  test("on a test clock is created at the clock's time", async () => {
    const answer = await api.call("POST", "/v1/customers", { ...acme, id: "clocked", test_clock: "clk" });
    expect(answer.body).toMatchObject({ test_clock: "clk", created_at: "2027-05-05T05:05:05.000Z" });
    const unknown = await api.call("POST", "/v1/customers", { ...acme, id: "lost", test_clock: "nowhere" });
    expect([unknown.status, unknown.body.code]).toEqual([404, "test_clock_not_found"]);
  });

  test("can change name and e-mail address, and nothing that money depends on", async () => {
    const changed = await api.call("PATCH", "/v1/customers/acme", { name: "Acme Ltd" });
    expect(changed.body).toMatchObject({ name: "Acme Ltd", email: "billing@acme.test" });
    const currency = await api.call("PATCH", "/v1/customers/acme", { currency: "eur" });
    expect([currency.status, currency.body.field]).toEqual([400, "currency"]);
    expect((await api.call("PATCH", "/v1/customers/acme", {})).status).toBe(400);
    expect((await api.call("PATCH", "/v1/customers/nobody", { name: "X" })).body.code).toBe(
      "customer_not_found",
    );
  });

  test("chooses one invoice for all its subscriptions, and each choice is kept", async () => {
    const path = "/v1/customers/acme/invoicing";
    expect((await api.call("GET", path)).body).toEqual({ invoicing: "separate", choices: [] });
    const chosen = await api.call("PUT", path, { invoicing: "consolidated" });
    const choice = { invoicing: "consolidated", effective_at: "2026-03-01T12:00:00.000Z" };
    expect(chosen.body).toMatchObject({ invoicing: "consolidated", choices: [choice] });
    // The same again is no choice.
    expect((await api.call("PUT", path, { invoicing: "consolidated" })).body).toEqual(chosen.body);
    const back = await api.call("PUT", path, { invoicing: "separate" });
    expect(back.body).toMatchObject({ invoicing: "separate", choices: [choice, { invoicing: "separate" }] });
    expect((await api.call("PUT", path, { invoicing: "both" })).status).toBe(400);
  });

  test.each(["", "/invoicing", "/payment-methods", "/credit-grants", "/entries", "/balances"])(
    "that does not exist has no %s",
    async (part) => {
      const answer = await api.call("GET", `/v1/customers/nobody${part}`);
      expect([answer.status, answer.body.code]).toEqual([404, "customer_not_found"]);
    },
  );
});

describe("credit that is given", () => {
  const path = "/v1/customers/acme/credit-grants";
  const why = { reason_code: "promotion" };

  test("is in the ledger at once, and a repetition gives it once", async () => {
    const body = { amount_minor: "5000", reason_code: "promotion", reason: "sorry" };
    const answers = [];
    for (let time = 0; time < 2; time++)
      answers.push(await api.call("POST", path, body, { idempotencyKey: "sorry" }));
    expect(answers[1]?.text).toBe(answers[0]?.text);
    expect(answers[0]?.body).toMatchObject({
      customer: "acme",
      kind: "promotional",
      status: "active",
      currency: "usd",
      amount_minor: "5000",
      remaining_minor: "5000",
      priority: 50,
      adjusted_minor: "0",
      expires_at: null,
      voided_at: null,
      invoice: null,
      reason_code: "promotion",
      reason: "sorry",
    });
    expect((await api.call("GET", path)).body.data).toEqual([answers[0]?.body]);
    const balances = (await api.call("GET", "/v1/customers/acme/balances")).body.data;
    expect(balances).toMatchObject([
      {
        account: `2010/usd/customer=acme/grant=${answers[0]?.body.id}`,
        name: "Promotional credits",
        currency: "usd",
        debit_minor: "0",
        credit_minor: "5000",
        balance_minor: "5000",
        held_minor: "0",
        available_minor: "5000",
        version: "1",
      },
    ]);
  });

  test("has an entry, and the trial balance is balanced", async () => {
    const { body } = await api.call("GET", "/v1/customers/acme/entries");
    expect(body.data).toHaveLength(1);
    expect(body.data[0]).toMatchObject({
      customer: "acme",
      currency: "usd",
      reverses: null,
      postings: [{ debit: "1300/usd", amount_minor: "5000" }],
    });
    const trial = (await api.call("GET", "/v1/ledger/trial-balance?currency=usd")).body;
    expect(trial.totals).toEqual([
      { currency: "usd", debit_minor: "5000", credit_minor: "5000", balanced: true },
    ]);
    expect((await api.call("GET", "/v1/ledger/trial-balance?currency=jpy")).body).toEqual({
      data: [],
      totals: [],
    });
  });

  test.each([
    { body: { amount_minor: "0", ...why }, code: "request_invalid", field: "amount_minor" },
    { body: { amount_minor: "-5", ...why }, code: "request_invalid", field: "amount_minor" },
    { body: { amount_minor: "1.5", ...why }, code: "request_invalid", field: "amount_minor" },
    { body: { amount_minor: "NaN", ...why }, code: "request_invalid", field: "amount_minor" },
    { body: { amount_minor: "1e3", ...why }, code: "request_invalid", field: "amount_minor" },
    { body: { amount_minor: 100, ...why }, code: "request_invalid", field: "amount_minor" },
    { body: { amount_minor: "9".repeat(17), ...why }, code: "request_invalid", field: "amount_minor" },
    { body: { amount_minor: "5" }, code: "request_invalid", field: "reason_code" },
    { body: { amount_minor: "5", reason_code: "whim" }, code: "request_invalid", field: "reason_code" },
    { body: { amount_minor: "5", reason_code: "other" }, code: "request_invalid", field: "reason" },
    { body: { amount_minor: "5", ...why, kind: "paid" }, code: "request_invalid", field: "kind" },
    { body: { amount_minor: "5", ...why, priority: 101 }, code: "request_invalid", field: "priority" },
    {
      body: { amount_minor: "5", ...why, expires_at: "2026-03-01T12:00:00Z" },
      code: "credit_expiry_invalid",
      field: "expires_at",
    },
  ])("$body is refused at $field", async ({ body, code, field }) => {
    const answer = await api.call("POST", path, body);
    expect([answer.body.code, answer.body.field]).toEqual([code, field]);
    expect((await api.call("GET", path)).body.data).toHaveLength(1);
  });

  test("expires by the customer's clock, not by the wall's", async () => {
    const grant = { amount_minor: "5", ...why, expires_at: "2027-01-01T00:00:00Z" };
    expect((await api.call("POST", path, grant)).status).toBe(201);
    const refused = await api.call("POST", "/v1/customers/clocked/credit-grants", grant);
    expect([refused.status, refused.body.code]).toEqual([422, "credit_expiry_invalid"]);
  });
});

describe("what a customer owes and subscribes to is in the list", () => {
  beforeAll(() =>
    insertAsOwner(
      api.ownerUrl,
      `insert into billing.subscription (id, customer_id, status, started_at, interval_unit, interval_count, time_zone,
           currency, grace_seconds, billed_through) values
         ('sub_1', 'acme', 'active', '2026-01-01Z', 'month', 1, 'UTC', 'usd', 0, '2026-01-01Z');
       update billing.subscription set status = 'past_due' where id = 'sub_1';
       insert into billing.subscription_terms (subscription_id, effective_at, change_id, items, paused) values
         ('sub_1', '2026-01-01Z', 'a', '[{"planKey":"pro","planVersion":1,"seats":1}]', false),
         ('sub_1', '2026-02-01Z', 'b', '[{"planKey":"team","planVersion":2,"seats":5}]', false),
         ('sub_1', '2026-04-01Z', 'c', '[{"planKey":"hobby","planVersion":1,"seats":1}]', false);
       insert into billing.invoice (id, source_key, kind, customer_id, subscription_id, number, status, currency, subtotal_minor,
           credits_applied_minor, balance_applied_minor, total_minor, amount_paid_minor, issued_at, paid_at) values
         ('inv_1', 'k1', 'cycle', 'acme', 'sub_1', 'ACME-0001', 'open', 'usd', 1500, 300, 0, 1200, 200, '2026-02-01Z', null),
         ('inv_2', 'k2', 'cycle', 'acme', 'sub_1', 'ACME-0002', 'open', 'usd', 50, 0, 0, 50, 0, '2026-03-01Z', null),
         ('inv_3', 'k3', 'cycle', 'acme', 'sub_1', 'ACME-0003', 'paid', 'usd', 900, 0, 0, 900, 900, '2026-03-01Z', '2026-03-01Z');
       insert into billing.invoice_part (invoice_id, part, subscription_id) values ('inv_1', 1, 'sub_1');
       insert into billing.invoice_line (invoice_id, line, kind, earning, description, product, period_start, period_end, quantity,
           amount_minor, exact_minor, detail) values
         ('inv_1', 1, 'usage', 'unbilled', 'Tokens', 'tokens', '2026-01-01Z', '2026-02-01Z', 1000.5, 1500, 1500.25,
          '{"billableQuantity":"5","where":{"modelName":"deep"}}');
       insert into billing.payment_attempt values ('inv_1', 1, 'first', '2026-02-01Z', 'declined', 'insufficient_funds', 'soft');
       insert into billing.payment values ('pi_1', 'inv_1', 'ch_1', 200, '2026-02-02Z');`,
    ),
  );

  test("the open balance is what is left of open invoices, the items those in force now", async () => {
    const { body } = await api.call("GET", "/v1/customers?status=past_due");
    expect(body.data).toHaveLength(1);
    // 1200 − 200 + 50; the plan of February, because April is still to come.
    expect(body.data[0]).toMatchObject({
      id: "acme",
      open_balance_minor: "1050",
      subscriptions: [
        { id: "sub_1", status: "past_due", items: [{ plan: "team", plan_version: 2, seats: 5 }] },
      ],
    });
    expect((await api.call("GET", "/v1/customers?status=canceled")).body.data).toEqual([]);
  });

  test("an invoice has its lines, payments and attempts", async () => {
    const { body } = await api.call("GET", "/v1/invoices/inv_1");
    expect(body).toMatchObject({
      id: "inv_1",
      total_minor: "1200",
      amount_paid_minor: "200",
      dunning: null,
      entries: [],
    });
    expect(body.lines).toMatchObject([
      {
        line: 1,
        quantity: "1000.5",
        amount_minor: "1500",
        exact_minor: "1500.25",
        period_end: "2026-02-01T00:00:00.000Z",
      },
    ]);
    expect(body.lines[0].detail).toEqual({ billable_quantity: "5", where: { modelName: "deep" } });
    expect(body.payments).toMatchObject([
      { stripe_payment_intent: "pi_1", stripe_charge: "ch_1", amount_minor: "200" },
    ]);
    expect(body.payment_attempts).toMatchObject([
      { attempt: 1, outcome: "declined", decline_code: "insufficient_funds" },
    ]);
    expect((await api.call("GET", "/v1/invoices/nothing")).body.code).toBe("invoice_not_found");
    expect((await api.call("GET", "/v1/invoices/nothing/entries")).body.code).toBe("invoice_not_found");
  });

  test.each([
    { query: "", ids: ["inv_3", "inv_2", "inv_1"] },
    { query: "?status=open", ids: ["inv_2", "inv_1"] },
    { query: "?customer=acme&status=paid", ids: ["inv_3"] },
    { query: "?customer=clocked", ids: [] },
  ])("invoices$query are $ids", async ({ query, ids }) => {
    const { body } = await api.call("GET", `/v1/invoices${query}`);
    expect(body.data.map(({ id }: { id: string }) => id)).toEqual(ids);
  });
});

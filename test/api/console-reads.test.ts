import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findAnomalies } from "../../src/db/anomalies/find-anomalies.ts";
import { insertAsOwner } from "./support/billing-rows.ts";
import { type RunningApi, startApi, wallClock } from "./support/running-api.ts";

/** Six months of a customer: 100 each, but for the last one with 900; one open since long ago; a credit, a failed payment. */
const rows = `
  insert into billing.customer (id, name, email, currency, time_zone, created_at)
    values ('acme', 'Acme', 'billing@acme.test', 'usd', 'UTC', '2025-09-01Z');
  insert into billing.subscription (id, customer_id, status, started_at, interval_unit, interval_count, time_zone, currency, grace_seconds, billed_through, next_close_at)
    values ('sub', 'acme', 'active', '2025-09-01Z', 'month', 1, 'UTC', 'usd', 0, '2026-02-01Z', '2026-03-01T01:00:00Z');
  insert into billing.subscription_terms (subscription_id, effective_at, change_id, items, paused)
    values ('sub', '2025-09-01Z', 'start', '[{"planKey": "pro", "planVersion": 2, "seats": 5}]', false);
  insert into billing.invoice (id, source_key, kind, customer_id, subscription_id, number, status, currency, subtotal_minor, credits_applied_minor, balance_applied_minor, total_minor, issued_at, paid_at, amount_paid_minor)
    select 'in_' || n, 'k' || n, 'cycle', 'acme', 'sub', 'ACME-' || n, case n when 1 then 'open' else 'paid' end, 'usd',
      amount, 0, 0, amount, '2025-09-28Z'::timestamptz + n * interval '1 month', case n when 1 then null else '2026-03-01Z'::timestamptz end,
      case n when 1 then 0 else amount end
    from generate_series(0, 5) as n cross join lateral (select case n when 5 then 90000 else 10000 + n end as amount) as of;
  insert into billing.invoice_part (invoice_id, part, subscription_id, period_start, period_end)
    select 'in_' || n, 1, 'sub', null, null from generate_series(0, 5) as n;
  insert into billing.invoice_line (invoice_id, line, kind, earning, description, product, plan_key, plan_version, price_key, period_start, period_end, quantity, amount_minor, exact_minor, detail)
    select 'in_' || n, 1, 'usage', 'unbilled', 'Pro: Input tokens', 'tokens', 'pro', 2, 'input', '2026-01-01Z', '2026-02-01Z', 10, 10000, 10000, '{}'
    from generate_series(0, 5) as n;
  insert into billing.payment (stripe_payment_intent_id, invoice_id, amount_minor, received_at) values ('pi_5', 'in_5', 90000, '2026-03-01Z');
  insert into billing.payment_attempt (invoice_id, attempt, cause, attempted_at, outcome, decline_code)
    values ('in_1', 1, 'first', '2025-10-28T00:00:01Z', 'declined', 'insufficient_funds')`;

let api: RunningApi;
beforeAll(async () => {
  api = await startApi();
  await insertAsOwner(api.ownerUrl, rows);
});
afterAll(() => api.stop());

const get = async (path: string) => {
  const answer = await api.call("GET", path);
  expect([path, answer.status]).toEqual([path, 200]);
  return answer.body;
};

describe("a customer's timeline", () => {
  test("has everything that happened, the newest first, page by page", async () => {
    const whole = await get("/v1/customers/acme/timeline?limit=100");
    expect(whole.data.map(({ kind }: { kind: string }) => kind)).toEqual(
      expect.arrayContaining([
        "customer_created",
        "subscription_started",
        "invoice_issued",
        "payment_received",
        "payment_declined",
      ]),
    );
    const ids: string[] = [];
    for (let cursor = ""; cursor !== null; ) {
      const page = await get(
        `/v1/customers/acme/timeline?limit=3${cursor === "" ? "" : `&cursor=${cursor}`}`,
      );
      ids.push(...page.data.map(({ id }: { id: string }) => id));
      cursor = page.next_cursor;
    }
    expect(ids).toEqual(whole.data.map(({ id }: { id: string }) => id));
    const instants = whole.data.map(({ at }: { at: string }) => at);
    expect(instants).toEqual(instants.toSorted().reverse());
  });

  test("names the run and the object at Stripe", async () => {
    const { data } = await get("/v1/customers/acme/timeline?about=payment");
    expect(data).toEqual([
      expect.objectContaining({
        kind: "payment_received",
        stripe: "pi_5",
        amount_minor: "90000",
        invoice: "in_5",
      }),
      expect.objectContaining({
        kind: "payment_declined",
        note: "insufficient_funds",
        workflow: "dunning/in_1",
      }),
    ]);
  });
});

describe("reports", () => {
  test("receivables by age", async () => {
    const { data } = await get("/v1/reports/receivables");
    // Issued on October 28; it is March 1.
    expect(data).toEqual([{ currency: "usd", age_days: "over-90", invoices: 1, due_minor: "10001" }]);
  });

  test("what was invoiced by month, plan and product", async () => {
    const { data } = await get("/v1/reports/invoiced?from=2026-02&to=2026-02");
    expect(data).toEqual([
      {
        month: "2026-02",
        currency: "usd",
        plan: "pro",
        product: "tokens",
        kind: "usage",
        quantity: "10",
        amount_minor: "10000",
        customers: 1,
      },
    ]);
  });

  test("who is on which version of a plan", async () => {
    expect((await get("/v1/reports/plans")).data).toEqual([
      { plan: "pro", version: 2, status: "active", subscriptions: 1, seats: 5 },
    ]);
  });

  test("revenue from the ledger, and no more months than are read at once", async () => {
    expect(await get("/v1/reports/revenue")).toEqual({ from: "2025-04", to: "2026-03", data: [] });
    const refused = await api.call("GET", "/v1/reports/revenue?from=2020-01&to=2026-03");
    expect([refused.status, refused.body.field]).toEqual([400, "from"]);
  });
});

describe("what is unusual", () => {
  test("becomes one case each, with the figures that it was found by", async () => {
    expect(await findAnomalies(api.db, wallClock)).toBe(2);
    expect(await findAnomalies(api.db, wallClock)).toBe(0);
    const { data } = await get("/v1/anomalies?customer=acme");
    // Before: 10000 … 10004, the middle one 10002; their spread is 1, so that a twentieth of the median counts: 500.
    // (90000 − 10002) × 10 ÷ 500 = 1599 tenths.
    expect(data).toContainEqual(
      expect.objectContaining({
        kind: "invoice_unlike_history",
        subject: { type: "invoice", id: "in_5" },
        state: "open",
        evidence: {
          number: "ACME-5",
          currency: "usd",
          figure: "90000",
          threshold: "1000",
          median: "10002",
          spread: "500",
          tenths: "1599",
          tenths_threshold: "60",
          compared_with: "5",
        },
      }),
    );
    expect(data).toContainEqual(
      expect.objectContaining({ kind: "stuck_period", subject: { type: "subscription", id: "sub" } }),
    );
  });

  test("has an owner, a state and notes, each written down once", async () => {
    const [{ id }] = (await get("/v1/anomalies?kind=invoice_unlike_history")).data;
    const said = { note: "a launch, asked the customer", state: "expected", owner: "dana" };
    const options = { idempotencyKey: "said" };
    await api.call("POST", `/v1/anomalies/${id}/notes`, said, options);
    const { status, body } = await api.call("POST", `/v1/anomalies/${id}/notes`, said, options);
    expect([status, body.state, body.owner, body.notes.length]).toEqual([201, "expected", "dana", 1]);
    expect((await get("/v1/anomalies?state=open")).data).toHaveLength(1);
    const nothing = await api.call("POST", `/v1/anomalies/${id}/notes`, {});
    expect(nothing.status).toBe(400);
  });

  test("is measured by rules that are data", async () => {
    const rule = { watched: false, tenths_min: 80, history_min: 4, amount_min: "5000" };
    const changed = await api.call("PUT", "/v1/anomalies/rules/late_usage", rule);
    expect(changed.body).toMatchObject({ kind: "late_usage", ...rule });
    expect((await get("/v1/anomalies/rules")).data).toHaveLength(8);
  });
});

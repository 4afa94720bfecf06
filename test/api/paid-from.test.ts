import { afterAll, beforeAll, expect, test } from "vitest";
import { closePeriodOnce } from "../../src/activities/close-period.ts";
import { verifyInvoices } from "../../src/db/billing/invoice-verification.ts";
import { inTransaction } from "../../src/db/database.ts";
import { expireReservations } from "../../src/db/entitlements/stored-reservations.ts";
import { instant } from "../../src/domain/calendar/index.ts";
import { expectInvariants } from "../support/invariants.ts";
import { type ReservationApi, startReservationApi } from "./support/reservation-api.ts";

// Who pays for a request: what its user holds, what his teams hold, what anybody may spend, and money. A token put out costs 0.1 cents.
let api: ReservationApi;
beforeAll(async () => {
  api = await startReservationApi();
});
afterAll(() => api.stop());

async function credit(customer: string, cents: string, holder?: object, more: object = {}): Promise<string> {
  const given = { amount_minor: cents, reason_code: "goodwill", kind: "goodwill", ...more };
  const { body, status, text } = await api.call("POST", `/v1/customers/${customer}/credit-grants`, given);
  if (status !== 201) throw new Error(text);
  if (holder !== undefined) {
    const held = { credit_grant: body.id, holder };
    const answer = await api.call("POST", `/v1/customers/${customer}/grant-holders`, held);
    expect([answer.status, answer.body.holder]).toEqual([201, holder]);
  }
  return body.id;
}

const user = (key: string) => ({ type: "user", key });
const team = (key: string) => ({ type: "team", key });

interface PaidFrom {
  readonly bucket: string;
  readonly amount_minor: string;
}
const paid = ({ body }: { readonly body: { readonly paid_from: readonly PaidFrom[] } }) =>
  body.paid_from.map(({ bucket, amount_minor }) => `${bucket} ${amount_minor}`);

const available = async (grantId: string) => {
  const [row] = await api.db.sql`
    select ((credit - debit - held) / 100000000)::numeric(20, 2)::text as left
    from ledger.account_balance join ledger.account on account.id = account_id where key like '%' || ${grantId}`;
  return row?.left;
};

const close = (customer: string, periodStart = "2026-02-10", at = "2026-03-10") =>
  closePeriodOnce(
    api.db,
    {
      subscriptionId: `sub-${customer}`,
      periodStart: `${periodStart}T00:00:00.000Z`,
      at: `${at}T00:00:00.000Z`,
    },
    { usageWaitMsMax: 0 },
  );

const invoiceOf = async (customer: string) => {
  const [invoice] = await api.db.sql`
    select subtotal_minor::text as subtotal, credits_applied_minor::text as credits, total_minor::text as total
    from billing.invoice where customer_id = ${customer} and kind = 'cycle' order by issued_at desc limit 1`;
  return invoice;
};

const drawsOf = async (customer: string) => {
  const draws = await api.db.sql`
    select grant_id as grant, (sum(amount) / 100000000)::numeric(20, 2)::text as amount from billing.credit_draw
    join billing.invoice on invoice.id = invoice_id where customer_id = ${customer} group by 1`;
  return Object.fromEntries(draws.map(({ grant, amount }) => [grant, amount]));
};

test("a request is held in the buckets of its user, in their order, and pays from the same", async () => {
  await api.subscribe("buckets");
  await api.place("buckets", { spender: user("u"), below: team("t") });
  const prepaid = await credit("buckets", "10");
  const seat = await credit("buckets", "20", user("u"));
  const pool = await credit("buckets", "30", team("t"));
  await credit("buckets", "99", user("another"));

  const held = await api.reserve("b1", "buckets", 700, { user: "u" }); // 70
  expect(paid(held)).toEqual(["seat_allowance 20", "team_pool 30", "prepaid_credits 10", "on_demand 10"]);
  expect(await Promise.all([seat, pool, prepaid].map(available))).toEqual(["0.00", "0.00", "0.00"]);
  expect(paid(await api.reserve("b2", "buckets", 50, { user: "u" }))).toEqual(["on_demand 5"]);

  const settled = await api.settle("b1", 450); // 45
  expect(paid(settled)).toEqual(["seat_allowance 20", "team_pool 25"]);
  expect(await Promise.all([seat, pool, prepaid].map(available))).toEqual(["0.00", "5.00", "10.00"]);
  expect(paid({ body: (await api.call("GET", "/v1/reservations/b1")).body.receipt })).toEqual(paid(settled));

  expect(paid(await api.reserve("b3", "buckets", 100, { user: "elsewhere" }))).toEqual([
    "prepaid_credits 10",
  ]);
  await api.settle("b2", 50);
  await api.settle("b3", 100, "failed");
  expect(await available(prepaid)).toBe("10.00");

  // 45 of b1 and 5 of b2: the grant that anybody may spend pays for b2 at the close, as for all that is not reserved.
  expect((await close("buckets")).outcome).toBe("closed");
  expect(await invoiceOf("buckets")).toEqual({ subtotal: "50", credits: "50", total: "0" });
  expect(await drawsOf("buckets")).toEqual({ [seat]: "20.00", [pool]: "25.00", [prepaid]: "5.00" });
  expect(await available(pool)).toBe("5.00");
  await expectInvariants(api.db, { limits: { billing: 1e9 } });
});

test("a close spends nothing that a running request has set aside, nor bills again what credit paid", async () => {
  await api.subscribe("closing");
  const grant = await credit("closing", "1000");
  await api.reserve("c1", "closing", 3_000); // 300
  expect(paid(await api.settle("c1", 3_000))).toEqual(["prepaid_credits 300"]);
  await api.reserve("c2", "closing", 6_000); // 600 under way
  await api.call("POST", "/v1/events", [
    {
      id: "reported",
      source: "edge",
      customer: "closing",
      type: "model.request",
      time: "2026-03-01T11:00:00Z",
      data: { model: "small", input: 0, output: 2_500 }, // 250, reported only
    },
  ]);
  expect((await close("closing")).outcome).toBe("closed");
  expect(await invoiceOf("closing")).toEqual({ subtotal: "550", credits: "400", total: "150" }); // 300 of c1; 1,000 − 300 − 600 = 100
  expect(await drawsOf("closing")).toEqual({ [grant]: "400.00" });
  expect(paid(await api.settle("c2", 6_000))).toEqual(["prepaid_credits 600"]);
  expect(await available(grant)).toBe("0.00");
  // Late usage of the closed period: what its receipt was paid with pays for it on the next invoice.
  expect((await close("closing", "2026-03-10", "2026-04-10")).outcome).toBe("closed");
  expect(await invoiceOf("closing")).toEqual({ subtotal: "600", credits: "600", total: "0" });
  expect(await drawsOf("closing")).toEqual({ [grant]: "1000.00" });
  const { derived, findings, unknown } = await verifyInvoices(api.db);
  expect([derived > 1, findings, unknown]).toEqual([true, [], []]);
  await expectInvariants(api.db, { limits: { billing: 1e9 } });
});

test("many at once never hold more of a grant than it has; what expires goes back; what is late is on demand", async () => {
  await api.subscribe("race");
  const grant = await credit("race", "10");
  const held = await Promise.all(
    Array.from({ length: 30 }, (_, n) => api.reserve(`race-${n}`, "race", 10, { ttl_seconds: 60 })),
  );
  const fromCredit = held.filter((each) => paid(each)[0] === "prepaid_credits 1");
  expect(fromCredit).toHaveLength(10);
  expect(await available(grant)).toBe("0.00");
  await inTransaction(api.db, (tx) => expireReservations(tx, instant("2026-03-01T13:00:00Z")));
  expect(await available(grant)).toBe("10.00");
  expect(paid(await api.settle("race-0", 10))).toEqual(["on_demand 1"]);
  await expectInvariants(api.db, { limits: { billing: 1e9 } });
});

test("credit for something else does not pay; a holder is of the customer, and stays", async () => {
  await api.subscribe("scoped");
  await api.subscribe("stranger");
  const scope = { prices: [{ plan: "dearer", price: "output" }] };
  await credit("scoped", "10", undefined, { scope });
  expect(paid(await api.reserve("s1", "scoped", 10))).toEqual(["on_demand 1"]);
  const grant = await credit("scoped", "10", user("u"));
  const give = (customer: string, holder: object) =>
    api.call("POST", `/v1/customers/${customer}/grant-holders`, { credit_grant: grant, holder });
  expect((await give("scoped", user("v"))).body.code).toBe("credit_grant_held");
  expect((await give("stranger", user("u"))).body.code).toBe("credit_grant_holder_invalid");
});

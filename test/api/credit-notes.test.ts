import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { verifyInvoices } from "../../src/db/billing/invoice-verification.ts";
import { expectInvariants } from "../support/invariants.ts";
import { BilledCustomers } from "./support/billed-customer.ts";
import { type Answer, type RunningApi, startApi } from "./support/running-api.ts";

let api: RunningApi;
let billed: BilledCustomers;
beforeAll(async () => {
  api = await startApi();
  billed = new BilledCustomers(api.db);
  await billed.publish();
});
afterAll(async () => {
  expect((await verifyInvoices(api.db)).findings).toEqual([]);
  await expectInvariants(api.db, { limits: { billing: 1e9, clearing: 1e9 } });
  await api.stop();
});

type Line = readonly [line: number, amountMinor: string];

async function credit(
  invoiceId: string,
  lines: readonly Line[],
  more: object = {},
  key?: string,
): Promise<Answer> {
  const body = {
    lines: lines.map(([line, amount_minor]) => ({ line, amount_minor })),
    reason_code: "service_outage",
    ...more,
  };
  const options = key === undefined ? {} : { key };
  return await api.call("POST", `/v1/invoices/${invoiceId}/credit-notes`, body, options);
}

const invoice = async (id: string) => (await api.call("GET", `/v1/invoices/${id}`)).body;
const balance = async (customer: string) => {
  const [row] = await api.db.sql`select div(balance, 100000000)::text as balance from ledger.balance
    where code = '2200' and dimensions ->> 'customer' = ${customer}`;
  return row?.balance ?? "0";
};

describe("an open invoice", () => {
  test("is due less, line by line, until nothing is left of it; then it is paid", async () => {
    const id = await billed.subscribe("open");
    // 2,000 for the base and 4,500 for three seats.
    const first = await credit(id, [[2, "1500"]]);
    expect([first.status, first.body]).toMatchObject([
      201,
      { number: "OPEN-CN-0001", status: "issued", lowers_due_minor: "1500", to_balance_minor: "0" },
    ]);
    expect(await invoice(id)).toMatchObject({ status: "open", total_minor: "6500", credited_minor: "1500" });
    const tooMuch = await credit(id, [[2, "3001"]]);
    expect(tooMuch.body).toMatchObject({ code: "credit_note_exceeds_line", field: "lines[0].amount_minor" });
    expect(tooMuch.body.detail).toBe("at most $30.00 is left of line 2");
    const rest = await credit(id, [
      [1, "2000"],
      [2, "3000"],
    ]);
    expect(rest.body).toMatchObject({ number: "OPEN-CN-0002", total_minor: "5000" });
    expect(await invoice(id)).toMatchObject({
      status: "paid",
      credited_minor: "6500",
      amount_paid_minor: "0",
    });
  });

  test("that Stripe has a copy of is lowered, and what the copy has to be told is written down with the note", async () => {
    const id = await billed.subscribe("mirrored");
    await api.db.sql`update billing.invoice set stripe_invoice_id = 'in_1' where id = ${id}`;
    const note = await credit(id, [[1, "500"]]);
    expect(note.body).toMatchObject({ status: "issued", lowers_due_minor: "500", to_balance_minor: "0" });
    const told = await api.db.sql`
      select state, (due_before_minor - due_after_minor)::int as lowered, given_back_minor::int as given_back
      from stripe.copy_change where credit_note_id = ${note.body.id}`;
    expect(told).toEqual([{ state: "waiting", lowered: 500, given_back: 0 }]);
  });
});

describe("a paid invoice", () => {
  let id: string;
  beforeAll(async () => {
    id = await billed.subscribe("paid");
    await billed.pay("paid", id);
  });

  test("goes to the customer's balance", async () => {
    const note = await credit(id, [[1, "500"]]);
    expect(note.body).toMatchObject({ lowers_due_minor: "0", to_balance_minor: "500" });
    expect(await balance("paid")).toBe("500");
    const entries = (await invoice(id)).entries.filter(
      ({ kind }: { kind: string }) => kind === "credit_note_issued",
    );
    expect(entries).toMatchObject([{ postings: [{ debit: "4910/usd", amount_minor: "500" }] }]);
  });

  test("goes back to the card when that is asked for, never more than was paid of it", async () => {
    const note = await credit(id, [[1, "100"]], { destination: "refund" });
    expect(note.body).toMatchObject({ to_refund_minor: "100", to_balance_minor: "0", status: "issued" });
    const { refunds, entries } = await invoice(id);
    expect(refunds).toMatchObject([{ amount_minor: "100", status: "requested", credit_note: note.body.id }]);
    const account = `2400/usd/customer=paid/refund=${refunds[0].id}`;
    expect(entries.at(-1).postings).toMatchObject([{ debit: "4910/usd", credit: account }]);
    const read = await api.call("GET", `/v1/refunds/${refunds[0].id}`);
    expect(read.body).toMatchObject({ invoice: id, stripe_refund: null });
    expect((await api.call("GET", `/v1/refunds?invoice=${id}`)).body.data).toHaveLength(1);
  });

  test("the document of a note says what it is of", async () => {
    const { data } = (await api.call("GET", `/v1/credit-notes?invoice=${id}`)).body;
    const { id: noteId, number } = data.find(
      (note: { destination: string }) => note.destination === "balance",
    );
    const { text } = await api.call("GET", `/v1/credit-notes/${noteId}/document.html`);
    for (const said of ["Credit note", number, "PAID-0001", "$5.00", "Added to your balance"]) {
      expect(text).toContain(said);
    }
    expect((await api.call("GET", `/v1/invoices/${id}/document.html`)).text).toContain(
      `Credit note ${number}`,
    );
  });

  test("the same request again is the same note", async () => {
    const body = { lines: [{ line: 2, amount_minor: "1" }], reason_code: "goodwill" };
    const options = { idempotencyKey: "twice" };
    const [one, other] = [
      await api.call("POST", `/v1/invoices/${id}/credit-notes`, body, options),
      await api.call("POST", `/v1/invoices/${id}/credit-notes`, body, options),
    ];
    expect(other.body).toEqual(one.body);
    expect(await balance("paid")).toBe("501");
  });

  test("requests that come at once take no more of a line than there is", async () => {
    const answers = await Promise.all(Array.from({ length: 6 }, () => credit(id, [[2, "1000"]])));
    // 4,499 are left of the line.
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 201, 201, 201, 422, 422]);
    const numbers = (await api.call("GET", `/v1/credit-notes?invoice=${id}`)).body.data.map(
      ({ number }: { number: string }) => number,
    );
    expect(numbers.toSorted()).toEqual(
      ["0001", "0002", "0003", "0004", "0005", "0006", "0007"].map((n) => `PAID-CN-${n}`),
    );
  });
});

describe("above the limit, 500.00 USD", () => {
  const people = async () => ({
    support: await api.newKey(["write"]),
    finance: await api.newKey(["approve"]),
  });
  const decide = (id: string, how: string, key: string, body: object = {}) =>
    api.call("POST", `/v1/credit-notes/${id}/${how}`, body, { key });

  test("a second key agrees, and only then it has a number and is booked", async () => {
    const { support, finance } = await people();
    const id = await billed.subscribe("large", "enterprise");
    const asked = await credit(id, [[1, "50001"]], { reason_code: "other", reason: "as agreed" }, support);
    expect([asked.status, asked.body]).toMatchObject([
      202,
      { status: "pending_approval", number: null, approval: { limit_minor: "50000", needed: true } },
    ]);
    expect(await invoice(id)).toMatchObject({ credited_minor: "0" });
    // What waits has taken its part of the line already, and has no document.
    expect((await credit(id, [[1, "50000"]])).body).toMatchObject({ code: "credit_note_exceeds_line" });
    const document = await api.call("GET", `/v1/credit-notes/${asked.body.id}/document`);
    expect(document.body).toMatchObject({ code: "credit_note_not_issued" });
    expect((await decide(asked.body.id, "approve", support)).body).toMatchObject({ code: "scope_missing" });
    const agreed = await decide(asked.body.id, "approve", finance);
    expect(agreed.body).toMatchObject({
      status: "issued",
      number: "LARGE-CN-0001",
      decision: { outcome: "approved" },
    });
    expect(await invoice(id)).toMatchObject({ credited_minor: "50001", status: "open" });
  });

  test("parts of a sum by one key add up", async () => {
    const { support } = await people();
    const id = await billed.subscribe("parts", "enterprise");
    expect((await credit(id, [[1, "30000"]], {}, support)).status).toBe(201);
    expect((await credit(id, [[1, "30000"]], {}, support)).body).toMatchObject({
      status: "pending_approval",
      approval: { counted_minor: "60000" },
    });
  });

  /** Three ways of giving a customer 100.00, which one key may do five times a day. */
  const asWays = (customer: string, invoiceId: string, key: string) => [
    () => credit(invoiceId, [[1, "10000"]], {}, key),
    () =>
      api.call(
        "POST",
        `/v1/customers/${customer}/balance-adjustments`,
        { change_minor: "10000", reason_code: "goodwill" },
        { key },
      ),
    () =>
      api.call(
        "POST",
        `/v1/customers/${customer}/recurring-credit-grants`,
        // Two times 50.00.
        {
          amount_minor: "5000",
          interval: { unit: "month" },
          expires_at: "2026-02-20T00:00:00Z",
          reason_code: "contract",
        },
        { key },
      ),
  ];

  test("so do parts of a sum that are asked for in different ways", async () => {
    const { support } = await people();
    const id = await billed.subscribe("mixed", "enterprise");
    const [note, adjustment, recurring] = asWays("mixed", id, support);
    if (!note || !adjustment || !recurring) throw new Error("there are three ways");
    const statuses: number[] = [];
    for (const ask of [note, adjustment, recurring, note, recurring]) statuses.push((await ask()).status);
    expect(statuses).toEqual([201, 201, 201, 201, 201]);
    expect((await note()).body).toMatchObject({ approval: { counted_minor: "60000", needed: true } });
    expect((await adjustment()).body).toMatchObject({ approval: { counted_minor: "60000", needed: true } });
    expect((await recurring()).body).toMatchObject({ approval: { needed: true } });
    // Another customer, and another key, are counted for themselves.
    const other = (await people()).support;
    expect((await credit(id, [[1, "10000"]], {}, other)).status).toBe(201);
  });

  test("also when all of them come at once: five of eighteen are given, the others wait", async () => {
    const { support } = await people();
    const id = await billed.subscribe("at-once", "enterprise");
    const ways = asWays("at-once", id, support);
    const answers = await Promise.all(Array.from({ length: 6 }, () => ways.map((ask) => ask())).flat());
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(5);
    expect(answers.filter(({ status }) => status === 202).length).toBeGreaterThanOrEqual(9);
    const [sum] = await api.db.sql`select sum(amount)::text as alone from billing.money_request
      where customer_id = 'at-once' and not needs_approval`;
    expect(sum?.alone).toBe("5000000000000"); // 500.00
  });

  test("a refused or withdrawn note leaves its part of the line, and its number, to others", async () => {
    const { support, finance } = await people();
    const id = await billed.subscribe("refused", "enterprise");
    const ask = async () => (await credit(id, [[1, "90000"]], {}, support)).body.id;
    const first = await ask();
    expect((await decide(first, "reject", finance, { note: "no" })).body).toMatchObject({
      status: "rejected",
    });
    expect((await decide(first, "approve", finance)).body).toMatchObject({ code: "credit_note_not_pending" });
    const second = await ask();
    expect((await decide(second, "withdraw", support)).body).toMatchObject({
      status: "withdrawn",
      number: null,
    });
    const third = await decide(await ask(), "approve", finance);
    expect(third.body).toMatchObject({ number: "REFUSED-CN-0001" });
  });
});

import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Schemas } from "../../src/sdk/index.ts";
import { type SystemHere, startSystem } from "../support/system.ts";
import { scenarioCatalog } from "../support/system-catalog.ts";
import { beginStory } from "../support/system-story.ts";
import { bankOf, eventually, expectBooksAgreeWithStripe } from "../support/system-stripe.ts";

/**
 * Stories of money that goes back, is taken back, and is paid out. Prices, in cents: solo 3000 in advance. Stripe keeps 2.9 %
 * and 30 of each payment: 117 of 3000; and 1500 for each chargeback.
 */
let system: SystemHere;
beforeAll(async () => {
  system = await startSystem();
  await system.client.put("/v1/catalog", { body: scenarioCatalog });
});
afterAll(() => system.stop());

afterEach(() => expectBooksAgreeWithStripe(system));

/** A customer who has paid 3000 with a card. */
async function paidInvoice(id: string, card = "pm_card_visa") {
  const story = await beginStory(system, { id, plan: "solo", card });
  await story.until("04-02");
  const [invoice] = await story.invoices();
  if (invoice === undefined) throw new Error("an invoice was expected");
  expect(invoice.status).toBe("paid");
  const read = () => system.client.get("/v1/invoices/{id}", { params: { path: { id: invoice.id } } });
  const refund = (body: { amount_minor?: string } = {}) =>
    system.client.post("/v1/invoices/{id}/refunds", {
      params: { path: { id: invoice.id } },
      body: { ...body, reason_code: "service_outage" },
    });
  const statuses = async () => (await read()).refunds.map(({ status }) => status);
  return { story, invoice, read, refund, statuses };
}

const bank = bankOf(() => system);

/** What Stripe has sent back of an invoice's payment. */
async function sentFor({ payments: [payment] }: Schemas["InvoiceDetail"]): Promise<number[]> {
  const { data } = await system.surroundings.account.stripe.refunds.list({
    payment_intent: payment?.stripe_payment_intent ?? "",
  });
  return data.map(({ amount }) => amount);
}

async function balanceOf(account: string): Promise<string> {
  const rows = await system.db.sql<{ balance: string }[]>`
    select coalesce(sum(balance), 0)::numeric / 100000000 as balance from ledger.balance where code = ${account} and currency = 'usd'`;
  return String(Number(rows[0]?.balance));
}

/** The entries of an invoice's refunds and disputes: their kinds, in order. */
async function kindsAbout(paymentId: string): Promise<string[]> {
  const rows = await system.db.sql<{ kind: string }[]>`
    select kind from ledger.journal_entry where metadata ->> 'payment_id' = ${paymentId} order by id`;
  return rows.map(({ kind }) => kind);
}

describe("what Stripe pays out", () => {
  test("a payout that arrives, and one that comes back after it had", async () => {
    await paidInvoice("pia", "pm_card_bypassPending");
    await system.followStripe();
    const bankBefore = Number(await balanceOf("1020"));
    const { payouts } = (await bank("pay_out")) as { payouts: { id: string; amount: number }[] };
    const [payout] = payouts;
    await system.followStripe();
    expect(Number(await balanceOf("1030"))).toBe(payout?.amount);
    await bank("pay_payout", { payout: payout?.id });
    await eventually(async () => Number(await balanceOf("1020")) - bankBefore).toBe(payout?.amount);
    expect(await balanceOf("1030")).toBe("0");
    await bank("fail_payout", { payout: payout?.id });
    await eventually(async () => {
      await system.followStripe();
      return Number(await balanceOf("1020"));
    }).toBe(bankBefore);
    const { data } = await system.client.get("/v1/payouts");
    expect(data[0]).toMatchObject({ status: "failed", failure_code: "account_closed" });
  });

  test("fees of Stripe's own, and money that nobody can explain until somebody does", async () => {
    const { story } = await paidInvoice("paul");
    await bank("charge_fee", { amount: 250 });
    const stranger = await system.surroundings.account.stripe.paymentIntents.create({
      amount: 5_000,
      currency: "usd",
      payment_method: "pm_card_visa",
      confirm: true,
    });
    await system.followStripe(0);
    await system.followStripe(0);
    // 5000 − 2.9 % − 30 = 4825: in suspense, and the Stripe balance is right.
    expect(await balanceOf("9100")).toBe("-4825");
    expect(await story.balance()).toBe("0");
    // It is given back, and so leaves suspense by the same way.
    await system.surroundings.account.stripe.refunds.create({ payment_intent: stranger.id });
    await system.followStripe(0);
    expect(await balanceOf("9100")).toBe("175");
  });
});

describe("refunds", () => {
  test("in parts, and never more than was paid", async () => {
    const { refund, read, statuses, story } = await paidInvoice("rita");
    const first = await refund({ amount_minor: "1000" });
    expect(first.credit_note).toMatchObject({
      total_minor: "1000",
      to_refund_minor: "1000",
      status: "issued",
    });
    await eventually(statuses).toEqual(["succeeded"]);
    await expect(refund({ amount_minor: "2001" })).rejects.toMatchObject({ code: "refund_exceeds_payment" });
    await refund();
    await eventually(statuses).toEqual(["succeeded", "succeeded"]);
    await expect(refund()).rejects.toMatchObject({ code: "nothing_to_refund" });
    expect((await sentFor(await read())).sort()).toEqual([1000, 2000]);
    expect((await read()).status).toBe("paid");
    expect(await story.balance()).toBe("0");
  });

  test("asked for ten times at once, no more goes back than was paid", async () => {
    const { refund, statuses, read } = await paidInvoice("raul");
    const asked = await Promise.allSettled(Array.from({ length: 10 }, () => refund({ amount_minor: "700" })));
    // 4 × 700 = 2800 of 3000.
    expect(asked.filter(({ status }) => status === "fulfilled")).toHaveLength(4);
    await eventually(statuses).toEqual(["succeeded", "succeeded", "succeeded", "succeeded"]);
    expect(await sentFor(await read())).toEqual([700, 700, 700, 700]);
  });

  test("one that takes time, and arrives", async () => {
    const { refund, statuses, read } = await paidInvoice("rosa", "pm_card_pendingRefund");
    await refund({ amount_minor: "500" });
    await eventually(statuses).toEqual(["pending"]);
    const [pending] = (await read()).refunds;
    await bank("settle_refund", { refund: pending?.stripe_refund });
    await eventually(statuses).toEqual(["succeeded"]);
  });

  test("one that comes back after it had arrived is owed again, and the customer is told", async () => {
    const { refund, statuses, read, story } = await paidInvoice("rolf", "pm_card_refundFail");
    await refund({ amount_minor: "1200" });
    await eventually(statuses).toEqual(["succeeded"]);
    await system.followStripe();
    const [succeeded] = (await read()).refunds;
    await bank("fail_refund", { refund: succeeded?.stripe_refund });
    await eventually(statuses).toEqual(["failed"]);
    expect((await read()).refunds[0]).toMatchObject({ failure_code: "expired_or_canceled_card" });
    expect(await story.balance()).toBe("1200");
    const told = await system.db
      .sql`select subject from notice.notice where kind = 'refund.failed' and customer_id = 'rolf'`;
    expect(told).toHaveLength(1);
  });

  test("by a credit note that names its lines", async () => {
    const { story, invoice } = await paidInvoice("ruth");
    await story.until("04-03");
    const lines = [{ line: 1, amount_minor: "3000" }];
    const note = await system.client.post("/v1/invoices/{id}/credit-notes", {
      params: { path: { id: invoice.id } },
      body: { lines, destination: "refund", reason_code: "billing_error" },
    });
    expect(note).toMatchObject({ status: "issued", to_refund_minor: "3000", to_balance_minor: "0" });
    await eventually(async () => (await story.invoices())[0]?.refunds.map(({ status }) => status)).toEqual([
      "succeeded",
    ]);
  });

  test("a worker that dies between writing down and sending is followed by one that sends, once", async () => {
    const { refund, statuses, read } = await paidInvoice("remy");
    // Stripe does it, and its answer is lost, twice.
    await system.surroundings.account.control("faults", {
      action: "reset_after",
      times: 2,
      method: "POST",
      match: "/v1/refunds",
    });
    await refund({ amount_minor: "900" });
    await eventually(statuses).toEqual(["succeeded"]);
    expect(await sentFor(await read())).toEqual([900]);
  });
});

describe("credit that was bought", () => {
  test("goes back as far as nobody has spent it, and the grant is smaller in the same moment", async () => {
    const { story } = await paidInvoice("cyra");
    await story.buyCredits("10000");
    await eventually(() => story.credits()).toEqual(["paid: 10000 left, active"]);
    const bought = (await story.invoices()).find(({ kind }) => kind === "credit_purchase");
    const ask = (amount?: string) =>
      system.client.post("/v1/invoices/{id}/refunds", {
        params: { path: { id: bought?.id ?? "" } },
        body: { ...(amount === undefined ? {} : { amount_minor: amount }), reason_code: "retention" },
      });
    const { credit_note: note } = await ask("4000");
    expect(note).toMatchObject({ total_minor: "4000", to_refund_minor: "4000" });
    expect(await story.credits()).toEqual(["paid: 6000 left, active"]);
    await expect(ask("6001")).rejects.toMatchObject({ code: "refund_exceeds_payment" });
    await ask();
    expect(await story.credits()).toEqual([expect.stringMatching(/^paid: 0 left/)]);
    await expect(ask()).rejects.toMatchObject({ code: "nothing_to_refund" });
    await system.followStripe();
    expect(await story.balance()).toBe("0");
  });
});

describe("cards that are given on Stripe's pages", () => {
  const send = (url: string, fields: Record<string, string>) =>
    fetch(url, { method: "POST", body: new URLSearchParams(fields), redirect: "manual" });
  const back = "https://example.com/account";
  const lastOf = async (id: string) => {
    const { data } = await system.client.get("/v1/customers/{id}/payment-methods", {
      params: { path: { id } },
    });
    return data[0]?.last4;
  };

  test("one that the bank asks about while the customer is there pays what is in dunning at once", async () => {
    const story = await beginStory(system, { id: "cora", plan: "solo", card: "pm_card_chargeCustomerFail" });
    await story.until("04-02");
    expect((await story.invoices())[0]?.status).toBe("open");
    const session = await system.client.post("/v1/customers/{id}/setup-sessions", {
      params: { path: { id: "cora" } },
      body: { return_url: back },
    });
    await send(session.url, { number: "4000 0025 0000 3155" });
    expect((await send(session.url, { answer: "confirm" })).headers.get("location")).toBe(back);
    await eventually(() => lastOf("cora")).toBe("3155");
    await eventually(async () => (await story.invoices())[0]?.status).toBe("paid");
  });

  test("one that is chosen in the portal is charged from then on, and an older page changes nothing", async () => {
    await beginStory(system, { id: "cleo", plan: "solo" });
    const page = { params: { path: { id: "cleo" } }, body: { return_url: back } };
    const setup = await system.client.post("/v1/customers/{id}/setup-sessions", page);
    await send(setup.url, { number: "378282246310005" });
    await eventually(() => lastOf("cleo")).toBe("0005");
    const portal = await system.client.post("/v1/customers/{id}/portal-sessions", page);
    expect((await send(portal.url, { number: "5555 5555 5555 4444" })).headers.get("location")).toBe(back);
    await eventually(() => lastOf("cleo")).toBe("4444");
    const { data } = await system.surroundings.account.stripe.events.list({ type: "setup_intent.succeeded" });
    await system.surroundings.account.control("deliveries/resend", { event: data[0]?.id });
    await system.followStripe();
    expect(await lastOf("cleo")).toBe("4444");
  });
});

describe("what Stripe settles in another currency", () => {
  afterEach(() => bank("settle_in", { currency: "usd", rate: 1 }));

  async function heldIn(code: string): Promise<Record<string, number>> {
    const rows = await system.db.sql<{ currency: string; balance: string }[]>`
      select currency, (sum(balance) / 100000000)::text as balance from ledger.balance where code = ${code} group by 1`;
    return Object.fromEntries(rows.map(({ currency, balance }) => [currency, Number(balance)]));
  }

  test("a payment, its refund and a chargeback, each at the rate of its day, to the cent", async () => {
    await bank("settle_in", { currency: "eur", rate: 0.9 });
    const { refund, statuses, read, story } = await paidInvoice("elsa");
    await system.followStripe();
    // 3000 × 0.9 = 2700, less its fee of 117 × 0.9 = 105.3, rounded: 105.
    expect((await heldIn("1000")).eur).toBe(2595);
    expect((await heldIn("5000")).eur).toBe(105);
    await bank("settle_in", { currency: "eur", rate: 0.8 });
    await refund({ amount_minor: "1000" });
    await eventually(statuses).toEqual(["succeeded"]);
    await system.followStripe();
    // 2595 − 1000 × 0.8.
    expect((await heldIn("1000")).eur).toBe(1795);
    const [payment] = (await read()).payments;
    const { id } = (await bank("open_dispute", { charge: payment?.stripe_charge })) as { id: string };
    const standing = async () =>
      (await read()).disputes.map((each) => `${each.status} ${each.withdrawn_minor}`);
    await eventually(standing).toEqual(["needs_response 2000"]);
    await bank("settle_in", { currency: "eur", rate: 0.85 });
    await bank("win_dispute", { dispute: id });
    await eventually(standing).toEqual(["won 0"]);
    await system.followStripe();
    // 1795 − 2000 × 0.8 − 1500 × 0.8, and 2000 × 0.85 came back.
    expect((await heldIn("1000")).eur).toBe(695);
    expect((await heldIn("5010")).eur).toBe(1200);
    expect(await story.balance()).toBe("0");
  });

  test("what nobody could explain leaves suspense when it is explained", async () => {
    await bank("settle_in", { currency: "eur", rate: 0.9 });
    const stranger = await system.surroundings.account.stripe.paymentIntents.create({
      amount: 1_000,
      currency: "usd",
      payment_method: "pm_card_visa",
      confirm: true,
    });
    await system.followStripe(0);
    await system.followStripe(0);
    // 1000 × 0.9 = 900, less (29 + 30) × 0.9 = 53.
    expect((await heldIn("9100")).eur).toBe(-847);
    await system.surroundings.account.stripe.refunds.create({ payment_intent: stranger.id });
    await system.followStripe(0);
    expect((await heldIn("9100")).eur).toBe(53);
  });
});

describe("credit notes of invoices that Stripe has a copy of", () => {
  const notesOf = async (invoice: string) => {
    const { data } = await system.surroundings.account.stripe.creditNotes.list({ invoice });
    return data.map((note) => ({
      kind: note.type,
      amount: note.amount,
      outside: note.out_of_band_amount,
      refunded: note.refunds.map(({ amount_refunded: amount }) => amount),
    }));
  };

  test("an open one is lowered there too, before it is charged again", async () => {
    const story = await beginStory(system, { id: "nora", plan: "solo", card: "pm_card_chargeCustomerFail" });
    await story.until("04-02");
    const [open] = await story.invoices();
    const copy = open?.stripe_invoice ?? "";
    expect(open?.status).toBe("open");
    await system.client.post("/v1/invoices/{id}/credit-notes", {
      params: { path: { id: open?.id ?? "" } },
      body: { lines: [{ line: 1, amount_minor: "1000" }], reason_code: "service_outage" },
    });
    await system.followStripe();
    expect(await notesOf(copy)).toEqual([{ kind: "pre_payment", amount: 1000, outside: null, refunded: [] }]);
    expect(await system.surroundings.account.stripe.invoices.retrieve(copy)).toMatchObject({
      status: "open",
      amount_remaining: 2000,
    });
    await story.newCard("pm_card_visa");
    await eventually(async () => (await story.invoices())[0]?.status).toBe("paid");
    expect((await story.invoices())[0]?.payments.map((each) => each.amount_minor)).toEqual(["2000"]);
    expect(await story.balance()).toBe("0");
  });

  test("of a paid one it is said there what was refunded, and what is the customer's balance", async () => {
    const { invoice, refund, statuses, story } = await paidInvoice("nina");
    await refund({ amount_minor: "1000" });
    await eventually(statuses).toEqual(["succeeded"]);
    await system.client.post("/v1/invoices/{id}/credit-notes", {
      params: { path: { id: invoice.id } },
      body: { lines: [{ line: 1, amount_minor: "500" }], reason_code: "service_outage" },
    });
    await system.followStripe();
    expect(await notesOf(invoice.stripe_invoice ?? "")).toEqual([
      { kind: "post_payment", amount: 500, outside: 500, refunded: [] },
      { kind: "post_payment", amount: 1000, outside: null, refunded: [1000] },
    ]);
    expect(await story.balance()).toBe("500");
  });
});

describe("disputes", () => {
  /** The charge of a customer's first payment. */
  async function chargeOf(id: string) {
    const about = await paidInvoice(id);
    const [payment] = (await about.read()).payments;
    const dispute = async (input: object = {}) =>
      (await bank("open_dispute", { charge: payment?.stripe_charge, ...input })) as { id: string };
    const standing = async () =>
      (await about.read()).disputes.map(({ status, withdrawn_minor: taken }) => `${status} ${taken}`);
    return { ...about, dispute, standing, paymentId: payment?.stripe_payment_intent ?? "" };
  }

  test("a chargeback that is won: the money comes back, the fee does not", async () => {
    const { dispute, standing, refund, paymentId } = await chargeOf("dora");
    const { id } = await dispute();
    await eventually(standing).toEqual(["needs_response 3000"]);
    await expect(refund()).rejects.toMatchObject({ code: "payment_disputed" });
    await bank("win_dispute", { dispute: id });
    await eventually(standing).toEqual(["won 0"]);
    expect(await kindsAbout(paymentId)).toEqual(
      expect.arrayContaining([
        "payment_succeeded",
        "balance_transaction_recorded",
        "dispute_opened",
        "dispute_won",
      ]),
    );
    expect(await balanceOf("5010")).toBe("1500");
    expect(await balanceOf("1120")).toBe("0");
    // A charge that was won back can be refunded again.
    await refund({ amount_minor: "100" });
  });

  test("a chargeback that is lost: what was taken is gone", async () => {
    const { dispute, standing, refund } = await chargeOf("dean");
    const lostBefore = Number(await balanceOf("5100"));
    const { id } = await dispute({ amount: 2000 });
    await bank("lose_dispute", { dispute: id });
    await eventually(standing).toEqual(["lost 2000"]);
    expect(Number(await balanceOf("5100")) - lostBefore).toBe(2000);
    await expect(refund()).rejects.toMatchObject({ code: "payment_disputed" });
  });

  test("an inquiry takes nothing, and forbids no refund", async () => {
    const { dispute, standing, refund, statuses } = await chargeOf("dina");
    const { id } = await dispute({ inquiry: true });
    await eventually(standing).toEqual(["warning_needs_response 0"]);
    await refund({ amount_minor: "500" });
    await eventually(statuses).toEqual(["succeeded"]);
    await bank("close_inquiry", { dispute: id });
    await eventually(standing).toEqual(["warning_closed 0"]);
  });

  test("whatever order its events come in, and however often, a dispute comes to the same", async () => {
    const { dispute, standing, paymentId } = await chargeOf("dirk");
    await system.surroundings.account.control("faults", {
      action: "drop",
      match: "charge.dispute.*",
      times: 4,
    });
    const { id } = await dispute();
    await bank("win_dispute", { dispute: id, fee_returned: true });
    await system.surroundings.account.control("faults", {
      action: "duplicate",
      match: "charge.dispute.*",
      times: 100,
    });
    const events = await system.surroundings.account.stripe.events.list({ limit: 20 });
    const about = events.data.filter(
      ({ type, data }) => type.startsWith("charge.dispute") && JSON.stringify(data).includes(id),
    );
    expect(about.length).toBeGreaterThanOrEqual(4);
    // The newest first: it is closed before it is created.
    for (const { id: event } of about)
      await system.surroundings.account.control("deliveries/resend", { event });
    await eventually(standing).toEqual(["won 0"]);
    const kinds = await kindsAbout(paymentId);
    expect(kinds.filter((kind) => kind.startsWith("dispute"))).toEqual(["dispute_opened", "dispute_won"]);
  });
});

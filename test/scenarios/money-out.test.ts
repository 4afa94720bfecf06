import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { reconciliationAsText } from "../../src/cli/stripe-reconcile-text.ts";
import { reconcileWithStripe } from "../../src/db/invariants/stripe-reconciliation.ts";
import type { Schemas } from "../../src/sdk/index.ts";
import { expectInvariants } from "../support/invariants.ts";
import { type SystemHere, startSystem } from "../support/system.ts";
import { scenarioCatalog } from "../support/system-catalog.ts";
import { beginStory } from "../support/system-story.ts";

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

/** After each story the books balance, every movement at Stripe is booked, and nothing else is. */
afterEach(async () => {
  await system.followStripe();
  await system.followStripe();
  await expectInvariants(system.db);
  const reconciled = await reconcileWithStripe(system.db.orm, system.surroundings.account.stripe);
  expect(reconciled.differences).toEqual([]);
  expect(reconciliationAsText(reconciled)).toContain("The books agree with Stripe.");
});

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

const bank = (action: string, on: object = {}) =>
  system.surroundings.account.control<Record<string, unknown>>("bank", { action, ...on });

/** What Stripe has sent back of an invoice's payment. */
async function sentFor({ payments: [payment] }: Schemas["InvoiceDetail"]): Promise<number[]> {
  const { data } = await system.surroundings.account.stripe.refunds.list({
    payment_intent: payment?.stripe_payment_intent ?? "",
  });
  return data.map(({ amount }) => amount);
}

const eventually = <T>(read: () => Promise<T>) => expect.poll(read, { timeout: 15_000, interval: 100 });

async function balanceOf(account: string): Promise<string> {
  const rows = await system.db.sql<{ balance: string }[]>`
    select coalesce(sum(balance), 0)::numeric / 100000000 as balance from ledger.balance where code = ${account}`;
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

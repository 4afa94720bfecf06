import type { Stripe } from "stripe";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { customerWith, openInvoice } from "./support/invoicing.ts";
import { accountOf, refusalOf, type SandboxUnderTest, sandboxUnderTest } from "./support/sandbox.ts";

let server: SandboxUnderTest;
beforeAll(async () => {
  server = await sandboxUnderTest();
});
afterAll(() => server.close());

let stripe: Stripe;
let bank: (action: string, on?: object) => Promise<unknown>;
beforeEach(() => {
  const account = accountOf(server.sandbox.url);
  stripe = account.stripe;
  bank = (action, on = {}) => account.control("bank", { action, ...on });
});

/** The charge of an invoice of $100.00, paid with a test card. */
async function charged(card: string, amount = 10_000): Promise<Stripe.Charge> {
  const invoice = await openInvoice(stripe, await customerWith(stripe, card), amount);
  await stripe.invoices.pay(invoice.id);
  const [charge] = (await stripe.charges.list()).data;
  if (charge === undefined) throw new Error("nothing was charged");
  return charge;
}

async function eventTypes(): Promise<string[]> {
  const { data } = await stripe.events.list({ limit: 100 });
  return data.map(({ type }) => type).toReversed();
}

/** Each movement of the balance: what it is and its net amount. */
async function movements(): Promise<string[]> {
  const { data } = await stripe.balanceTransactions.list({ limit: 100 });
  return data.map((each) => `${each.reporting_category} ${each.net}`).toReversed();
}

test("a refund succeeds at once, in parts, and never for more than is left", async () => {
  const charge = await charged("pm_card_visa");
  expect((await stripe.refunds.create({ charge: charge.id, amount: 4_000 })).status).toBe("succeeded");
  const tooMuch = await refusalOf(stripe.refunds.create({ charge: charge.id, amount: 6_001 }));
  expect(tooMuch).toMatchObject({ statusCode: 400, param: "amount" });
  await stripe.refunds.create({ charge: charge.id });
  const again = await refusalOf(stripe.refunds.create({ charge: charge.id }));
  expect(again.code).toBe("charge_already_refunded");
  // 10000 − 2.9 % − 30 = 9680.
  expect(await movements()).toEqual(["charge 9680", "refund -4000", "refund -6000"]);
});

test("a refund takes time, and then reaches the customer", async () => {
  const charge = await charged("pm_card_pendingRefund");
  const { id, status } = await stripe.refunds.create({ charge: charge.id });
  expect(status).toBe("pending");
  await bank("settle_refund", { refund: id });
  expect((await stripe.refunds.retrieve(id)).status).toBe("succeeded");
  expect(await eventTypes()).toContain("refund.updated");
});

test("a refund that succeeded comes back later: the money is in the balance again, and may be refunded again", async () => {
  const charge = await charged("pm_card_refundFail");
  const { id, status } = await stripe.refunds.create({ charge: charge.id });
  expect(status).toBe("succeeded");
  await bank("fail_refund", { refund: id });
  const failed = await stripe.refunds.retrieve(id, { expand: ["failure_balance_transaction"] });
  expect(failed).toMatchObject({ status: "failed", failure_reason: "expired_or_canceled_card" });
  expect(failed.failure_balance_transaction).toMatchObject({ amount: 10_000, type: "refund_failure" });
  expect((await stripe.charges.retrieve(charge.id)).amount_refunded).toBe(0);
  expect(await eventTypes()).toContain("refund.failed");
});

test("a chargeback takes the money and a fee at once, and no refund is possible", async () => {
  const charge = await charged("pm_card_createDispute");
  const [dispute] = (await stripe.disputes.list({ charge: charge.id })).data;
  expect(dispute).toMatchObject({ status: "needs_response", amount: 10_000, is_charge_refundable: false });
  expect(dispute?.balance_transactions).toMatchObject([{ amount: -10_000, fee: 1_500, net: -11_500 }]);
  expect((await refusalOf(stripe.refunds.create({ charge: charge.id }))).code).toBe("charge_disputed");
  expect(await eventTypes()).toEqual(
    expect.arrayContaining(["charge.dispute.created", "charge.dispute.funds_withdrawn"]),
  );
});

test.each([
  { evidence: "winning_evidence", status: "won", categories: ["charge", "dispute", "dispute_reversal"] },
  { evidence: "losing_evidence", status: "lost", categories: ["charge", "dispute"] },
])("a chargeback is $status by $evidence", async ({ evidence, status, categories }) => {
  const charge = await charged("pm_card_createDispute");
  const [dispute] = (await stripe.disputes.list({ charge: charge.id })).data;
  const decided = await stripe.disputes.update(dispute?.id ?? "", {
    evidence: { uncategorized_text: evidence },
  });
  expect(decided.status).toBe(status);
  expect((await movements()).map((each) => each.split(" ")[0])).toEqual(categories);
  expect((await refusalOf(stripe.disputes.close(decided.id))).code).toBe("dispute_already_closed");
});

test("an inquiry takes nothing, leaves the charge refundable, and ends or becomes a chargeback", async () => {
  const charge = await charged("pm_card_createDisputeInquiry");
  const [inquiry] = (await stripe.disputes.list({ charge: charge.id })).data;
  expect(inquiry).toMatchObject({ status: "warning_needs_response", is_charge_refundable: true });
  expect(inquiry?.balance_transactions).toEqual([]);
  await stripe.refunds.create({ charge: charge.id, amount: 1_000 });
  await bank("escalate_inquiry", { dispute: inquiry?.id });
  expect((await stripe.disputes.retrieve(inquiry?.id ?? "")).status).toBe("needs_response");
  expect(await movements()).toEqual(["charge 9680", "refund -1000", "dispute -11500"]);
});

test("money is paid out when it is available, arrives, and may come back after that", async () => {
  await charged("pm_card_visa");
  const tooEarly = await refusalOf(stripe.payouts.create({ amount: 100, currency: "usd" }));
  expect(tooEarly.code).toBe("balance_insufficient");
  await charged("pm_card_bypassPending");
  const balance = await stripe.balance.retrieve();
  expect(balance).toMatchObject({ available: [{ amount: 9_680 }], pending: [{ amount: 9_680 }] });
  await bank("pay_out");
  const [payout] = (await stripe.payouts.list()).data;
  expect(payout).toMatchObject({ amount: 9_680, automatic: true, status: "pending" });
  await bank("pay_payout", { payout: payout?.id });
  await bank("fail_payout", { payout: payout?.id });
  const failed = await stripe.payouts.retrieve(payout?.id ?? "");
  expect(failed).toMatchObject({ status: "failed", failure_code: "account_closed" });
  expect(await movements()).toEqual(["charge 9680", "charge 9680", "payout -9680", "payout_reversal 9680"]);
});

test("a payout that is still pending can be canceled", async () => {
  await charged("pm_card_bypassPending");
  const { id } = await stripe.payouts.create({ amount: 680, currency: "usd" });
  expect((await stripe.payouts.cancel(id)).status).toBe("canceled");
  expect((await refusalOf(stripe.payouts.cancel(id))).code).toBe("payout_not_allowed");
  expect((await stripe.balance.retrieve()).available[0]?.amount).toBe(9_680);
});

test("Stripe charges for services of its own", async () => {
  await bank("charge_fee", { amount: 250, description: "Radar" });
  expect(await movements()).toEqual(["fee -250"]);
});

test.each([
  { currency: "isk", amount: 100_050, why: "krónur have no fraction, and are sent as hundredths" },
  { currency: "ugx", amount: 500_001, why: "so are shillings" },
  { currency: "kwd", amount: 12_345, why: "the last of three digits must be zero" },
])("$amount $currency is refused: $why", async ({ currency, amount }) => {
  const refused = await refusalOf(stripe.paymentIntents.create({ amount, currency }));
  expect(refused.code).toBe("parameter_invalid_integer");
});

import { creditsBurned, disputeLost, disputeOpened, disputeWon, invoiceIssued } from "../entries/index.ts";
import { settingsFor } from "./settings.ts";
import { cents, exact, happeningTo, newYorkTax, noLines, type WorkedExample } from "./worked-example.ts";

const on = happeningTo("elm");
const setting = settingsFor("elm", "returns");

const bought: readonly WorkedExample[] = [
  {
    area: "returns",
    isSetting: true,
    event: "Invoice issued",
    story: "elm buys 100.00 of credits, with 20.00 of tax.",
    entry: invoiceIssued({
      ...on("2026-03-01", "invoice/in_15/issued"),
      ...noLines,
      invoiceId: "in_15",
      creditPurchases: [{ purchaseId: "buy_6", amount: cents(10000n) }],
      tax: newYorkTax(2000n),
    }),
    postings: ["1100:{elm} → 2005:{elm, buy_6} 100.00 USD", "1100:{elm} → 2300:{us-ny} 20.00 USD"],
  },
  setting.paid("2026-03-01", { paymentId: "pay_8", invoiceId: "in_15", amount: cents(12000n) }),
  setting.funded("2026-03-01", {
    purchaseId: "buy_6",
    grantId: "e1",
    invoiceId: "in_15",
    amount: cents(10000n),
  }),
  setting.settled("2026-03-03", {
    balanceTransactionId: "txn_17",
    paymentId: "pay_8",
    gross: cents(12000n),
    fee: cents(378n),
  }),
  {
    area: "returns",
    isSetting: true,
    event: "Credits burned",
    story: "60.00 of e1 are spent.",
    entry: creditsBurned({
      ...on("2026-03-31", "cycle/sub_6/2026-03-01/burned"),
      cycleId: "sub_6/2026-03-01",
      draws: [{ grantId: "e1", kind: "paid", productKey: "tokens", amount: exact("6000") }],
    }),
    postings: ["2000:{elm, e1} → 4000:{tokens} 60.00 USD"],
  },
];

const lost: readonly WorkedExample[] = [
  {
    area: "returns",
    event: "Dispute opened",
    story:
      "The holder of the card denies the payment. The bank takes 120.00 back at once, and Stripe a fee of 15.00. The 40.00 left in e1 are frozen, by a hold: no entry, but nobody can spend them.",
    entry: disputeOpened({
      ...on("2026-04-02", "stripe/txn_18"),
      disputeId: "dp_1",
      paymentId: "pay_8",
      balanceTransactionId: "txn_18",
      amount: cents(12000n),
      fee: cents(1500n),
    }),
    postings: ["1120:{elm, dp_1} → 1000 120.00 USD", "5010 → 1000 15.00 USD"],
  },
  {
    area: "returns",
    event: "Dispute lost",
    story:
      "The bank agrees with the holder. The 60.00 that were used are lost; the 40.00 of credits are taken back; the law gives relief for the tax of 20.00.",
    entry: disputeLost({
      ...on("2026-05-10", "dispute/dp_1/lost"),
      disputeId: "dp_1",
      paymentId: "pay_8",
      amount: cents(12000n),
      used: cents(6000n),
      unusedCredits: [{ grantId: "e1", amount: exact("4000") }],
      tax: newYorkTax(2000n),
    }),
    postings: [
      "5100 → 1120:{elm, dp_1} 60.00 USD",
      "2000:{elm, e1} → 1120:{elm, dp_1} 40.00 USD",
      "2300:{us-ny} → 1120:{elm, dp_1} 20.00 USD",
    ],
  },
];

const won: readonly WorkedExample[] = [
  {
    area: "returns",
    isSetting: true,
    event: "Invoice issued",
    story: "elm's fee for April is 50.00.",
    entry: invoiceIssued({
      ...on("2026-04-01", "invoice/in_16/issued"),
      ...noLines,
      invoiceId: "in_16",
      inAdvance: [{ subscriptionId: "sub_6", amount: cents(5000n) }],
    }),
    postings: ["1100:{elm} → 2100:{elm, sub_6} 50.00 USD"],
  },
  setting.paid("2026-04-01", { paymentId: "pay_9", invoiceId: "in_16", amount: cents(5000n) }),
  setting.settled("2026-04-03", {
    balanceTransactionId: "txn_19",
    paymentId: "pay_9",
    gross: cents(5000n),
    fee: cents(175n),
  }),
  {
    area: "returns",
    isSetting: true,
    event: "Dispute opened",
    story: "This payment is disputed too.",
    entry: disputeOpened({
      ...on("2026-05-02", "stripe/txn_20"),
      disputeId: "dp_2",
      paymentId: "pay_9",
      balanceTransactionId: "txn_20",
      amount: cents(5000n),
      fee: cents(1500n),
    }),
    postings: ["1120:{elm, dp_2} → 1000 50.00 USD", "5010 → 1000 15.00 USD"],
  },
  {
    area: "returns",
    event: "Dispute won",
    story: "This time the bank agrees with us: 50.00 come back, and Stripe returns its fee of 15.00.",
    entry: disputeWon({
      ...on("2026-06-01", "stripe/txn_21"),
      disputeId: "dp_2",
      paymentId: "pay_9",
      balanceTransactionId: "txn_21",
      amount: cents(5000n),
      feeReturned: cents(1500n),
    }),
    postings: ["1000 → 1120:{elm, dp_2} 50.00 USD", "1000 → 5010 15.00 USD"],
  },
];

export const disputes: readonly WorkedExample[] = [...bought, ...lost, ...won];

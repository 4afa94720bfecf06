import {
  creditsBurned,
  failedRefundRecorded,
  grantVoided,
  invoiceIssued,
  refundFailed,
  refundRequested,
  refundSucceeded,
  returnRecorded,
  revenueRecognised,
} from "../entries/index.ts";
import { settingsFor } from "./settings.ts";
import { cents, exact, happeningTo, newYorkTax, noLines, type WorkedExample } from "./worked-example.ts";

const on = happeningTo("dune");
const setting = settingsFor("dune", "returns");
const ofPayment = { paymentId: "pay_6", refundId: "re_1" };

const bought: readonly WorkedExample[] = [
  {
    area: "returns",
    isSetting: true,
    event: "Invoice issued",
    story: "dune buys two months of seats for 60.00 and 50.00 of credits, with 22.00 of tax: 132.00.",
    entry: invoiceIssued({
      ...on("2026-03-01", "invoice/in_12/issued"),
      ...noLines,
      invoiceId: "in_12",
      inAdvance: [{ subscriptionId: "sub_4", amount: cents(6000n) }],
      creditPurchases: [{ purchaseId: "buy_4", amount: cents(5000n) }],
      tax: newYorkTax(2200n),
    }),
    postings: [
      "1100:{dune} → 2100:{dune, sub_4} 60.00 USD",
      "1100:{dune} → 2005:{dune, buy_4} 50.00 USD",
      "1100:{dune} → 2300:{us-ny} 22.00 USD",
    ],
  },
  setting.paid("2026-03-01", { paymentId: "pay_6", invoiceId: "in_12", amount: cents(13200n) }),
  setting.funded("2026-03-01", {
    purchaseId: "buy_4",
    grantId: "d1",
    invoiceId: "in_12",
    amount: cents(5000n),
  }),
  setting.settled("2026-03-03", {
    balanceTransactionId: "txn_11",
    paymentId: "pay_6",
    gross: cents(13200n),
    fee: cents(413n),
  }),
  {
    area: "returns",
    isSetting: true,
    event: "Credits burned",
    story: "dune spends 20.00 of d1 in March.",
    entry: creditsBurned({
      ...on("2026-03-31", "cycle/sub_4/2026-03-01/burned"),
      cycleId: "sub_4/2026-03-01",
      draws: [{ grantId: "d1", kind: "paid", productKey: "tokens", amount: exact("2000") }],
    }),
    postings: ["2000:{dune, d1} → 4000:{tokens} 20.00 USD"],
  },
  {
    area: "returns",
    isSetting: true,
    event: "Revenue recognised",
    story: "March is served, half of the seats.",
    entry: revenueRecognised({
      ...on("2026-03-31", "cycle/sub_4/2026-03-01/recognised"),
      cycleId: "sub_4/2026-03-01",
      subscriptionId: "sub_4",
      items: [{ productKey: "seats", amount: cents(3000n) }],
    }),
    postings: ["2100:{dune, sub_4} → 4010:{seats} 30.00 USD"],
  },
];

const refunded: readonly WorkedExample[] = [
  {
    area: "returns",
    event: "Refund requested",
    story:
      "dune is promised 30.00: 10.00 for a bad week in March, which was earned; 10.00 for seats in April, which were not; 5.00 of credits not spent; and 5.00 of tax on these 25.00.",
    entry: refundRequested({
      ...on("2026-04-01", "refund/re_1/requested"),
      ...ofPayment,
      amount: cents(3000n),
      used: cents(1000n),
      unusedTime: [{ subscriptionId: "sub_4", amount: cents(1000n) }],
      unusedCredits: [{ grantId: "d1", amount: cents(500n) }],
      tax: newYorkTax(500n),
    }),
    postings: [
      "4910 → 2400:{dune, re_1} 10.00 USD",
      "2100:{dune, sub_4} → 2400:{dune, re_1} 10.00 USD",
      "2000:{dune, d1} → 2400:{dune, re_1} 5.00 USD",
      "2300:{us-ny} → 2400:{dune, re_1} 5.00 USD",
    ],
  },
  {
    area: "returns",
    event: "Refund succeeded",
    story: "Stripe has sent the 30.00.",
    entry: refundSucceeded({
      ...on("2026-04-02", "refund/re_1/succeeded"),
      ...ofPayment,
      amount: cents(3000n),
    }),
    postings: ["2400:{dune, re_1} → 1010 30.00 USD"],
  },
  {
    area: "returns",
    event: "Return recorded: the refund's balance transaction",
    story: "They leave our balance there. Clearing is zero again; Stripe keeps its fee of the payment.",
    entry: returnRecorded({
      ...on("2026-04-03", "stripe/txn_12"),
      ...ofPayment,
      balanceTransactionId: "txn_12",
      amount: cents(3000n),
    }),
    postings: ["1010 → 1000 30.00 USD"],
  },
];

const failed: readonly WorkedExample[] = [
  {
    area: "returns",
    isSetting: true,
    event: "Refund requested",
    story: "Another refund, re_2, of 10.00 of unspent credits and 2.00 of tax.",
    entry: refundRequested({
      ...on("2026-04-04", "refund/re_2/requested"),
      ...ofPayment,
      refundId: "re_2",
      amount: cents(1200n),
      unusedCredits: [{ grantId: "d1", amount: cents(1000n) }],
      tax: newYorkTax(200n),
    }),
    postings: ["2000:{dune, d1} → 2400:{dune, re_2} 10.00 USD", "2300:{us-ny} → 2400:{dune, re_2} 2.00 USD"],
  },
  {
    area: "returns",
    event: "Refund failed",
    story: "dune's card was closed. The 12.00 stay theirs, as their balance.",
    entry: refundFailed({
      ...on("2026-04-05", "refund/re_2/failed"),
      ...ofPayment,
      refundId: "re_2",
      amount: cents(1200n),
      after: "requested",
    }),
    postings: ["2400:{dune, re_2} → 2200:{dune} 12.00 USD"],
  },
  {
    area: "returns",
    event: "Refund requested: of customer balance",
    story: "dune names a bank account, and the 12.00 are promised again, from the balance.",
    entry: refundRequested({
      ...on("2026-04-06", "refund/re_3/requested"),
      ...ofPayment,
      refundId: "re_3",
      amount: cents(1200n),
      fromBalance: cents(1200n),
    }),
    postings: ["2200:{dune} → 2400:{dune, re_3} 12.00 USD"],
  },
  {
    area: "returns",
    isSetting: true,
    event: "Refund succeeded",
    story: "They are sent.",
    entry: refundSucceeded({
      ...on("2026-04-06", "refund/re_3/succeeded"),
      ...ofPayment,
      refundId: "re_3",
      amount: cents(1200n),
    }),
    postings: ["2400:{dune, re_3} → 1010 12.00 USD"],
  },
  {
    area: "returns",
    isSetting: true,
    event: "Return recorded",
    story: "They leave our balance.",
    entry: returnRecorded({
      ...on("2026-04-07", "stripe/txn_13"),
      ...ofPayment,
      refundId: "re_3",
      balanceTransactionId: "txn_13",
      amount: cents(1200n),
    }),
    postings: ["1010 → 1000 12.00 USD"],
  },
  {
    area: "returns",
    event: "Refund failed, after it had succeeded",
    story: "The bank sends them back: the success is undone, and the 12.00 are dune's balance once more.",
    entry: refundFailed({
      ...on("2026-04-09", "refund/re_3/failed"),
      ...ofPayment,
      refundId: "re_3",
      amount: cents(1200n),
      after: "succeeded",
    }),
    postings: ["1010 → 2400:{dune, re_3} 12.00 USD", "2400:{dune, re_3} → 2200:{dune} 12.00 USD"],
  },
  {
    area: "returns",
    event: "Failed refund recorded: its balance transaction",
    story: "The money is back in our balance at Stripe, and clearing at zero.",
    entry: failedRefundRecorded({
      ...on("2026-04-09", "stripe/txn_14"),
      ...ofPayment,
      refundId: "re_3",
      balanceTransactionId: "txn_14",
      amount: cents(1200n),
    }),
    postings: ["1000 → 1010 12.00 USD"],
  },
  {
    area: "credits",
    event: "Grant voided: paid credits",
    story:
      "dune stops using credits. The 50.00 − 20.00 − 5.00 − 10.00 = 15.00 left in d1 were paid for, so they become balance.",
    entry: grantVoided({
      ...on("2026-04-10", "grant/d1/voided"),
      grantId: "d1",
      kind: "paid",
      remaining: exact("1500"),
    }),
    postings: ["2000:{dune, d1} → 2200:{dune} 15.00 USD"],
  },
];

export const refunds: readonly WorkedExample[] = [...bought, ...refunded, ...failed];

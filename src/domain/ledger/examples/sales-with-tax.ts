import { instant, period } from "../../calendar/index.ts";
import {
  balanceTransactionRecorded,
  customerBalanceApplied,
  dailyRevenueRecognised,
  invoiceIssued,
  paymentSucceeded,
  prepaidCreditsFunded,
  prorationCredited,
  usageRated,
} from "../entries/index.ts";
import { recognitionShares } from "../recognition-shares.ts";
import { cents, exact, happeningTo, newYorkTax, noLines, type WorkedExample } from "./worked-example.ts";

const on = happeningTo("brook");

const creditsWithTax: readonly WorkedExample[] = [
  {
    area: "sales",
    event: "Invoice issued: a credit purchase with tax",
    story: "brook buys 100.00 of prepaid credits; New York takes 20.00. Total 100.00 + 20.00 = 120.00.",
    entry: invoiceIssued({
      ...on("2026-02-01", "invoice/in_7/issued"),
      ...noLines,
      invoiceId: "in_7",
      creditPurchases: [{ purchaseId: "buy_2", amount: cents(10000n) }],
      tax: newYorkTax(2000n),
    }),
    postings: ["1100:{brook} → 2005:{brook, buy_2} 100.00 USD", "1100:{brook} → 2300:{us-ny} 20.00 USD"],
  },
  {
    area: "payments",
    isSetting: true,
    event: "Payment succeeded",
    story: "brook pays the 120.00 of in_7. Tax is paid like everything else.",
    entry: paymentSucceeded({
      ...on("2026-02-01", "payment/pay_4/succeeded"),
      paymentId: "pay_4",
      invoiceId: "in_7",
      received: cents(12000n),
      due: cents(12000n),
    }),
    postings: ["1010 → 1100:{brook} 120.00 USD"],
  },
  {
    area: "credits",
    isSetting: true,
    event: "Prepaid credits funded",
    story: "So brook has 100.00 to spend, as grant b1.",
    entry: prepaidCreditsFunded({
      ...on("2026-02-01", "purchase/buy_2/funded"),
      purchaseId: "buy_2",
      grantId: "b1",
      invoiceId: "in_7",
      amount: cents(10000n),
    }),
    postings: ["2005:{brook, buy_2} → 2000:{brook, b1} 100.00 USD"],
  },
  {
    area: "payments",
    isSetting: true,
    event: "Balance transaction recorded",
    story: "Stripe keeps 3.50 of the 120.00: 120.00 − 3.50 = 116.50.",
    entry: balanceTransactionRecorded({
      ...on("2026-02-03", "stripe/txn_2"),
      balanceTransactionId: "txn_2",
      paymentId: "pay_4",
      gross: cents(12000n),
      fee: cents(350n),
    }),
    postings: ["1000 → 1010 116.50 USD", "5000 → 1010 3.50 USD"],
  },
];

const seats = recognitionShares(
  exact("5000"),
  period(instant("2026-02-02T00:00:00Z"), instant("2026-02-05T00:00:00Z")),
);

function seatsOfDay(index: number, day: string) {
  return dailyRevenueRecognised({
    ...on(day, `cycle/sub_2/2026-02-02/recognised/${day}`),
    subscriptionId: "sub_2",
    cycleId: "sub_2/2026-02-02",
    day,
    items: [{ productKey: "seats", amount: seats[index]?.amount ?? exact("0") }],
  });
}

const overageAndSeats: readonly WorkedExample[] = [
  {
    area: "sales",
    isSetting: true,
    event: "Usage rated",
    story: "brook's usage beyond its credits comes to 7.00.",
    entry: usageRated({
      ...on("2026-02-02", "cycle/sub_2/2026-01-02/rated"),
      cycleId: "sub_2/2026-01-02",
      usage: [{ productKey: "tokens", amount: exact("700") }],
    }),
    postings: ["1110:{brook} → 4000:{tokens} 7.00 USD"],
  },
  {
    area: "sales",
    event: "Invoice issued: overage in arrears, seats in advance, tax on both",
    story:
      "Overage of 7.00, seats for the three days of a workshop 50.00, tax of 20% on 57.00 is 11.40. Total 57.00 + 11.40 = 68.40.",
    entry: invoiceIssued({
      ...on("2026-02-02", "invoice/in_8/issued"),
      ...noLines,
      invoiceId: "in_8",
      accrued: { billed: cents(700n), booked: exact("700") },
      inAdvance: [{ subscriptionId: "sub_2", amount: cents(5000n) }],
      tax: newYorkTax(1140n),
    }),
    postings: [
      "1100:{brook} → 1110:{brook} 7.00 USD",
      "1100:{brook} → 2100:{brook, sub_2} 50.00 USD",
      "1100:{brook} → 2300:{us-ny} 11.40 USD",
    ],
  },
  {
    area: "sales",
    event: "Revenue recognised by the day: the first",
    story:
      "A third of the 50.00 is earned on the first day: 50.00 ÷ 3, rounded down to what the ledger can hold.",
    entry: seatsOfDay(0, "2026-02-02"),
    postings: ["2100:{brook, sub_2} → 4010:{seats} 16.6666666666 USD"],
  },
  {
    area: "sales",
    isSetting: true,
    event: "Revenue recognised by the day: the second",
    story: "As much on the second.",
    entry: seatsOfDay(1, "2026-02-03"),
    postings: ["2100:{brook, sub_2} → 4010:{seats} 16.6666666666 USD"],
  },
  {
    area: "sales",
    event: "Revenue recognised by the day: the last",
    story:
      "The last day takes the remainder: 50.00 − 2 × 16.6666666666 = 16.6666666668. Nothing stays behind.",
    entry: seatsOfDay(2, "2026-02-04"),
    postings: ["2100:{brook, sub_2} → 4010:{seats} 16.6666666668 USD"],
  },
];

const changes: readonly WorkedExample[] = [
  {
    area: "sales",
    event: "Invoice issued: a fee in advance with tax",
    story: "The month of March is 40.00, and 8.00 of tax.",
    entry: invoiceIssued({
      ...on("2026-03-01", "invoice/in_9/issued"),
      ...noLines,
      invoiceId: "in_9",
      inAdvance: [{ subscriptionId: "sub_3", amount: cents(4000n) }],
      tax: newYorkTax(800n),
    }),
    postings: ["1100:{brook} → 2100:{brook, sub_3} 40.00 USD", "1100:{brook} → 2300:{us-ny} 8.00 USD"],
  },
  {
    area: "sales",
    event: "Invoice issued: a change in mid-period, with tax",
    story:
      "At half of March brook changes to a plan of 100.00: half of it is 50.00 and 10.00 of tax; half of the 40.00 is handed back, 20.00 and its 4.00 of tax. Total 60.00 − 24.00 = 36.00.",
    entry: invoiceIssued({
      ...on("2026-03-16", "invoice/in_10/issued"),
      ...noLines,
      invoiceId: "in_10",
      inAdvance: [{ subscriptionId: "sub_3", amount: cents(5000n) }],
      tax: newYorkTax(1000n),
      prorationCredits: [{ subscriptionId: "sub_3", amount: cents(2000n) }],
      taxCredits: newYorkTax(400n),
    }),
    postings: [
      "1100:{brook} → 2100:{brook, sub_3} 50.00 USD",
      "1100:{brook} → 2300:{us-ny} 10.00 USD",
      "2100:{brook, sub_3} → 1100:{brook} 20.00 USD",
      "2300:{us-ny} → 1100:{brook} 4.00 USD",
    ],
  },
  {
    area: "sales",
    event: "Proration credited without an invoice, with tax",
    story: "A seat is given up: 20.00 of what was invoiced is unused, and its tax of 4.00 goes back with it.",
    entry: prorationCredited({
      ...on("2026-03-20", "change/sub_3/2/credited"),
      changeId: "sub_3/2",
      subscriptionId: "sub_3",
      amount: cents(2000n),
      tax: newYorkTax(400n),
    }),
    postings: ["2100:{brook, sub_3} → 2200:{brook} 20.00 USD", "2300:{us-ny} → 2200:{brook} 4.00 USD"],
  },
  {
    area: "payments",
    isSetting: true,
    event: "Customer balance applied",
    story: "The 24.00 settle a part of in_10: 36.00 − 24.00 = 12.00 remain due.",
    entry: customerBalanceApplied({
      ...on("2026-03-21", "invoice/in_10/balance-applied"),
      applicationId: "in_10/1",
      invoiceId: "in_10",
      amount: cents(2400n),
    }),
    postings: ["2200:{brook} → 1100:{brook} 24.00 USD"],
  },
];

export const salesWithTax: readonly WorkedExample[] = [...creditsWithTax, ...overageAndSeats, ...changes];

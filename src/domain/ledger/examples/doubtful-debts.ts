import {
  expectedLossBooked,
  invoiceIssued,
  invoiceWrittenOff,
  revenueRecognised,
  writeOffRecovered,
} from "../entries/index.ts";
import { settingsFor } from "./settings.ts";
import {
  cents,
  exact,
  happeningTo,
  merchantFacts,
  newYorkTax,
  noLines,
  type WorkedExample,
} from "./worked-example.ts";

const on = happeningTo("gale");
const setting = settingsFor("gale", "debts");

const expected: readonly WorkedExample[] = [
  {
    area: "debts",
    isSetting: true,
    event: "Invoice issued",
    story: "gale's fee for April is 60.00.",
    entry: invoiceIssued({
      ...on("2026-04-01", "invoice/in_17/issued"),
      ...noLines,
      invoiceId: "in_17",
      inAdvance: [{ subscriptionId: "sub_7", amount: cents(6000n) }],
    }),
    postings: ["1100:{gale} → 2100:{gale, sub_7} 60.00 USD"],
  },
  {
    area: "debts",
    isSetting: true,
    event: "Revenue recognised",
    story: "April is served.",
    entry: revenueRecognised({
      ...on("2026-04-30", "cycle/sub_7/2026-04-01/recognised"),
      cycleId: "sub_7/2026-04-01",
      subscriptionId: "sub_7",
      items: [{ productKey: "seats", amount: cents(6000n) }],
    }),
    postings: ["2100:{gale, sub_7} → 4010:{seats} 60.00 USD"],
  },
  {
    area: "debts",
    event: "Expected loss booked",
    story:
      "At the end of April finance reviews what is overdue, and expects to lose 50.00 of all receivables.",
    entry: expectedLossBooked({
      ...merchantFacts("2026-04-30", "receivables-review/2026-04"),
      reviewId: "2026-04",
      change: exact("5000"),
    }),
    postings: ["5100 → 1190 50.00 USD"],
  },
];

const writtenOff: readonly WorkedExample[] = [
  {
    area: "debts",
    event: "Invoice written off, against the allowance",
    story:
      "gale will not pay the 60.00 of in_17. 50.00 were expected; the shortfall of 10.00 is a new expense.",
    entry: invoiceWrittenOff({
      ...on("2026-05-20", "invoice/in_17/written-off"),
      invoiceId: "in_17",
      due: cents(6000n),
      allowance: cents(5000n),
    }),
    postings: ["1190 → 1100:{gale} 50.00 USD", "5100 → 1100:{gale} 10.00 USD"],
  },
  {
    area: "debts",
    event: "Write-off recovered, in part to the allowance",
    story: "gale pays all 60.00 in June. The write-off is undone as it was made, and the invoice is paid.",
    entry: writeOffRecovered({
      ...on("2026-06-10", "payment/pay_10/recovered"),
      invoiceId: "in_17",
      paymentId: "pay_10",
      received: cents(6000n),
      allowance: cents(5000n),
    }),
    postings: [
      "1100:{gale} → 1190 50.00 USD",
      "1100:{gale} → 5100 10.00 USD",
      "1010 → 1100:{gale} 60.00 USD",
    ],
  },
  setting.settled("2026-06-12", {
    balanceTransactionId: "txn_22",
    paymentId: "pay_10",
    gross: cents(6000n),
    fee: cents(204n),
  }),
  {
    area: "debts",
    event: "Expected loss booked: less than before",
    story: "In June nothing is doubtful any more, so the allowance of 50.00 goes back.",
    entry: expectedLossBooked({
      ...merchantFacts("2026-06-30", "receivables-review/2026-06"),
      reviewId: "2026-06",
      change: exact("-5000"),
    }),
    postings: ["1190 → 5100 50.00 USD"],
  },
];

const undelivered: readonly WorkedExample[] = [
  {
    area: "debts",
    isSetting: true,
    event: "Invoice issued",
    story: "gale's fee for July is 30.00, and it orders 20.00 of credits; with tax of 10.00, 60.00.",
    entry: invoiceIssued({
      ...on("2026-07-01", "invoice/in_18/issued"),
      ...noLines,
      invoiceId: "in_18",
      inAdvance: [{ subscriptionId: "sub_7", amount: cents(3000n) }],
      creditPurchases: [{ purchaseId: "buy_7", amount: cents(2000n) }],
      tax: newYorkTax(1000n),
    }),
    postings: [
      "1100:{gale} → 2100:{gale, sub_7} 30.00 USD",
      "1100:{gale} → 2005:{gale, buy_7} 20.00 USD",
      "1100:{gale} → 2300:{us-ny} 10.00 USD",
    ],
  },
  {
    area: "debts",
    isSetting: true,
    event: "Revenue recognised",
    story: "Access ends when nothing is paid, at half of July: 15.00 are earned.",
    entry: revenueRecognised({
      ...on("2026-07-16", "cycle/sub_7/2026-07-01/recognised"),
      cycleId: "sub_7/2026-07-01",
      subscriptionId: "sub_7",
      items: [{ productKey: "seats", amount: cents(1500n) }],
    }),
    postings: ["2100:{gale, sub_7} → 4010:{seats} 15.00 USD"],
  },
  {
    area: "debts",
    event: "Invoice written off: what was not delivered is no loss",
    story:
      "Of the 60.00, 15.00 of seats were not served, 20.00 of credits never given, and the law gives relief for the tax of 10.00. The loss is 60.00 − 45.00 = 15.00.",
    entry: invoiceWrittenOff({
      ...on("2026-07-30", "invoice/in_18/written-off"),
      invoiceId: "in_18",
      due: cents(6000n),
      unusedTime: [{ subscriptionId: "sub_7", amount: cents(1500n) }],
      unpaidCredits: [{ purchaseId: "buy_7", amount: cents(2000n) }],
      tax: newYorkTax(1000n),
    }),
    postings: [
      "5100 → 1100:{gale} 15.00 USD",
      "2100:{gale, sub_7} → 1100:{gale} 15.00 USD",
      "2005:{gale, buy_7} → 1100:{gale} 20.00 USD",
      "2300:{us-ny} → 1100:{gale} 10.00 USD",
    ],
  },
];

export const doubtfulDebts: readonly WorkedExample[] = [...expected, ...writtenOff, ...undelivered];

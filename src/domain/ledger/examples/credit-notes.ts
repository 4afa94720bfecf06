import {
  creditNoteIssued,
  invoiceIssued,
  refundSucceeded,
  returnRecorded,
  usageRated,
} from "../entries/index.ts";
import { settingsFor } from "./settings.ts";
import { cents, exact, happeningTo, newYorkTax, noLines, type WorkedExample } from "./worked-example.ts";

const on = happeningTo("fir");
const setting = settingsFor("fir", "returns");

const invoiced: readonly WorkedExample[] = [
  {
    area: "returns",
    isSetting: true,
    event: "Usage rated",
    story: "fir used 40.00 in March.",
    entry: usageRated({
      ...on("2026-03-31", "cycle/sub_5/2026-03-01/rated"),
      cycleId: "sub_5/2026-03-01",
      usage: [{ productKey: "tokens", amount: exact("4000") }],
    }),
    postings: ["1110:{fir} → 4000:{tokens} 40.00 USD"],
  },
  {
    area: "returns",
    isSetting: true,
    event: "Invoice issued",
    story: "That, seats for April 20.00, and tax 12.00: 72.00.",
    entry: invoiceIssued({
      ...on("2026-04-01", "invoice/in_13/issued"),
      ...noLines,
      invoiceId: "in_13",
      accrued: { billed: cents(4000n), booked: exact("4000") },
      inAdvance: [{ subscriptionId: "sub_5", amount: cents(2000n) }],
      tax: newYorkTax(1200n),
    }),
    postings: [
      "1100:{fir} → 1110:{fir} 40.00 USD",
      "1100:{fir} → 2100:{fir, sub_5} 20.00 USD",
      "1100:{fir} → 2300:{us-ny} 12.00 USD",
    ],
  },
];

const credited: readonly WorkedExample[] = [
  {
    area: "returns",
    event: "Credit note issued: the invoice is open",
    story: "10.00 of the usage was a fault of ours; with 2.00 of tax, 72.00 − 12.00 = 60.00 remain due.",
    entry: creditNoteIssued({
      ...on("2026-04-02", "credit-note/cn_1/issued"),
      creditNoteId: "cn_1",
      invoiceId: "in_13",
      used: cents(1000n),
      tax: newYorkTax(200n),
      lowersDue: cents(1200n),
    }),
    postings: ["4910 → 1100:{fir} 10.00 USD", "2300:{us-ny} → 1100:{fir} 2.00 USD"],
  },
  setting.paid("2026-04-03", { paymentId: "pay_7", invoiceId: "in_13", amount: cents(6000n) }),
  setting.settled("2026-04-05", {
    balanceTransactionId: "txn_15",
    paymentId: "pay_7",
    gross: cents(6000n),
    fee: cents(204n),
  }),
  {
    area: "returns",
    event: "Credit note issued: the invoice is paid, to the customer balance",
    story:
      "Another 5.00 of usage and 5.00 of seats not served yet, with 2.00 of tax: fir has 12.00 for coming invoices.",
    entry: creditNoteIssued({
      ...on("2026-04-06", "credit-note/cn_2/issued"),
      creditNoteId: "cn_2",
      invoiceId: "in_13",
      used: cents(500n),
      unusedTime: [{ subscriptionId: "sub_5", amount: cents(500n) }],
      tax: newYorkTax(200n),
      toBalance: cents(1200n),
    }),
    postings: [
      "4910 → 2200:{fir} 5.00 USD",
      "2100:{fir, sub_5} → 2200:{fir} 5.00 USD",
      "2300:{us-ny} → 2200:{fir} 2.00 USD",
    ],
  },
  {
    area: "returns",
    event: "Credit note issued: the invoice is paid, as a refund",
    story: "And 10.00 of usage with 2.00 of tax that fir wants back.",
    entry: creditNoteIssued({
      ...on("2026-04-07", "credit-note/cn_3/issued"),
      creditNoteId: "cn_3",
      invoiceId: "in_13",
      used: cents(1000n),
      tax: newYorkTax(200n),
      toRefunds: [{ refundId: "re_4", amount: cents(1200n) }],
    }),
    postings: ["4910 → 2400:{fir, re_4} 10.00 USD", "2300:{us-ny} → 2400:{fir, re_4} 2.00 USD"],
  },
  {
    area: "returns",
    isSetting: true,
    event: "Refund succeeded",
    story: "The refund goes on like any other.",
    entry: refundSucceeded({
      ...on("2026-04-08", "refund/re_4/succeeded"),
      refundId: "re_4",
      paymentId: "pay_7",
      amount: cents(1200n),
    }),
    postings: ["2400:{fir, re_4} → 1010 12.00 USD"],
  },
  {
    area: "returns",
    isSetting: true,
    event: "Return recorded",
    story: "It leaves our balance.",
    entry: returnRecorded({
      ...on("2026-04-09", "stripe/txn_16"),
      balanceTransactionId: "txn_16",
      paymentId: "pay_7",
      refundId: "re_4",
      amount: cents(1200n),
    }),
    postings: ["1010 → 1000 12.00 USD"],
  },
  {
    area: "returns",
    isSetting: true,
    event: "Invoice issued",
    story: "fir asks for 50.00 of credits, and does not pay for them.",
    entry: invoiceIssued({
      ...on("2026-04-10", "invoice/in_14/issued"),
      ...noLines,
      invoiceId: "in_14",
      creditPurchases: [{ purchaseId: "buy_5", amount: cents(5000n) }],
    }),
    postings: ["1100:{fir} → 2005:{fir, buy_5} 50.00 USD"],
  },
  {
    area: "returns",
    event: "Credit note issued: credits that nobody paid for",
    story: "The order is cancelled. The credits could not be spent, so no revenue is touched.",
    entry: creditNoteIssued({
      ...on("2026-04-12", "credit-note/cn_4/issued"),
      creditNoteId: "cn_4",
      invoiceId: "in_14",
      unpaidCredits: [{ purchaseId: "buy_5", amount: cents(5000n) }],
      lowersDue: cents(5000n),
    }),
    postings: ["2005:{fir, buy_5} → 1100:{fir} 50.00 USD"],
  },
];

export const creditNotes: readonly WorkedExample[] = [...invoiced, ...credited];

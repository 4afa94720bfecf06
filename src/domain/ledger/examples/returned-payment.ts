import {
  creditNoteIssued,
  creditsBurned,
  customerBalanceApplied,
  invoiceIssued,
  paymentReturned,
  paymentSucceeded,
  prepaidCreditsUnfunded,
  returnRecorded,
} from "../entries/index.ts";
import { settingsFor } from "./settings.ts";
import { cents, exact, happeningTo, noLines, recorded, type WorkedExample } from "./worked-example.ts";

const on = happeningTo("hazel");
const setting = settingsFor("hazel", "corrections");

const debit: WorkedExample = {
  area: "corrections",
  isSetting: true,
  event: "Payment succeeded",
  story: "A bank debit brings 55.00 for them; the 5.00 too many are hazel's.",
  entry: paymentSucceeded({
    ...on("2026-04-02", "payment/pay_11/succeeded"),
    paymentId: "pay_11",
    invoiceId: "in_19",
    received: cents(5500n),
    due: cents(5000n),
  }),
  postings: ["1010 → 1100:{hazel} 50.00 USD", "1010 → 2200:{hazel} 5.00 USD"],
};

const before: readonly WorkedExample[] = [
  {
    area: "corrections",
    isSetting: true,
    event: "Invoice issued",
    story: "hazel buys 50.00 of credits.",
    entry: invoiceIssued({
      ...on("2026-04-01", "invoice/in_19/issued"),
      ...noLines,
      invoiceId: "in_19",
      creditPurchases: [{ purchaseId: "buy_8", amount: cents(5000n) }],
    }),
    postings: ["1100:{hazel} → 2005:{hazel, buy_8} 50.00 USD"],
  },
  debit,
  setting.funded("2026-04-02", {
    purchaseId: "buy_8",
    grantId: "h1",
    invoiceId: "in_19",
    amount: cents(5000n),
  }),
  setting.settled("2026-04-04", {
    balanceTransactionId: "txn_23",
    paymentId: "pay_11",
    gross: cents(5500n),
    fee: cents(80n),
  }),
  {
    area: "corrections",
    isSetting: true,
    event: "Credits burned",
    story: "20.00 of h1 are spent.",
    entry: creditsBurned({
      ...on("2026-04-05", "cycle/sub_8/2026-03-05/burned"),
      cycleId: "sub_8/2026-03-05",
      draws: [{ grantId: "h1", kind: "paid", productKey: "tokens", amount: exact("2000") }],
    }),
    postings: ["2000:{hazel, h1} → 4000:{tokens} 20.00 USD"],
  },
  {
    area: "corrections",
    isSetting: true,
    event: "Invoice issued",
    story: "The fee of the next month is 3.00.",
    entry: invoiceIssued({
      ...on("2026-04-05", "invoice/in_20/issued"),
      ...noLines,
      invoiceId: "in_20",
      inAdvance: [{ subscriptionId: "sub_8", amount: cents(300n) }],
    }),
    postings: ["1100:{hazel} → 2100:{hazel, sub_8} 3.00 USD"],
  },
  {
    area: "corrections",
    isSetting: true,
    event: "Customer balance applied",
    story: "The balance pays it: 5.00 − 3.00 = 2.00 are left.",
    entry: customerBalanceApplied({
      ...on("2026-04-05", "invoice/in_20/balance-applied"),
      applicationId: "in_20/1",
      invoiceId: "in_20",
      amount: cents(300n),
    }),
    postings: ["2200:{hazel} → 1100:{hazel} 3.00 USD"],
  },
];

/** @param earlier the examples before these: what undoes an entry names its id */
export function returnedPayment(earlier: readonly WorkedExample[]): WorkedExample[] {
  const [owed = null, reversal = null] = paymentReturned({
    ...on("2026-04-08", "payment/pay_11/returned"),
    paymentId: "pay_11",
    payment: recorded(debit.entry, [...earlier, ...before]),
    balanceLeft: exact("200"),
  });
  return [
    ...before,
    {
      area: "corrections",
      event: "Payment returned: what was spent of an overpayment is owed",
      story:
        "hazel's bank takes the 55.00 back: the account had no cover. Of the 5.00 too many, 3.00 have paid in_20, and are a debt now.",
      entry: owed,
      postings: ["1100:{hazel} → 2200:{hazel} 3.00 USD"],
    },
    {
      area: "corrections",
      event: "Payment returned",
      story:
        "So the payment can be reversed whole: the 50.00 of in_19 are owed again, and the 5.00 beyond, 2.00 + 3.00, leave the balance.",
      entry: reversal,
      postings: ["1100:{hazel} → 1010 50.00 USD", "2200:{hazel} → 1010 5.00 USD"],
    },
    {
      area: "corrections",
      event: "Prepaid credits unfunded",
      story: "The 30.00 not spent of h1 cannot be spent any more; they wait for a payment.",
      entry: prepaidCreditsUnfunded({
        ...on("2026-04-08", "purchase/buy_8/unfunded/pay_11"),
        purchaseId: "buy_8",
        grantId: "h1",
        paymentId: "pay_11",
        remaining: exact("3000"),
      }),
      postings: ["2000:{hazel, h1} → 2005:{hazel, buy_8} 30.00 USD"],
    },
    {
      area: "corrections",
      event: "Return recorded: a payment's balance transaction",
      story: "The 55.00 leave our balance at Stripe, and 4.00 for the trouble.",
      entry: returnRecorded({
        ...on("2026-04-09", "stripe/txn_24"),
        balanceTransactionId: "txn_24",
        paymentId: "pay_11",
        amount: cents(5500n),
        fee: cents(400n),
      }),
      postings: ["1010 → 1000 55.00 USD", "5000 → 1000 4.00 USD"],
    },
    {
      area: "corrections",
      isSetting: true,
      event: "Credit note issued",
      story:
        "hazel wants no more credits: the 30.00 are cancelled. 50.00 + 3.00 − 30.00 = 23.00 remain owed.",
      entry: creditNoteIssued({
        ...on("2026-04-10", "credit-note/cn_5/issued"),
        creditNoteId: "cn_5",
        invoiceId: "in_19",
        unpaidCredits: [{ purchaseId: "buy_8", amount: cents(3000n) }],
        lowersDue: cents(3000n),
      }),
      postings: ["2005:{hazel, buy_8} → 1100:{hazel} 30.00 USD"],
    },
  ];
}

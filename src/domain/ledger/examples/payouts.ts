import {
  paymentSucceeded,
  payoutFailed,
  payoutPaid,
  payoutSent,
  processorFeeRecorded,
} from "../entries/index.ts";
import { settingsFor } from "./settings.ts";
import { cents, happeningTo, merchantFacts, type WorkedExample } from "./worked-example.ts";

const on = happeningTo("acme");
const setting = settingsFor("acme", "payments");

const arrivals: readonly WorkedExample[] = [
  setting.settled("2026-04-01", {
    balanceTransactionId: "txn_3",
    paymentId: "pay_2",
    gross: cents(3000n),
    fee: cents(0n),
  }),
  setting.settled("2026-04-01", {
    balanceTransactionId: "txn_4",
    paymentId: "pay_3",
    gross: cents(3000n),
    fee: cents(117n),
  }),
  {
    area: "payments",
    event: "Payment succeeded, for an invoice that was voided",
    story:
      "The transfer for in_6 was under way when in_6 was voided. Nothing is due, so the 30.00 are acme's: set against coming invoices, or refunded.",
    entry: paymentSucceeded({
      ...on("2026-04-01", "payment/pay_5/succeeded"),
      paymentId: "pay_5",
      invoiceId: "in_6",
      received: cents(3000n),
      due: cents(0n),
    }),
    postings: ["1010 → 2200:{acme} 30.00 USD"],
  },
  setting.settled("2026-04-02", {
    balanceTransactionId: "txn_5",
    paymentId: "pay_5",
    gross: cents(3000n),
    fee: cents(0n),
  }),
  {
    area: "payments",
    event: "Processor fee recorded",
    story: "Stripe charges 1.50 for a month of its own services.",
    entry: processorFeeRecorded({
      ...merchantFacts("2026-04-02", "stripe/txn_6"),
      balanceTransactionId: "txn_6",
      amount: cents(150n),
    }),
    postings: ["5000 → 1000 1.50 USD"],
  },
];

const toTheBank: readonly WorkedExample[] = [
  {
    area: "payments",
    event: "Payout sent",
    story: "Stripe sends 200.00 to our bank.",
    entry: payoutSent({
      ...merchantFacts("2026-04-03", "stripe/txn_7"),
      balanceTransactionId: "txn_7",
      payoutId: "po_1",
      amount: cents(20000n),
    }),
    postings: ["1030 → 1000 200.00 USD"],
  },
  {
    area: "payments",
    event: "Payout paid",
    story: "They arrive.",
    entry: payoutPaid({
      ...merchantFacts("2026-04-05", "payout/po_1/paid"),
      payoutId: "po_1",
      amount: cents(20000n),
    }),
    postings: ["1020 → 1030 200.00 USD"],
  },
  {
    area: "payments",
    isSetting: true,
    event: "Payout sent",
    story: "Another payout, of 50.00.",
    entry: payoutSent({
      ...merchantFacts("2026-04-06", "stripe/txn_8"),
      balanceTransactionId: "txn_8",
      payoutId: "po_2",
      amount: cents(5000n),
    }),
    postings: ["1030 → 1000 50.00 USD"],
  },
  {
    area: "payments",
    event: "Payout failed",
    story: "The bank refuses it, and the 50.00 are back at Stripe.",
    entry: payoutFailed({
      ...merchantFacts("2026-04-07", "stripe/txn_9"),
      balanceTransactionId: "txn_9",
      payoutId: "po_2",
      amount: cents(5000n),
      after: "sent",
    }),
    postings: ["1000 → 1030 50.00 USD"],
  },
  {
    area: "payments",
    event: "Payout failed, after it was paid",
    story: "Days later the bank sends po_1 back too. It had been booked as arrived.",
    entry: payoutFailed({
      ...merchantFacts("2026-04-09", "stripe/txn_10"),
      balanceTransactionId: "txn_10",
      payoutId: "po_1",
      amount: cents(20000n),
      after: "paid",
    }),
    postings: ["1000 → 1020 200.00 USD"],
  },
];

export const payouts: readonly WorkedExample[] = [...arrivals, ...toTheBank];

import {
  balanceTransactionRecorded,
  invoiceIssued,
  paymentSucceeded,
  prepaidCreditsFunded,
  promotionalCreditsGranted,
} from "../entries/index.ts";
import { cents, happeningTo, noLines, type WorkedExample } from "./worked-example.ts";

const on = happeningTo("acme");

export const purchaseAndPayment: readonly WorkedExample[] = [
  {
    area: "credits",
    event: "Promotional credits granted",
    story: "acme starts on the pro plan on 1 January and gets 5.00 of credits as a welcome.",
    entry: promotionalCreditsGranted({
      ...on("2026-01-01", "grant/welcome/granted"),
      grantId: "welcome",
      amount: cents(500n),
    }),
    postings: ["1300 → 2010:{acme, welcome} 5.00 USD"],
  },
  {
    area: "sales",
    event: "Invoice issued: a fee in advance and a credit purchase",
    story:
      "The first invoice: pro for January 50.00, and 100.00 of prepaid credits. Total 50.00 + 100.00 = 150.00.",
    entry: invoiceIssued({
      ...on("2026-01-01", "invoice/in_1/issued"),
      ...noLines,
      invoiceId: "in_1",
      inAdvance: [{ subscriptionId: "sub_1", amount: cents(5000n) }],
      creditPurchases: [{ purchaseId: "buy_1", amount: cents(10000n) }],
    }),
    postings: ["1100:{acme} → 2100:{acme, sub_1} 50.00 USD", "1100:{acme} → 2005:{acme, buy_1} 100.00 USD"],
  },
  {
    area: "payments",
    event: "Payment succeeded",
    story: "The card is charged 150.00, exactly what is due.",
    entry: paymentSucceeded({
      ...on("2026-01-01", "payment/pay_1/succeeded"),
      paymentId: "pay_1",
      invoiceId: "in_1",
      received: cents(15000n),
      due: cents(15000n),
    }),
    postings: ["1010 → 1100:{acme} 150.00 USD"],
  },
  {
    area: "credits",
    event: "Prepaid credits funded",
    story: "The invoice is paid, so its 100.00 of credits can be spent, as grant g1.",
    entry: prepaidCreditsFunded({
      ...on("2026-01-01", "purchase/buy_1/funded"),
      purchaseId: "buy_1",
      grantId: "g1",
      invoiceId: "in_1",
      amount: cents(10000n),
    }),
    postings: ["2005:{acme, buy_1} → 2000:{acme, g1} 100.00 USD"],
  },
  {
    area: "payments",
    event: "Balance transaction recorded",
    story:
      "Stripe credits the payment to our balance and keeps 4.65: 150.00 − 4.65 = 145.35. Clearing is zero again.",
    entry: balanceTransactionRecorded({
      ...on("2026-01-03", "stripe/txn_1"),
      balanceTransactionId: "txn_1",
      paymentId: "pay_1",
      gross: cents(15000n),
      fee: cents(465n),
    }),
    postings: ["1000 → 1010 145.35 USD", "5000 → 1010 4.65 USD"],
  },
  {
    area: "sales",
    event: "Invoice issued: an upgrade in mid-period",
    story:
      "At half of January acme moves to scale, 100.00 a month: 25.00 of pro is unused and credited, half of scale is 50.00. Total 50.00 − 25.00 = 25.00.",
    entry: invoiceIssued({
      ...on("2026-01-16", "invoice/in_2/issued"),
      ...noLines,
      invoiceId: "in_2",
      inAdvance: [{ subscriptionId: "sub_1", amount: cents(5000n) }],
      prorationCredits: [{ subscriptionId: "sub_1", amount: cents(2500n) }],
    }),
    postings: ["1100:{acme} → 2100:{acme, sub_1} 50.00 USD", "2100:{acme, sub_1} → 1100:{acme} 25.00 USD"],
  },
  {
    area: "payments",
    event: "Payment succeeded, more than is due",
    story: "acme pays in_2 by bank transfer and sends 30.00 for 25.00. The 5.00 too many are theirs.",
    entry: paymentSucceeded({
      ...on("2026-01-20", "payment/pay_2/succeeded"),
      paymentId: "pay_2",
      invoiceId: "in_2",
      received: cents(3000n),
      due: cents(2500n),
    }),
    postings: ["1010 → 1100:{acme} 25.00 USD", "1010 → 2200:{acme} 5.00 USD"],
  },
];

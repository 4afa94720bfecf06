import { money } from "../../money/index.ts";
import {
  balanceTransactionRecorded,
  exchangeRevalued,
  invoiceIssued,
  refundRequested,
  refundSucceeded,
  returnRecorded,
  settledInAnotherCurrency,
  usageRated,
} from "../entries/index.ts";
import { settingsFor } from "./settings.ts";
import { cents, exact, happeningTo, merchantFacts, noLines, type WorkedExample } from "./worked-example.ts";

const on = happeningTo("iris", "eur");
const euros = (amountMinor: bigint) => money(amountMinor, "eur");
const germanTax = (amountMinor: bigint) => [{ jurisdiction: "de", amount: euros(amountMinor) }];

const [paidInEuro, paidInDollar] = settledInAnotherCurrency(
  balanceTransactionRecorded({
    ...on("2026-04-03", "stripe/txn_27"),
    balanceTransactionId: "txn_27",
    paymentId: "pay_13",
    gross: euros(11900n),
    fee: euros(0n),
  }),
  { gross: cents(12852n), fee: cents(386n) },
);

const [returnedInEuro, returnedInDollar] = settledInAnotherCurrency(
  returnRecorded({
    ...on("2026-04-10", "stripe/txn_28"),
    balanceTransactionId: "txn_28",
    paymentId: "pay_13",
    refundId: "re_5",
    amount: euros(11900n),
  }),
  { gross: cents(-13090n), fee: cents(0n) },
);

const exchanged: readonly WorkedExample[] = [
  {
    area: "currencies",
    isSetting: true,
    event: "Invoice issued",
    story: "iris, in Germany, is invoiced 100.00 EUR and 19.00 EUR of tax.",
    entry: invoiceIssued({
      ...on("2026-04-01", "invoice/in_21/issued"),
      invoiceId: "in_21",
      accrued: { billed: euros(0n), booked: exact("0") },
      inAdvance: [{ subscriptionId: "sub_10", amount: euros(10000n) }],
      prorationCredits: [],
      creditPurchases: [],
      tax: germanTax(1900n),
    }),
    postings: ["1100:{iris} → 2100:{iris, sub_10} 100.00 EUR", "1100:{iris} → 2300:{de} 19.00 EUR"],
  },
  settingsFor("iris", "currencies", "eur").paid("2026-04-01", {
    paymentId: "pay_13",
    invoiceId: "in_21",
    amount: euros(11900n),
  }),
  {
    area: "currencies",
    event: "Settled in another currency: the payment, in euros",
    story: "Stripe settles the 119.00 EUR in dollars. In euros they leave clearing over the bridge.",
    entry: paidInEuro,
    postings: ["9000 → 1010 119.00 EUR"],
  },
  {
    area: "currencies",
    event: "Settled in another currency: the payment, in dollars",
    story: "At 1.08 they are 119.00 × 1.08 = 128.52 USD, and Stripe keeps 3.86 USD.",
    entry: paidInDollar,
    postings: ["1000 → 9000 128.52 USD", "5000 → 1000 3.86 USD"],
  },
  {
    area: "currencies",
    isSetting: true,
    event: "Refund requested",
    story: "iris cancels before the period starts, and all of it is refunded.",
    entry: refundRequested({
      ...on("2026-04-08", "refund/re_5/requested"),
      refundId: "re_5",
      paymentId: "pay_13",
      amount: euros(11900n),
      unusedTime: [{ subscriptionId: "sub_10", amount: euros(10000n) }],
      tax: germanTax(1900n),
    }),
    postings: [
      "2100:{iris, sub_10} → 2400:{iris, re_5} 100.00 EUR",
      "2300:{de} → 2400:{iris, re_5} 19.00 EUR",
    ],
  },
  {
    area: "currencies",
    isSetting: true,
    event: "Refund succeeded",
    story: "The refund is sent.",
    entry: refundSucceeded({
      ...on("2026-04-09", "refund/re_5/succeeded"),
      refundId: "re_5",
      paymentId: "pay_13",
      amount: euros(11900n),
    }),
    postings: ["2400:{iris, re_5} → 1010 119.00 EUR"],
  },
  {
    area: "currencies",
    event: "Settled in another currency: the refund, in euros",
    story: "The 119.00 EUR come back over the bridge, which is at zero in euros again.",
    entry: returnedInEuro,
    postings: ["1010 → 9000 119.00 EUR"],
  },
  {
    area: "currencies",
    event: "Settled in another currency: the refund, in dollars",
    story: "But a euro is 1.10 by now: 119.00 × 1.10 = 130.90 USD leave our balance.",
    entry: returnedInDollar,
    postings: ["9000 → 1000 130.90 USD"],
  },
  {
    area: "currencies",
    event: "Exchange revalued",
    story: "The bridge is left with 130.90 − 128.52 = 2.38 USD, which the rate has cost us.",
    entry: exchangeRevalued({
      ...merchantFacts("2026-04-30", "exchange-revaluation/2026-04-30/usd"),
      revaluationId: "2026-04-30",
      loss: exact("238"),
    }),
    postings: ["5300 → 9000 2.38 USD"],
  },
];

const onJuno = happeningTo("juno", "jpy");
const onKilo = happeningTo("kilo", "kwd");
const yen = (amountMinor: bigint) => money(amountMinor, "jpy");
const fils = (amountMinor: bigint) => money(amountMinor, "kwd");

const smallCoins: readonly WorkedExample[] = [
  {
    area: "currencies",
    event: "Usage rated: yen",
    story:
      "juno's usage is 1249.6 yen. There is no smaller coin than a yen, but the ledger has decimals below it.",
    entry: usageRated({
      ...onJuno("2026-04-30", "cycle/sub_11/2026-04-01/rated"),
      cycleId: "sub_11/2026-04-01",
      usage: [{ productKey: "tokens", amount: exact("1249.6") }],
    }),
    postings: ["1110:{juno} → 4000:{tokens} 1249.6 JPY"],
  },
  {
    area: "currencies",
    event: "Invoice issued: yen",
    story: "The invoice says 1250, and 0.4 is rounding in our favour.",
    entry: invoiceIssued({
      ...onJuno("2026-05-01", "invoice/in_22/issued"),
      ...noLines,
      invoiceId: "in_22",
      accrued: { billed: yen(1250n), booked: exact("1249.6") },
    }),
    postings: ["1100:{juno} → 1110:{juno} 1250 JPY", "1110:{juno} → 5900 0.4 JPY"],
  },
  {
    area: "currencies",
    event: "Usage rated: dinars",
    story: "kilo's usage is 1.2404 dinars; a dinar has 1,000 fils.",
    entry: usageRated({
      ...onKilo("2026-04-30", "cycle/sub_12/2026-04-01/rated"),
      cycleId: "sub_12/2026-04-01",
      usage: [{ productKey: "tokens", amount: exact("1240.4") }],
    }),
    postings: ["1110:{kilo} → 4000:{tokens} 1.2404 KWD"],
  },
  {
    area: "currencies",
    event: "Invoice issued: dinars",
    story: "The invoice says 1.240, and 0.0004 is rounding in favour of kilo.",
    entry: invoiceIssued({
      ...onKilo("2026-05-01", "invoice/in_23/issued"),
      ...noLines,
      invoiceId: "in_23",
      accrued: { billed: fils(1240n), booked: exact("1240.4") },
    }),
    postings: ["1100:{kilo} → 1110:{kilo} 1.240 KWD", "5900 → 1110:{kilo} 0.0004 KWD"],
  },
  {
    area: "currencies",
    event: "Usage rated: the smallest amount",
    story: "lark's first token costs a hundred-millionth of a cent. It is owed exactly.",
    entry: usageRated({
      ...happeningTo("lark")("2026-04-30", "cycle/sub_13/2026-04-01/rated"),
      cycleId: "sub_13/2026-04-01",
      usage: [{ productKey: "tokens", amount: exact("0.00000001") }],
    }),
    postings: ["1110:{lark} → 4000:{tokens} 0.0000000001 USD"],
  },
];

export const currencies: readonly WorkedExample[] = [...exchanged, ...smallCoins];

import { test } from "vitest";
import {
  badDebt,
  balanceTransactionRecorded,
  creditsBurned,
  customerBalance,
  doubtfulAllowance,
  holdSettled,
  invoiceIssued,
  invoiceWrittenOff,
  netInvoice,
  paymentSucceeded,
  paymentsClearing,
  promotionalOffset,
  prorationCredited,
  receivable,
  stripeBalance,
  usageRevenue,
  writeOffRecovered,
} from "../../../src/domain/ledger/index.ts";
import { type Amounts, expectProperty, type PropertyOfEvent, tax, time, units } from "./event-property.ts";
import { cents, facts, usd } from "./facts.ts";

const clearing = paymentsClearing(usd);
const balance = customerBalance("acme", usd);
const owed = receivable("acme", usd);

const payments: readonly PropertyOfEvent[] = [
  {
    event: "a payment settles at most what is due, and the rest is the customer's",
    entry: ([a, b]) =>
      paymentSucceeded({ ...facts, paymentId: "p", invoiceId: "in", received: cents(a), due: cents(b) }),
    moves: ([a, b]) => [
      [clearing, a],
      [owed, -(a < b ? a : b)],
      [balance, a < b ? 0n : b - a],
    ],
  },
  {
    event: "a balance transaction takes all of a payment out of clearing, whatever its fee",
    entry: ([a, b]) =>
      balanceTransactionRecorded({
        ...facts,
        balanceTransactionId: "t",
        paymentId: "p",
        gross: cents(a),
        fee: cents(b),
      }),
    moves: ([a, b]) => [
      [clearing, -a],
      [stripeBalance(usd), a - b],
    ],
  },
  {
    event: "a write-off takes all that is due, and the allowance at most the loss",
    entry: ([a, b, c, d, e]) =>
      invoiceWrittenOff({
        ...facts,
        invoiceId: "in",
        due: cents(a + b + c + d),
        unusedTime: time(b),
        unpaidCredits: [{ purchaseId: "buy", amount: cents(c) }],
        tax: tax(d),
        allowance: cents(e),
      }),
    moves: ([a, b, c, d, e]) => [
      [owed, -(a + b + c + d)],
      [doubtfulAllowance(usd), e < a ? e : a],
      [badDebt(usd), e < a ? a - e : 0n],
    ],
  },
  {
    event: "a recovery leaves the receivable as it was, and undoes the loss",
    entry: ([a, b, , , e]) =>
      writeOffRecovered({
        ...facts,
        invoiceId: "in",
        paymentId: "p",
        received: cents(a + b),
        tax: tax(b),
        allowance: cents(e),
      }),
    moves: ([a, b, , , e]) => [
      [owed, 0n],
      [clearing, a + b],
      [doubtfulAllowance(usd), -(e < a ? e : a)],
      [badDebt(usd), e < a ? e - a : 0n],
    ],
  },
];

const draws = ([a, b, c]: Amounts) =>
  [
    { grantId: "g", kind: "paid", amount: units(a), productKey: "tokens" },
    { grantId: "gift", kind: "promotional", amount: units(b), productKey: "tokens" },
    { grantId: "good", kind: "goodwill", amount: units(c), productKey: "tokens" },
  ] as const;

const usage: readonly PropertyOfEvent[] = [
  {
    event: "an invoice with tax adds its total to the receivable, and what is carried to the balance",
    entry: (amounts) => invoiceIssued({ ...facts, invoiceId: "in", ...invoiceOf(amounts) }),
    moves: (amounts) => {
      const { total, carriedToBalance } = netInvoice(invoiceOf(amounts), usd);
      return [
        [owed, total.amountMinor],
        [balance, -carriedToBalance.amountMinor],
      ];
    },
  },
  {
    event: "a proration credit gives its tax back with it",
    entry: ([a, b]) =>
      prorationCredited({ ...facts, changeId: "c", subscriptionId: "s", amount: cents(a), tax: tax(b) }),
    moves: ([a, b]) => [[balance, -(a + b)]],
  },
  {
    event: "burned credits are revenue, whoever gave them",
    entry: (amounts) => creditsBurned({ ...facts, cycleId: "c", draws: draws(amounts) }),
    moves: ([a, b, c]) => [
      [usageRevenue("tokens", usd), -(a + b + c)],
      [promotionalOffset(usd), -b],
    ],
  },
  {
    event: "a settled hold is revenue of all that the request cost",
    entry: (amounts) =>
      holdSettled({
        ...facts,
        holdKey: "h",
        productKey: "tokens",
        draws: draws(amounts),
        overage: units(amounts[3]),
      }),
    moves: ([a, b, c, d]) => [[usageRevenue("tokens", usd), -(a + b + c + d)]],
  },
];

function invoiceOf([a, b, c, d, e]: Amounts) {
  return {
    accrued: { billed: cents(a), booked: units(a) },
    inAdvance: time(b),
    creditPurchases: [],
    tax: tax(c),
    prorationCredits: time(d),
    taxCredits: tax(e),
  };
}

const events = [...payments, ...usage];

test.each(events)("$event", (property) => expectProperty(property));

import { test } from "vitest";
import {
  badDebt,
  creditNoteIssued,
  customerBalance,
  disputedReceivable,
  disputeLost,
  disputeOpened,
  disputeWon,
  prepaidCredits,
  receivable,
  refundPayable,
  refundRequested,
  stripeBalance,
} from "../../../src/domain/ledger/index.ts";
import { expectProperty, type PropertyOfEvent, tax, time } from "./event-property.ts";
import { cents, facts, usd } from "./facts.ts";

const balance = customerBalance("acme", usd);
const owed = receivable("acme", usd);
const credits = (amount: bigint) => [{ grantId: "g", amount: cents(amount) }];

const events: readonly PropertyOfEvent[] = [
  {
    event: "a refund promises the sum of its parts",
    entry: ([a, b, c, d, e]) =>
      refundRequested({
        ...facts,
        refundId: "re",
        paymentId: "p",
        amount: cents(a + b + c + d + e),
        used: cents(a),
        unusedTime: time(b),
        unusedCredits: credits(c),
        tax: tax(d),
        fromBalance: cents(e),
      }),
    moves: ([a, b, c, d, e]) => [
      [refundPayable("acme", "re", usd), -(a + b + c + d + e)],
      [prepaidCredits("acme", "g", usd), c],
      [balance, e],
    ],
  },
  {
    event: "a credit note gives what it takes, wherever that goes",
    entry: ([a, b, c, d, e]) =>
      creditNoteIssued({
        ...facts,
        creditNoteId: "cn",
        invoiceId: "in",
        used: cents(a + d),
        unusedTime: time(b + e),
        tax: tax(c),
        lowersDue: cents(a + b),
        toBalance: cents(c + d),
        toRefunds: [{ refundId: "re", amount: cents(e) }],
      }),
    moves: ([a, b, c, d, e]) => [
      [owed, -(a + b)],
      [balance, -(c + d)],
      [refundPayable("acme", "re", usd), -e],
    ],
  },
  {
    event: "a lost dispute clears what was disputed",
    entry: ([a, b, c, d]) =>
      disputeLost({
        ...facts,
        disputeId: "dp",
        paymentId: "p",
        amount: cents(a + b + c + d),
        used: cents(a),
        unusedTime: time(b),
        unusedCredits: credits(c),
        tax: tax(d),
      }),
    moves: ([a, b, c, d]) => [
      [disputedReceivable("acme", "dp", usd), -(a + b + c + d)],
      [badDebt(usd), a],
    ],
  },
  {
    event: "a dispute takes amount and fee from the Stripe balance",
    entry: ([a, b]) =>
      disputeOpened({
        ...facts,
        disputeId: "dp",
        paymentId: "p",
        balanceTransactionId: "t",
        amount: cents(a),
        fee: cents(b),
      }),
    moves: ([a, b]) => [[stripeBalance(usd), -(a + b)]],
  },
  {
    event: "a won dispute brings them back",
    entry: ([a, b]) =>
      disputeWon({
        ...facts,
        disputeId: "dp",
        paymentId: "p",
        balanceTransactionId: "t",
        amount: cents(a),
        feeReturned: cents(b),
      }),
    moves: ([a, b]) => [
      [stripeBalance(usd), a + b],
      [disputedReceivable("acme", "dp", usd), -a],
    ],
  },
];

test.each(events)("$event", (property) => expectProperty(property));

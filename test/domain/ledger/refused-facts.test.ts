import { expect, test } from "vitest";
import {
  balanceTransactionRecorded,
  clearedFromSuspense,
  creditNoteIssued,
  disputeLost,
  exchangeRevalued,
  expectedLossBooked,
  goodwillGranted,
  grantAdjusted,
  holdSettled,
  invoiceIssued,
  invoiceWrittenOff,
  type JournalEntry,
  JournalEntryInvalidError,
  paymentReturned,
  paymentSucceeded,
  payoutSent,
  processorFeeRecorded,
  refundRequested,
  returnRecorded,
  reversalCorrected,
  reversalOf,
  settledInAnotherCurrency,
  writeOffRecovered,
} from "../../../src/domain/ledger/index.ts";
import { money } from "../../../src/domain/money/index.ts";
import { at, cents, exact, facts, merchantFacts } from "./facts.ts";

const refund = { ...facts, refundId: "re", paymentId: "p", amount: cents(30n) };
const dispute = { ...facts, disputeId: "dp", paymentId: "p", amount: cents(30n) };
const fee = processorFeeRecorded({ ...merchantFacts, balanceTransactionId: "txn", amount: cents(2n) });
const payment = recorded(
  paymentSucceeded({ ...facts, paymentId: "p", invoiceId: "in", received: cents(5n), due: cents(5n) }),
);
const inEuro = { ...facts, currency: money(0n, "eur").currency };
const returned = returnRecorded({
  ...inEuro,
  balanceTransactionId: "txn",
  paymentId: "p",
  amount: money(5n, "eur"),
  fee: money(1n, "eur"),
});

test.each([
  {
    refused: () => refundRequested({ ...refund, used: cents(20n) }),
    says: "the parts do not add up: 0.20 USD on one side, 0.30 USD on the other",
  },
  {
    refused: () => refundRequested({ ...refund, used: cents(35n), fromBalance: cents(-5n) }),
    says: "-0.05 USD of 2200 is negative: give amounts without a sign",
  },
  {
    refused: () => creditNoteIssued({ ...facts, creditNoteId: "cn", invoiceId: "in", used: cents(1n) }),
    says: "parts that sum to the whole",
  },
  {
    refused: () => disputeLost({ ...dispute, used: cents(31n) }),
    says: "0.31 USD on one side, 0.30 USD on the other",
  },
  {
    refused: () =>
      invoiceWrittenOff({
        ...facts,
        invoiceId: "in",
        due: cents(5n),
        unpaidCredits: [{ purchaseId: "b", amount: cents(6n) }],
      }),
    says: "parts of more than its whole",
  },
  {
    refused: () =>
      writeOffRecovered({
        ...facts,
        invoiceId: "in",
        paymentId: "p",
        received: cents(5n),
        allowance: cents(-1n),
      }),
    says: "-0.01 USD of 1190 is negative",
  },
  {
    refused: () =>
      payoutSent({ ...merchantFacts, balanceTransactionId: "t", payoutId: "po", amount: cents(-1n) }),
    says: "negative amount, -100000000, from 1000/usd to 1030/usd: give amounts without a sign",
  },
  {
    refused: () =>
      goodwillGranted({ ...facts, adjustmentId: "a", amount: cents(0n), to: { kind: "customer_balance" } }),
    says: "moves nothing",
  },
  {
    refused: () =>
      goodwillGranted({
        ...facts,
        adjustmentId: "a",
        amount: money(1n, "eur"),
        to: { kind: "customer_balance" },
      }),
    says: "0.01 EUR is not an amount of an entry in usd: convert it through the exchange bridge",
  },
  {
    refused: () =>
      grantAdjusted({ ...facts, adjustmentId: "a", grantId: "g", kind: "paid", change: exact("1") }),
    says: "paid grant g cannot be raised: sell more credits, or give goodwill",
  },
  {
    refused: () => holdSettled({ ...facts, holdKey: "h", productKey: "p", draws: [], overage: exact("-1") }),
    says: "negative amount",
  },
  {
    refused: () =>
      invoiceIssued({
        ...facts,
        invoiceId: "in",
        accrued: { billed: cents(0n), booked: exact("0") },
        inAdvance: [],
        prorationCredits: [],
        creditPurchases: [],
        tax: [{ jurisdiction: "de", amount: cents(-1n) }],
      }),
    says: "give credits as prorationCredits and their tax as taxCredits",
  },
  {
    refused: () => expectedLossBooked({ ...merchantFacts, reviewId: "r", change: exact("0") }),
    says: "moves nothing",
  },
  {
    refused: () => exchangeRevalued({ ...merchantFacts, revaluationId: "r", loss: exact("0") }),
    says: "moves nothing",
  },
  {
    refused: () => clearedFromSuspense(fee, { balanceTransactionId: "txn", net: cents(-3n) }),
    says: "explains -0.02 USD, but txn moved -0.03 USD: find what else it is",
  },
  {
    refused: () => clearedFromSuspense(fee, { balanceTransactionId: "txn_2", net: cents(-2n) }),
    says: "is of txn: give the entry of txn_2",
  },
  {
    refused: () => clearedFromSuspense(payment, { balanceTransactionId: "p", net: cents(0n) }),
    says: "does not move the Stripe balance",
  },
  {
    refused: () => settledInAnotherCurrency(fee, { gross: cents(-2n), fee: cents(0n) }),
    says: "is settled in its own currency: post it as it is",
  },
  {
    refused: () => settledInAnotherCurrency(returned, { gross: cents(-6n), fee: cents(0n) }),
    says: "has a fee: give it in usd, as it was settled",
  },
  {
    refused: () =>
      paymentReturned({ ...facts, paymentId: "p", payment: recorded(fee), balanceLeft: exact("0") }),
    says: "entry 7 (processor_fee_recorded) books no payment: give the one of payment p",
  },
  {
    refused: () => reversalOf(facts, recorded(reversalOf(facts, payment))),
    says: "entry 7 is a reversal: post what is right as a new entry",
  },
  {
    refused: () => reversalCorrected(facts, payment),
    says: "entry 7 undoes nothing: reverse it if it is wrong",
  },
  {
    refused: () =>
      balanceTransactionRecorded({
        ...facts,
        balanceTransactionId: "txn",
        paymentId: "p",
        gross: cents(1n),
        fee: cents(-1n),
      }),
    says: "negative amount",
  },
])("refused: $says", ({ refused, says }) => {
  expect(refused).toThrow(JournalEntryInvalidError);
  expect(refused).toThrow(says);
});

function recorded(draft: Omit<JournalEntry, "id" | "actor" | "recordedAt">): JournalEntry {
  return { ...draft, id: 7n, actor: "test", recordedAt: at };
}

import { moveStripeBalance } from "../payments/balance.ts";
import { endDispute, escalate, isInquiry, isOpenDispute, openDispute } from "../payments/disputes.ts";
import { arrive, bounce, payOutAll } from "../payments/payouts.ts";
import { failRefund, settleRefund } from "../payments/refunds.ts";
import { unsetSettings } from "../state/account.ts";
import type { Dispute, Payout } from "../state/objects.ts";
import type { Transaction } from "../state/transaction.ts";
import { causeOf, completeAuthentication, failAuthentication } from "./bank.ts";
import { ControlError, type Fields, optionalNumber, optionalText, requiredText } from "./fields.ts";

type BankAction = (tx: Transaction, input: Fields) => unknown;

/** What the banks of customers, and ours, do of their own accord: the body's `action`, with what it is done to. */
export const bankActions: Readonly<Record<string, BankAction>> = {
  complete_authentication: (tx, input) => completeAuthentication(tx, requiredText(input, "intent")),
  fail_authentication: (tx, input) => failAuthentication(tx, requiredText(input, "intent")),
  settle_refund: (tx, input) => settleRefund(causeOf(tx), refundIn(tx, input, ["pending"])),
  fail_refund: (tx, input) =>
    failRefund(
      causeOf(tx),
      refundIn(tx, input, ["pending", "succeeded"]),
      optionalText(input, "reason") ?? "expired_or_canceled_card",
    ),
  open_dispute: (tx, input) =>
    openDispute(causeOf(tx), tx.get("charge", requiredText(input, "charge")), {
      reason: optionalText(input, "reason") ?? "fraudulent",
      inquiry: input.inquiry === true,
      amount: optionalNumber(input, "amount"),
    }),
  escalate_inquiry: (tx, input) => escalate(causeOf(tx), disputeIn(tx, input, true)),
  close_inquiry: (tx, input) => endDispute(causeOf(tx), disputeIn(tx, input, true), "warning_closed"),
  win_dispute: (tx, input) =>
    endDispute(causeOf(tx), disputeIn(tx, input, false), "won", { feeReturned: input.fee_returned === true }),
  lose_dispute: (tx, input) => endDispute(causeOf(tx), disputeIn(tx, input, false), "lost"),
  pay_out: (tx) => ({ payouts: payOutAll(causeOf(tx)) }),
  pay_payout: (tx, input) => arrive(causeOf(tx), payoutIn(tx, input, ["in_transit", "pending"])),
  fail_payout: (tx, input) =>
    bounce(
      causeOf(tx),
      payoutIn(tx, input, ["in_transit", "paid", "pending"]),
      optionalText(input, "code") ?? "account_closed",
    ),
  charge_fee: chargeFee,
  settle_in: settleIn,
};

/** Our bank account is in this currency from now on: what comes in and goes out in others is exchanged. */
function settleIn(tx: Transaction, input: Fields) {
  const rate = optionalNumber(input, "rate");
  if (rate === undefined || rate <= 0) throw new ControlError("rate must be a positive number");
  const before = tx.find("settings", "settings") ?? unsetSettings;
  return tx.put({ ...before, settlement: { currency: requiredText(input, "currency"), rate } });
}

/** Stripe takes money for a service of its own, such as Radar. */
function chargeFee(tx: Transaction, input: Fields) {
  const amount = optionalNumber(input, "amount");
  if (amount === undefined || amount < 1) throw new ControlError("amount must be a positive number");
  return moveStripeBalance(tx, {
    amount: -amount,
    currency: optionalText(input, "currency") ?? "usd",
    description: optionalText(input, "description") ?? "Radar",
    reporting_category: "fee",
    source: null,
    type: "stripe_fee",
  });
}

function refundIn(tx: Transaction, input: Fields, states: readonly string[]) {
  const refund = tx.get("refund", requiredText(input, "refund"));
  if (states.includes(refund.status)) return refund;
  throw new ControlError(`${refund.id} is ${refund.status}`);
}

function disputeIn(tx: Transaction, input: Fields, inquiry: boolean): Dispute {
  const dispute = tx.get("dispute", requiredText(input, "dispute"));
  if (isOpenDispute(dispute) && isInquiry(dispute) === inquiry) return dispute;
  throw new ControlError(`${dispute.id} is ${dispute.status}`);
}

function payoutIn(tx: Transaction, input: Fields, states: readonly string[]): Payout {
  const payout = tx.get("payout", requiredText(input, "payout"));
  if (states.includes(payout.status)) return payout;
  throw new ControlError(`${payout.id} is ${payout.status}`);
}

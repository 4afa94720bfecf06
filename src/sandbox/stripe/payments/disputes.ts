import { refused } from "../http/refusal.ts";
import { type Cause, emit } from "../resources/emit.ts";
import type { Charge, Dispute, DisputeStatus } from "../state/objects.ts";
import type { Transaction } from "../state/transaction.ts";
import { moveStripeBalance } from "./balance.ts";

/** Stripe's fee for a chargeback in the United States, in minor units. */
const disputeFeeMinor = 1500;
const answerWithinSeconds = 9 * 24 * 60 * 60;

const open: ReadonlySet<DisputeStatus> = new Set([
  "needs_response",
  "under_review",
  "warning_needs_response",
  "warning_under_review",
]);

export const isOpenDispute = ({ status }: Dispute): boolean => open.has(status);
export const isInquiry = ({ status }: Dispute): boolean => status.startsWith("warning_");

/** Whether a bank has taken the charge back, or may still: then no refund is possible. */
export function isChargedBack(tx: Transaction, chargeId: string): boolean {
  const disputes = tx.list("dispute", { field: "charge", value: chargeId });
  return disputes.some((dispute) => !isInquiry(dispute) && dispute.status !== "won");
}

export type Complaint = {
  readonly reason: string;
  readonly inquiry: boolean;
  readonly amount?: number | undefined;
};

/** What the card of a charge does of itself: `dispute_fraudulent`, `dispute_inquiry`, or nothing. */
export function complaintOf(nature: string): Complaint | undefined {
  if (!nature.startsWith("dispute_")) return undefined;
  const inquiry = nature === "dispute_inquiry";
  return { inquiry, reason: inquiry ? "fraudulent" : nature.slice("dispute_".length) };
}

/** The cardholder complains. A chargeback takes the money at once; an inquiry only asks. */
export function openDispute(cause: Cause, charge: Charge, { reason, inquiry, amount }: Complaint): Dispute {
  const { tx } = cause;
  const left = charge.amount - charge.amount_refunded;
  if (charge.status !== "succeeded" || left === 0) throw refused(`Charge ${charge.id} cannot be disputed.`);
  const dispute: Dispute = tx.put({
    id: tx.newId("du"),
    object: "dispute",
    created: tx.now,
    livemode: false,
    amount: amount ?? left,
    currency: charge.currency,
    charge: charge.id,
    payment_intent: charge.payment_intent,
    reason,
    status: inquiry ? "warning_needs_response" : "needs_response",
    is_charge_refundable: inquiry,
    balance_transactions: [],
    evidence: {},
    due_by: tx.now + answerWithinSeconds,
    submission_count: 0,
    metadata: {},
  });
  tx.put({ ...charge, disputed: true });
  if (inquiry) {
    emit(cause, "charge.dispute.created", dispute);
    return dispute;
  }
  const withdrawn = moveFunds(tx, dispute, -1, disputeFeeMinor);
  emit(cause, "charge.dispute.created", withdrawn);
  emit(cause, "charge.dispute.funds_withdrawn", withdrawn);
  return withdrawn;
}

/** An inquiry becomes a chargeback. */
export function escalate(cause: Cause, inquiry: Dispute): Dispute {
  const chargeback = moveFunds(
    cause.tx,
    { ...inquiry, status: "needs_response", is_charge_refundable: false },
    -1,
    disputeFeeMinor,
  );
  emit(cause, "charge.dispute.updated", chargeback, inquiry);
  emit(cause, "charge.dispute.funds_withdrawn", chargeback);
  return chargeback;
}

/** Ends a dispute for good. A win brings the money back; Stripe keeps its fee unless it is said to return it. */
export function endDispute(
  cause: Cause,
  dispute: Dispute,
  outcome: "lost" | "warning_closed" | "won",
  { feeReturned = false }: { readonly feeReturned?: boolean } = {},
): Dispute {
  const { tx } = cause;
  const ended: Dispute = { ...dispute, status: outcome, is_charge_refundable: outcome !== "lost" };
  if (outcome !== "won") {
    tx.put(ended);
    emit(cause, "charge.dispute.closed", ended, dispute);
    return ended;
  }
  const won = moveFunds(tx, ended, 1, feeReturned ? -disputeFeeMinor : 0);
  emit(cause, "charge.dispute.closed", won, dispute);
  emit(cause, "charge.dispute.funds_reinstated", won);
  return won;
}

function moveFunds(tx: Transaction, dispute: Dispute, direction: -1 | 1, fee: number): Dispute {
  const moved = moveStripeBalance(tx, {
    amount: direction * dispute.amount,
    fee,
    currency: dispute.currency,
    description: direction < 0 ? "Chargeback withdrawal" : "Chargeback reversal",
    reporting_category: direction < 0 ? "dispute" : "dispute_reversal",
    source: dispute.id,
    type: "adjustment",
  });
  return tx.put({ ...dispute, balance_transactions: [...dispute.balance_transactions, moved.id] });
}

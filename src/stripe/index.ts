export * from "./amounts.ts";
export type { ChargeSettlement } from "./balance-transaction.ts";
export type { BalanceTransactionAtStripe, BalanceTransactionPage } from "./balance-transactions.ts";
export * from "./client.ts";
export type { Collecting } from "./collecting.ts";
export type { CreditNoteAtStripe, CreditNoteToMirror } from "./credit-notes.ts";
export type { AttachedCard, CustomerToMirror, PaymentMethodToAttach } from "./customer-rail.ts";
export { classifyDecline, type Decline } from "./declines.ts";
export type { DisputeAtStripe, DisputeMovement, PaidFor } from "./disputes.ts";
export * from "./errors.ts";
export { eventTypes, isFollowed, snapshotType } from "./events.ts";
export type { SetupPage } from "./hosted-pages.ts";
export type { IntentRef, IntentToPay } from "./intent-payment.ts";
export type { IntentAtStripe, StripeIntentState } from "./intent-state.ts";
export type { MirrorLine } from "./invoice-lines.ts";
export { type InvoiceToMirror, type MirroredInvoice, StripeTotalDiffersError } from "./invoice-mirror.ts";
export {
  attemptKey,
  type InvoiceToPay,
  type MirroredInvoiceRef,
} from "./invoice-payment.ts";
export type { PaymentOutcome, StripeInvoiceState } from "./invoice-state.ts";
export type { MeterErrors } from "./meter-errors.ts";
export type { MeterEventOutcome, MeterEventToSend, StripeMeter, StripeMeters } from "./meters.ts";
export type { OperationLog, OperationStart, OperationState } from "./operations.ts";
export type { TakeTurn } from "./paced-client.ts";
export type { PayoutAtStripe } from "./payouts.ts";
export * from "./rail.ts";
export type { RefundAtStripe, RefundToSend } from "./refunds.ts";
export * from "./webhooks.ts";

export * from "./amounts.ts";
export type { ChargeSettlement } from "./balance-transaction.ts";
export type { BalanceTransactionAtStripe, BalanceTransactionPage } from "./balance-transactions.ts";
export * from "./client.ts";
export type { AttachedCard, CustomerToMirror, PaymentMethodToAttach } from "./customer-rail.ts";
export { classifyDecline, type Decline } from "./declines.ts";
export type { DisputeAtStripe, DisputeMovement } from "./disputes.ts";
export * from "./errors.ts";
export type { MirrorLine } from "./invoice-lines.ts";
export { type InvoiceToMirror, type MirroredInvoice, StripeTotalDiffersError } from "./invoice-mirror.ts";
export {
  attemptKey,
  type InvoiceToPay,
  type MirroredInvoiceRef,
  StripeInvoiceStateError,
} from "./invoice-payment.ts";
export type { PaymentOutcome, StripeInvoiceState } from "./invoice-state.ts";
export type { OperationLog, OperationStart, OperationState } from "./operations.ts";
export type { PayoutAtStripe } from "./payouts.ts";
export * from "./rail.ts";
export type { RefundAtStripe, RefundToSend } from "./refunds.ts";
export * from "./webhooks.ts";

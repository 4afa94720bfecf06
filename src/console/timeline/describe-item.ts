import type { Schemas } from "../../sdk/index.ts";
import { formatAmount, isZeroAmount } from "../format/amount.ts";
import { wordsFor } from "../format/words.ts";

export type TimelineItem = Schemas["TimelineItem"];

const sentences: Readonly<Record<string, string>> = {
  customer_created: "Became a customer",
  subscription_started: "Subscription started",
  invoice_issued: "Invoice issued",
  invoice_voided: "Invoice voided",
  credit_note_issued: "Credit note issued",
  payment_received: "Payment received",
  payment_declined: "Payment declined",
  payment_requires_action: "Payment waits for the customer",
  payment_withheld: "Payment withheld",
  dunning_started: "Dunning started",
  dunning_recovered: "Dunning recovered the payment",
  dunning_exhausted: "Dunning ended without a payment",
  refund_requested: "Refund requested",
  dispute_opened: "Dispute opened",
  credit_granted: "Credit granted",
  credit_expired: "Credit expired",
  change_plan: "Plan changed",
  change_quantity: "Seats changed",
  add_add_on: "Add-on added",
  remove_add_on: "Add-on removed",
  end_trial: "Trial ended",
};

/** What happened, in a few words: "Invoice issued: $12.50". */
export function describeItem({ kind, amount_minor, currency }: TimelineItem): string {
  const what = kind.startsWith("notice_")
    ? `Told: ${wordsFor(kind.slice(7).replace(".", " "))}`
    : (sentences[kind] ?? wordsFor(kind));
  if (amount_minor === null || currency === null || isZeroAmount(amount_minor)) return what;
  return `${what}: ${formatAmount(amount_minor, currency)}`;
}

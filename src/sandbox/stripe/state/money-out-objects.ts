import type { Base, Metadata, Stored } from "./objects.ts";

/** Money that leaves the account, and what says so to the cent: Stripe's names, whole minor units, seconds since 1970. */
export type Refund = Stored & {
  readonly object: "refund";
  readonly amount: number;
  readonly currency: string;
  readonly status: "canceled" | "failed" | "pending" | "requires_action" | "succeeded";
  readonly charge: string;
  readonly payment_intent: string;
  readonly reason?: string | null;
  readonly balance_transaction: string;
  readonly failure_balance_transaction?: string;
  readonly failure_reason?: string;
  readonly metadata: Metadata;
};

export type BalanceTransaction = Stored & {
  readonly object: "balance_transaction";
  readonly amount: number;
  readonly fee: number;
  readonly net: number;
  readonly currency: string;
  readonly available_on: number;
  readonly balance_type: "payments";
  readonly description: string | null;
  /** From the currency of the payment to this one, where they differ. */
  readonly exchange_rate?: number | null;
  readonly fee_details: readonly Readonly<Record<string, unknown>>[];
  readonly reporting_category:
    | "charge"
    | "dispute"
    | "dispute_reversal"
    | "fee"
    | "other_adjustment"
    | "payout"
    | "payout_reversal"
    | "refund"
    | "refund_failure";
  readonly source: string | null;
  readonly type:
    | "adjustment"
    | "charge"
    | "payout"
    | "payout_cancel"
    | "payout_failure"
    | "refund"
    | "refund_failure"
    | "stripe_fee";
};

export type DisputeStatus =
  | "lost"
  | "needs_response"
  | "under_review"
  | "warning_closed"
  | "warning_needs_response"
  | "warning_under_review"
  | "won";

export type Dispute = Base<"dispute"> & {
  readonly amount: number;
  readonly currency: string;
  readonly charge: string;
  readonly payment_intent: string;
  readonly reason: string;
  readonly status: DisputeStatus;
  readonly is_charge_refundable: boolean;
  /** Ids; replies hold the balance transactions themselves. */
  readonly balance_transactions: readonly string[];
  readonly evidence: Readonly<Record<string, string>>;
  readonly due_by: number;
  readonly submission_count: number;
  readonly metadata: Metadata;
};

export type Payout = Base<"payout"> & {
  readonly amount: number;
  readonly currency: string;
  readonly arrival_date: number;
  readonly automatic: boolean;
  readonly balance_transaction: string;
  readonly failure_balance_transaction?: string;
  readonly failure_code?: string;
  readonly failure_message?: string;
  readonly description?: string | null;
  readonly destination: string;
  readonly method: "standard";
  readonly reconciliation_status: "completed" | "in_progress" | "not_applicable";
  readonly source_type: "card";
  readonly statement_descriptor?: string | null;
  readonly status: "canceled" | "failed" | "in_transit" | "paid" | "pending";
  readonly type: "bank_account";
  readonly metadata: Metadata;
};

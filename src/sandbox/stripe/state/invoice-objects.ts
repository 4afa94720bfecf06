import type { Base, Metadata } from "./objects.ts";

export type InvoiceStatus = "draft" | "open" | "paid" | "uncollectible" | "void";

export type Invoice = Base<"invoice"> & {
  readonly status: InvoiceStatus;
  readonly customer: string;
  readonly currency: string;
  readonly collection_method: "charge_automatically" | "send_invoice";
  readonly auto_advance: boolean;
  readonly attempt_count: number;
  readonly attempted: boolean;
  readonly subtotal: number;
  readonly total: number;
  readonly starting_balance: number;
  readonly ending_balance: number | null;
  readonly amount_due: number;
  readonly amount_paid: number;
  readonly amount_remaining: number;
  readonly billing_reason: "manual";
  readonly customer_email: string | null;
  readonly customer_name: string | null;
  readonly number?: string | null;
  readonly description?: string | null;
  readonly footer?: string | null;
  readonly statement_descriptor?: string | null;
  readonly effective_at?: number | null;
  readonly hosted_invoice_url?: string | null;
  readonly invoice_pdf?: string | null;
  readonly default_payment_method?: string | null;
  readonly due_date?: number | null;
  readonly days_until_due?: number;
  readonly paid_out_of_band?: boolean;
  readonly pre_payment_credit_notes_amount?: number;
  readonly post_payment_credit_notes_amount?: number;
  readonly hosted_token: string;
  readonly period_start: number;
  readonly period_end: number;
  readonly status_transitions: {
    readonly finalized_at: number | null;
    readonly marked_uncollectible_at: number | null;
    readonly paid_at: number | null;
    readonly voided_at: number | null;
  };
  readonly metadata: Metadata;
};

export type ServicePeriod = { readonly start: number; readonly end: number };

/** A line of an invoice and, under its other id, the invoice item it came from. */
export type InvoiceItem = Base<"invoiceitem"> & {
  readonly amount: number;
  readonly currency: string;
  readonly customer: string;
  readonly date: number;
  readonly description?: string | null;
  readonly discountable: boolean;
  readonly invoice?: string | null;
  readonly line_id: string;
  readonly period: ServicePeriod;
  readonly quantity: number;
  readonly unit_amount_decimal: string;
  readonly metadata: Metadata;
};

export type InvoicePayment = Base<"invoice_payment"> & {
  readonly amount_paid?: number | null;
  readonly amount_requested: number;
  readonly currency: string;
  readonly invoice: string;
  readonly is_default: true;
  readonly payment: { readonly type: "payment_intent"; readonly payment_intent: string };
  readonly payment_intent: string;
  readonly status: "canceled" | "open" | "paid";
  readonly status_transitions: { readonly canceled_at: number | null; readonly paid_at: number | null };
};

/** Lowers what is due of an open invoice, or says where the money of a paid one went. */
export type CreditNote = Base<"credit_note"> & {
  readonly amount: number;
  readonly currency: string;
  readonly customer: string;
  readonly invoice: string;
  readonly memo?: string | null;
  readonly reason?: string | null;
  readonly number: string;
  readonly pdf: string;
  readonly pre_payment_amount: number;
  readonly post_payment_amount: number;
  readonly out_of_band_amount?: number | null;
  readonly customer_balance_transaction?: string | null;
  readonly refunds: readonly { readonly refund: string; readonly amount_refunded: number }[];
  readonly status: "issued";
  readonly type: "mixed" | "post_payment" | "pre_payment";
  readonly metadata: Metadata;
};

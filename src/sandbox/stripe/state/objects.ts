import type { CheckoutSession, PortalSession } from "./hosted-objects.ts";
import type { CreditNote, Invoice, InvoiceItem, InvoicePayment } from "./invoice-objects.ts";
import type { MeteringObjects } from "./metering-objects.ts";
import type { BalanceTransaction, Dispute, Payout, Refund } from "./money-out-objects.ts";
import type { CardBehaviour, Delivery, KeptReply, Settings } from "./own-objects.ts";

export type { CheckoutSession, PortalSession } from "./hosted-objects.ts";
export type {
  CreditNote,
  Invoice,
  InvoiceItem,
  InvoicePayment,
  InvoiceStatus,
  ServicePeriod,
} from "./invoice-objects.ts";
export type { BalanceTransaction, Dispute, DisputeStatus, Payout, Refund } from "./money-out-objects.ts";

/**
 * What the stand-in remembers of each Stripe object. Field names are Stripe's; amounts are whole minor units,
 * times are seconds since 1970. A field that is nullable and never set is left out: replies fill it with `null`.
 */
export type Metadata = Readonly<Record<string, string>>;

export type Stored = { readonly id: string; readonly object: string; readonly created: number };
export type Base<Kind extends string> = Stored & { readonly object: Kind; readonly livemode: false };

export type Customer = Base<"customer"> & {
  readonly balance: number;
  readonly currency?: string | null;
  readonly delinquent: boolean;
  readonly email?: string | null;
  readonly name?: string | null;
  readonly invoice_prefix: string;
  readonly invoice_settings: { readonly default_payment_method: string | null };
  readonly next_invoice_sequence: number;
  readonly description?: string | null;
  readonly phone?: string | null;
  readonly preferred_locales: readonly string[];
  readonly tax_exempt: "none";
  readonly metadata: Metadata;
  readonly deleted?: true;
};

export type CustomerBalanceTransaction = Base<"customer_balance_transaction"> & {
  readonly amount: number;
  readonly currency: string;
  readonly customer: string;
  readonly ending_balance: number;
  readonly invoice?: string | null;
  readonly type:
    | "adjustment"
    | "applied_to_invoice"
    | "credit_note"
    | "invoice_too_small"
    | "unapplied_from_invoice";
  readonly metadata: Metadata;
};

export type CardDetails = {
  readonly brand: string;
  readonly country: string;
  readonly exp_month: number;
  readonly exp_year: number;
  readonly fingerprint: string;
  readonly funding: string;
  readonly last4: string;
};

export type PaymentMethod = Base<"payment_method"> & {
  readonly type: "card";
  readonly allow_redisplay: "unspecified";
  readonly card: CardDetails;
  readonly customer?: string | null;
  readonly billing_details: Readonly<Record<string, unknown>>;
  readonly metadata: Metadata;
};

export type NextAction =
  | { readonly type: "use_stripe_sdk"; readonly use_stripe_sdk: { readonly type: string } }
  | {
      readonly type: "redirect_to_url";
      readonly redirect_to_url: { readonly return_url: string; readonly url: string };
    };

export type SetupIntent = Base<"setup_intent"> & {
  readonly status:
    | "canceled"
    | "requires_action"
    | "requires_confirmation"
    | "requires_payment_method"
    | "succeeded";
  readonly client_secret: string;
  readonly customer?: string | null;
  readonly payment_method?: string | null;
  readonly payment_method_types: readonly string[];
  readonly usage: string;
  readonly next_action?: NextAction | null;
  readonly last_setup_error?: unknown;
  readonly metadata: Metadata;
};

export type PaymentIntent = Base<"payment_intent"> & {
  readonly status:
    | "canceled"
    | "requires_action"
    | "requires_confirmation"
    | "requires_payment_method"
    | "succeeded";
  readonly amount: number;
  readonly amount_received: number;
  readonly currency: string;
  readonly client_secret: string;
  readonly customer?: string | null;
  readonly payment_method?: string | null;
  readonly payment_method_types: readonly string[];
  readonly capture_method: "automatic";
  readonly confirmation_method: "automatic";
  readonly latest_charge?: string | null;
  readonly last_payment_error?: unknown;
  readonly next_action?: NextAction | null;
  readonly canceled_at?: number | null;
  readonly cancellation_reason?: string | null;
  readonly description?: string | null;
  readonly metadata: Metadata;
};

export type Charge = Base<"charge"> & {
  readonly amount: number;
  readonly amount_captured: number;
  readonly amount_refunded: number;
  readonly currency: string;
  readonly status: "failed" | "succeeded";
  readonly paid: boolean;
  readonly captured: boolean;
  readonly refunded: boolean;
  readonly disputed: boolean;
  readonly customer?: string | null;
  readonly payment_intent: string;
  readonly payment_method: string;
  readonly balance_transaction?: string | null;
  readonly failure_code?: string | null;
  readonly failure_message?: string | null;
  readonly outcome: Readonly<Record<string, unknown>>;
  readonly billing_details: Readonly<Record<string, unknown>>;
  readonly payment_method_details: { readonly type: "card"; readonly card: CardDetails };
  readonly metadata: Metadata;
};

export type StripeEvent = Base<"event"> & {
  readonly type: string;
  readonly api_version: string;
  /** `data` as JSON text: a run holds many events, most are never read, and text is small and quick to replay. */
  readonly data_json: string;
  readonly request: { readonly id: string | null; readonly idempotency_key: string | null };
};

export type WebhookEndpoint = Base<"webhook_endpoint"> & {
  readonly url: string;
  readonly enabled_events: readonly string[];
  readonly status: "disabled" | "enabled";
  readonly api_version?: string | null;
  readonly description?: string | null;
  readonly metadata: Metadata;
  readonly secrets: readonly { readonly secret: string; readonly expires_at_ms: number | null }[];
  /** Of a destination of the second version, which is sent thin events. */
  readonly thin_name?: string;
};

export type Objects = MeteringObjects & {
  balance_transaction: BalanceTransaction;
  "billing_portal.session": PortalSession;
  card_behaviour: CardBehaviour;
  charge: Charge;
  "checkout.session": CheckoutSession;
  credit_note: CreditNote;
  customer: Customer;
  customer_balance_transaction: CustomerBalanceTransaction;
  delivery: Delivery;
  dispute: Dispute;
  event: StripeEvent;
  invoice: Invoice;
  invoice_payment: InvoicePayment;
  invoiceitem: InvoiceItem;
  kept_reply: KeptReply;
  payment_intent: PaymentIntent;
  payment_method: PaymentMethod;
  payout: Payout;
  refund: Refund;
  settings: Settings;
  setup_intent: SetupIntent;
  webhook_endpoint: WebhookEndpoint;
};
export type Kind = keyof Objects;

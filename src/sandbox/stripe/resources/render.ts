import { list } from "../http/lists.ts";
import type { Reply } from "../http/route.ts";
import { nullDefaults } from "../schema/replies.ts";
import type {
  CheckoutSession,
  CreditNote,
  Dispute,
  Invoice,
  InvoiceItem,
  Kind,
  Objects,
  StripeEvent,
  WebhookEndpoint,
} from "../state/objects.ts";
import type { Transaction } from "../state/transaction.ts";

/** A stored object as Stripe would send it: fields that were never set are `null`, ours are left out. */
export function render(tx: Transaction, row: Objects[Kind]): Reply {
  switch (row.object) {
    case "customer":
      return row.deleted
        ? { id: row.id, object: "customer", deleted: true }
        : { ...nullDefaults("customer"), ...row };
    case "invoice":
      return renderInvoice(tx, row);
    case "invoiceitem":
      return renderInvoiceItem(row);
    case "invoice_payment": {
      const { payment_intent: _index, ...shown } = row;
      return { ...nullDefaults("invoice_payment"), ...shown };
    }
    case "balance_transaction":
      return {
        ...nullDefaults("balance_transaction"),
        ...row,
        status: row.available_on <= tx.now ? "available" : "pending",
      };
    case "dispute":
      return renderDispute(tx, row);
    case "event":
      return renderEvent(tx, row);
    case "credit_note":
      return renderCreditNote(row);
    case "checkout.session":
      return renderCheckout(row);
    case "billing_portal.session":
      return { ...nullDefaults("billing_portal.session"), ...row, configuration: "bpc_1sandbox" };
    case "webhook_endpoint":
      return renderEndpoint(row);
    default:
      return { ...nullDefaults(row.object), ...row };
  }
}

/** Balance transactions are part of a dispute; evidence that was never given is `null`, field by field. */
function renderDispute(tx: Transaction, dispute: Dispute): Reply {
  const {
    due_by: dueBy,
    submission_count: submissions,
    evidence,
    balance_transactions: ids,
    ...shown
  } = dispute;
  return {
    ...nullDefaults("dispute"),
    ...shown,
    balance_transactions: ids.map((id) => render(tx, tx.get("balance_transaction", id))),
    enhanced_eligibility_types: [],
    evidence: { ...nullDefaults("dispute_evidence"), enhanced_evidence: {}, ...evidence },
    evidence_details: {
      ...nullDefaults("dispute_evidence_details"),
      due_by: dueBy,
      enhanced_eligibility: {},
      has_evidence: Object.keys(evidence).length > 0,
      past_due: tx.now > dueBy,
      submission_count: submissions,
    },
    intended_submission_method: null,
  };
}

function renderEvent(tx: Transaction, event: StripeEvent): Reply {
  const { data_json: data, ...shown } = event;
  const deliveries = tx.list("delivery", { field: "event", value: event.id });
  const waiting = deliveries.filter(({ state }) => state === "pending").length;
  return { ...nullDefaults("event"), ...shown, data: JSON.parse(data), pending_webhooks: waiting };
}

/** Stripe embeds the first ten lines; the rest are read from the invoice's `lines` list. */
const embeddedLinesMax = 10;

function renderInvoice(tx: Transaction, invoice: Invoice): Reply {
  const { hosted_token: _token, days_until_due: _days, paid_out_of_band: _outOfBand, ...shown } = invoice;
  const items = linesOf(tx, invoice.id);
  const lines = items.slice(0, embeddedLinesMax).map(renderLine);
  const embedded = list(`/v1/invoices/${invoice.id}/lines`, lines, items.length > embeddedLinesMax);
  return {
    ...nullDefaults("invoice"),
    ...shown,
    ...unusedInvoiceFields,
    subtotal_excluding_tax: invoice.subtotal,
    total_excluding_tax: invoice.total,
    post_payment_credit_notes_amount: invoice.post_payment_credit_notes_amount ?? 0,
    pre_payment_credit_notes_amount: invoice.pre_payment_credit_notes_amount ?? 0,
    lines: { ...embedded, total_count: items.length },
  };
}

/** Required by the specification and the same for every invoice here: no tax, discounts or shipping. */
const unusedInvoiceFields = {
  amount_overpaid: 0,
  amount_paid_off_stripe: 0,
  amount_shipping: 0,
  automatic_tax: { enabled: false, disabled_reason: null, liability: null, provider: null, status: null },
  default_tax_rates: [],
  discounts: [],
  issuer: { type: "self" },
  payment_settings: { default_mandate: null, payment_method_options: null, payment_method_types: null },
  total_discount_amounts: [],
  total_pretax_credit_amounts: [],
  total_taxes: [],
  account_country: "US",
  account_name: "Sandbox",
  customer_tax_exempt: "none",
  customer_tax_ids: [],
};

/** The lines of an invoice in the order they were added. */
export function linesOf(tx: Transaction, invoiceId: string): InvoiceItem[] {
  return tx.list("invoiceitem", { field: "invoice", value: invoiceId }).toReversed();
}

/** An invoice item under its other id, `il_…`, as it appears on an invoice. */
export function renderLine(item: InvoiceItem): Reply {
  return {
    id: item.line_id,
    object: "line_item",
    livemode: false,
    amount: item.amount,
    currency: item.currency,
    description: item.description ?? null,
    discount_amounts: [],
    discountable: item.discountable,
    discounts: [],
    invoice: item.invoice ?? null,
    metadata: item.metadata,
    parent: {
      type: "invoice_item_details",
      subscription_item_details: null,
      invoice_item_details: {
        invoice_item: item.id,
        proration: false,
        proration_details: { credited_items: null },
        subscription: null,
      },
    },
    period: item.period,
    pretax_credit_amounts: [],
    pricing: pricingOf(item),
    quantity: item.quantity,
    quantity_decimal: String(item.quantity),
    subscription: null,
    subtotal: item.amount,
    taxes: [],
  };
}

function renderInvoiceItem(item: InvoiceItem): Reply {
  const { line_id: _line, unit_amount_decimal: _price, created: _created, ...shown } = item;
  return {
    ...nullDefaults("invoiceitem"),
    ...shown,
    discounts: [],
    pricing: pricingOf(item),
    proration: false,
    quantity_decimal: String(item.quantity),
    tax_rates: [],
  };
}

function pricingOf(item: InvoiceItem) {
  return { type: "price_details", unit_amount_decimal: item.unit_amount_decimal };
}

/** The signing secret is shown once, when the endpoint is made. */
function renderEndpoint(endpoint: WebhookEndpoint): Reply {
  const { secrets: _secrets, ...shown } = endpoint;
  return { ...nullDefaults("webhook_endpoint"), ...shown };
}

function renderCreditNote(note: CreditNote): Reply {
  const { amount } = note;
  return {
    ...nullDefaults("credit_note"),
    ...note,
    amount_shipping: 0,
    discount_amount: 0,
    discount_amounts: [],
    // An amount of the whole invoice was credited, not lines of it.
    lines: list(`/v1/credit_notes/${note.id}/lines`, [], false),
    pretax_credit_amounts: [],
    refunds: note.refunds.map((each) => ({ ...nullDefaults("credit_note_refund"), ...each })),
    subtotal: amount,
    subtotal_excluding_tax: amount,
    total: amount,
    total_excluding_tax: amount,
    total_taxes: [],
  };
}

function renderCheckout(session: CheckoutSession): Reply {
  return {
    ...nullDefaults("checkout.session"),
    ...session,
    url: session.status === "open" ? session.url : null,
    automatic_tax: { enabled: false, liability: null, provider: null, status: null },
    custom_fields: [],
    custom_text: {
      after_submit: null,
      shipping_address: null,
      submit: null,
      terms_of_service_acceptance: null,
    },
    payment_status: "no_payment_required",
    shipping_options: [],
  };
}

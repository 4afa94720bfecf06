import { createdWithin, page } from "../http/lists.ts";
import { badParameter } from "../http/refusal.ts";
import { type Call, listParameters, pathId, type Reply, type Route } from "../http/route.ts";
import { supportedCurrency } from "../payments/currencies.ts";
import { choice, flag, integer, mergedMetadata, requiredText, text, textChanges } from "../schema/access.ts";
import type { Params } from "../schema/reader.ts";
import type { Customer, Invoice } from "../state/objects.ts";
import type { Transaction } from "../state/transaction.ts";
import { emit } from "./emit.ts";
import { assertDraft, recounted } from "./invoice-lines.ts";
import { liveCustomer } from "./live-customer.ts";
import { methodOfCustomer } from "./payment-intents.ts";
import { linesOf, render } from "./render.ts";

const written = [
  "auto_advance",
  "collection_method",
  "days_until_due",
  "default_payment_method",
  "description",
  "due_date",
  "footer",
  "metadata",
  "number",
  "statement_descriptor",
];

/** Everything that happens to a draft. What follows is in invoice-collection.ts. */
export const invoiceRoutes: readonly Route[] = [
  {
    operation: "POST /v1/invoices",
    honours: [...written, "customer", "currency", "pending_invoice_items_behavior"],
    handle: create,
  },
  {
    operation: "GET /v1/invoices",
    honours: [...listParameters, "created", "customer", "status", "collection_method"],
    handle: listAll,
  },
  { operation: "GET /v1/invoices/{invoice}", honours: [], handle: retrieve },
  { operation: "POST /v1/invoices/{invoice}", honours: written, handle: update },
  { operation: "DELETE /v1/invoices/{invoice}", honours: [], handle: remove },
];

function create(call: Call): Reply {
  const { tx, params } = call;
  const customer = liveCustomer(tx, requiredText(params, "customer"));
  const currency = supportedCurrency(text(params, "currency") ?? customer.currency ?? "usd");
  const settings = changes(tx, params, {
    customer: customer.id,
    collection_method: "charge_automatically",
    metadata: {},
  });
  const draft: Invoice = { ...emptyDraft(tx, customer, currency), ...settings };
  tx.put(draft);
  if (text(params, "pending_invoice_items_behavior") === "include") takePendingItems(tx, draft);
  const invoice = recounted(tx, draft);
  emit(call, "invoice.created", invoice);
  return render(tx, invoice);
}

function emptyDraft(tx: Transaction, customer: Customer, currency: string): Invoice {
  return {
    id: tx.newId("in"),
    object: "invoice",
    created: tx.now,
    livemode: false,
    status: "draft",
    customer: customer.id,
    customer_email: customer.email ?? null,
    customer_name: customer.name ?? null,
    currency,
    billing_reason: "manual",
    collection_method: "charge_automatically",
    auto_advance: false,
    attempt_count: 0,
    attempted: false,
    subtotal: 0,
    total: 0,
    starting_balance: 0,
    ending_balance: null,
    amount_due: 0,
    amount_paid: 0,
    amount_remaining: 0,
    hosted_token: tx.newId("inv").slice("inv_".length),
    period_start: tx.now,
    period_end: tx.now,
    status_transitions: { finalized_at: null, marked_uncollectible_at: null, paid_at: null, voided_at: null },
    metadata: {},
  };
}

type Changeable = Pick<Invoice, "collection_method" | "customer" | "metadata"> & Partial<Invoice>;

/** The fields a create or update sets, checked against each other. */
function changes(tx: Transaction, params: Params, before: Changeable): Partial<Invoice> {
  const method =
    choice(params, "collection_method", ["charge_automatically", "send_invoice"]) ?? before.collection_method;
  const daysUntilDue = integer(params, "days_until_due") ?? before.days_until_due;
  const dueDate = integer(params, "due_date") ?? before.due_date ?? undefined;
  if (method === "charge_automatically" && (daysUntilDue !== undefined || dueDate !== undefined)) {
    throw badParameter("due_date and days_until_due need collection_method=send_invoice.", "days_until_due");
  }
  if (method === "send_invoice" && daysUntilDue === undefined && dueDate === undefined) {
    throw badParameter(
      "collection_method=send_invoice needs days_until_due or due_date.",
      "days_until_due",
      "parameter_missing",
    );
  }
  refuseAutoAdvance(params);
  const methodToken = text(params, "default_payment_method");
  refuseTakenNumber(tx, text(params, "number"), before.id);
  return {
    ...textChanges(params, ["description", "footer", "number", "statement_descriptor"]),
    ...("default_payment_method" in params && {
      default_payment_method: methodToken ? methodOfCustomer(tx, methodToken, before.customer).id : null,
    }),
    ...(daysUntilDue !== undefined && { days_until_due: daysUntilDue }),
    ...(dueDate !== undefined && { due_date: dueDate }),
    collection_method: method,
    metadata: mergedMetadata(params, before.metadata),
  };
}

/** Stripe would finalise, charge and retry by itself. Here that is the caller's work, so asking for it is refused. */
export function refuseAutoAdvance(params: Params): void {
  if (!flag(params, "auto_advance")) return;
  const message = "The stand-in does not collect on its own: set auto_advance to false.";
  throw badParameter(message, "auto_advance", "sandbox_parameter_unsupported");
}

function refuseTakenNumber(tx: Transaction, number: string | undefined, ownId: string | undefined): void {
  if (number === undefined) return;
  const isTaken = tx.list("invoice", { field: "number", value: number }).some(({ id }) => id !== ownId);
  if (isTaken) throw badParameter(`The invoice number ${number} is already in use.`, "number");
}

function takePendingItems(tx: Transaction, invoice: Invoice): void {
  for (const item of tx.list("invoiceitem", { field: "customer", value: invoice.customer })) {
    if (!item.invoice && item.currency === invoice.currency) tx.put({ ...item, invoice: invoice.id });
  }
}

function update(call: Call): Reply {
  const { tx, params } = call;
  const before = invoiceOf(call);
  const onlyMetadata = Object.keys(params).every((name) => name === "metadata" || name === "expand");
  if (!onlyMetadata) assertDraft(before);
  const after = tx.put({ ...before, ...changes(tx, params, before) });
  emit(call, "invoice.updated", after, before);
  return render(tx, after);
}

function remove(call: Call): Reply {
  const { tx } = call;
  const invoice = invoiceOf(call);
  assertDraft(invoice);
  for (const item of linesOf(tx, invoice.id)) tx.remove("invoiceitem", item.id);
  emit(call, "invoice.deleted", invoice);
  tx.remove("invoice", invoice.id);
  return { id: invoice.id, object: "invoice", deleted: true };
}

/** The invoice the path names. */
export function invoiceOf(call: Call): Invoice {
  return call.tx.get("invoice", pathId(call, "invoice"));
}

function retrieve(call: Call): Reply {
  return render(call.tx, invoiceOf(call));
}

function listAll({ tx, params }: Call): Reply {
  const customer = text(params, "customer");
  const status = text(params, "status");
  const method = text(params, "collection_method");
  const isWithin = createdWithin(params);
  const all =
    customer === undefined ? tx.list("invoice") : tx.list("invoice", { field: "customer", value: customer });
  const rows = all.filter(
    (row) =>
      isWithin(row) &&
      (status === undefined || row.status === status) &&
      (method === undefined || row.collection_method === method),
  );
  return page(params, "/v1/invoices", rows, (row) => render(tx, row));
}

import { createdWithin, page } from "../http/lists.ts";
import { badParameter } from "../http/refusal.ts";
import { type Call, listParameters, pathId, type Reply, type Route } from "../http/route.ts";
import { integer, mergedMetadata, object, text, textChanges } from "../schema/access.ts";
import type { Customer } from "../state/objects.ts";
import type { Transaction } from "../state/transaction.ts";
import { emit } from "./emit.ts";
import { liveCustomer } from "./live-customer.ts";
import { render } from "./render.ts";
import { attach, usableMethod } from "./saved-cards.ts";

const textFields = ["description", "email", "name", "phone"] as const;
const written = [
  ...textFields,
  "metadata",
  "balance",
  "invoice_prefix",
  "invoice_settings.default_payment_method",
];

export const customerRoutes: readonly Route[] = [
  { operation: "POST /v1/customers", honours: [...written, "payment_method"], handle: create },
  { operation: "GET /v1/customers", honours: [...listParameters, "created", "email"], handle: listAll },
  { operation: "GET /v1/customers/{customer}", honours: [], handle: retrieve },
  { operation: "POST /v1/customers/{customer}", honours: written, handle: update },
  { operation: "DELETE /v1/customers/{customer}", honours: [], handle: remove },
  {
    operation: "GET /v1/customers/{customer}/payment_methods",
    honours: [...listParameters, "type"],
    handle: listMethods,
  },
];

function create(call: Call): Reply {
  const { tx, params } = call;
  const id = tx.newId("cus");
  const customer: Customer = tx.put({
    id,
    object: "customer",
    created: tx.now,
    livemode: false,
    ...textChanges(params, textFields),
    balance: integer(params, "balance") ?? 0,
    delinquent: false,
    invoice_prefix: text(params, "invoice_prefix") ?? id.slice(-8).toUpperCase(),
    invoice_settings: { default_payment_method: null },
    next_invoice_sequence: 1,
    metadata: mergedMetadata(params),
    preferred_locales: [],
    tax_exempt: "none",
  });
  const token = text(params, "payment_method");
  if (token !== undefined) attach(call, usableMethod(tx, token, "payment_method"), customer);
  const settled = tx.put({ ...customer, invoice_settings: invoiceSettings(tx, customer, call) });
  emit(call, "customer.created", settled);
  return render(tx, settled);
}

function invoiceSettings(
  tx: Transaction,
  customer: Customer,
  { params }: Call,
): Customer["invoice_settings"] {
  const given = object(params, "invoice_settings");
  if (given === undefined || !("default_payment_method" in given)) return customer.invoice_settings;
  const methodId = text(given, "default_payment_method");
  if (methodId === undefined) return { default_payment_method: null };
  const param = "invoice_settings[default_payment_method]";
  if (tx.get("payment_method", methodId, param).customer !== customer.id) {
    throw badParameter(
      `The customer does not have a payment method with the ID ${methodId}`,
      param,
      "resource_missing",
    );
  }
  return { default_payment_method: methodId };
}

function retrieve(call: Call): Reply {
  return render(call.tx, call.tx.get("customer", pathId(call, "customer")));
}

function update(call: Call): Reply {
  const { tx, params } = call;
  const before = liveCustomer(tx, pathId(call, "customer"), "id");
  const after = tx.put({
    ...before,
    ...textChanges(params, textFields),
    balance: integer(params, "balance") ?? before.balance,
    invoice_prefix: text(params, "invoice_prefix") ?? before.invoice_prefix,
    invoice_settings: invoiceSettings(tx, before, call),
    metadata: mergedMetadata(params, before.metadata),
  });
  emit(call, "customer.updated", after, before);
  return render(tx, after);
}

function remove(call: Call): Reply {
  const { tx } = call;
  const customer = liveCustomer(tx, pathId(call, "customer"), "id");
  for (const method of tx.list("payment_method", { field: "customer", value: customer.id })) {
    tx.put({ ...method, customer: null });
  }
  emit(call, "customer.deleted", customer);
  return render(tx, tx.put({ ...customer, deleted: true }));
}

function listAll({ tx, params }: Call): Reply {
  const email = text(params, "email");
  const isWithin = createdWithin(params);
  const rows = tx
    .list("customer")
    .filter((row) => !row.deleted && isWithin(row) && (email === undefined || row.email === email));
  return page(params, "/v1/customers", rows, (row) => render(tx, row));
}

function listMethods(call: Call): Reply {
  const { tx, params } = call;
  const customer = liveCustomer(tx, pathId(call, "customer"), "id");
  const rows = tx.list("payment_method", { field: "customer", value: customer.id });
  return page(params, `/v1/customers/${customer.id}/payment_methods`, rows, (row) => render(tx, row));
}

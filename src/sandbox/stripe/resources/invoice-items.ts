import { createdWithin, page } from "../http/lists.ts";
import { badParameter } from "../http/refusal.ts";
import { type Call, listParameters, pathId, type Reply, type Route } from "../http/route.ts";
import { supportedCurrency } from "../payments/currencies.ts";
import { flag, requiredText, text } from "../schema/access.ts";
import { emit } from "./emit.ts";
import { assertDraft, itemParameters, newItem, recounted } from "./invoice-lines.ts";
import { liveCustomer } from "./live-customer.ts";
import { render } from "./render.ts";

export const invoiceItemRoutes: readonly Route[] = [
  {
    operation: "POST /v1/invoiceitems",
    honours: [...itemParameters, "customer", "currency", "invoice", "unit_amount_decimal"],
    handle: create,
  },
  {
    operation: "GET /v1/invoiceitems",
    honours: [...listParameters, "created", "customer", "invoice", "pending"],
    handle: listAll,
  },
  { operation: "GET /v1/invoiceitems/{invoiceitem}", honours: [], handle: retrieve },
  { operation: "DELETE /v1/invoiceitems/{invoiceitem}", honours: [], handle: remove },
];

function create(call: Call): Reply {
  const { tx, params } = call;
  const customer = liveCustomer(tx, requiredText(params, "customer"));
  const invoiceId = text(params, "invoice");
  const invoice = invoiceId === undefined ? undefined : tx.get("invoice", invoiceId, "invoice");
  if (invoice) assertDraft(invoice);
  if (invoice && invoice.customer !== customer.id) {
    throw badParameter("The invoice belongs to another customer.", "invoice");
  }
  const currency = supportedCurrency(
    text(params, "currency") ?? invoice?.currency ?? customer.currency ?? "usd",
  );
  if (invoice && invoice.currency !== currency) {
    throw badParameter(`The invoice is in ${invoice.currency}, not ${currency}.`, "currency");
  }
  const { unit_amount_decimal: unitAmount, ...others } = params;
  const priced =
    unitAmount === undefined
      ? others
      : { ...others, price_data: { currency, unit_amount_decimal: unitAmount } };
  const item = newItem(tx, priced, { customer: customer.id, currency, invoice: invoice?.id ?? null });
  emit(call, "invoiceitem.created", item);
  if (invoice) emit(call, "invoice.updated", recounted(tx, invoice), invoice);
  return render(tx, item);
}

function retrieve(call: Call): Reply {
  return render(call.tx, call.tx.get("invoiceitem", pathId(call, "invoiceitem")));
}

function remove(call: Call): Reply {
  const { tx } = call;
  const item = tx.get("invoiceitem", pathId(call, "invoiceitem"));
  const invoice = item.invoice ? tx.get("invoice", item.invoice) : undefined;
  if (invoice) assertDraft(invoice);
  tx.remove("invoiceitem", item.id);
  if (invoice) emit(call, "invoice.updated", recounted(tx, invoice), invoice);
  emit(call, "invoiceitem.deleted", item);
  return { id: item.id, object: "invoiceitem", deleted: true };
}

function listAll({ tx, params }: Call): Reply {
  const customer = text(params, "customer");
  const invoice = text(params, "invoice");
  const pending = flag(params, "pending");
  const isWithin = createdWithin(params);
  const rows = tx
    .list("invoiceitem")
    .filter(
      (row) =>
        isWithin(row) &&
        (customer === undefined || row.customer === customer) &&
        (invoice === undefined || row.invoice === invoice) &&
        (pending === undefined || pending === !row.invoice),
    );
  return page(params, "/v1/invoiceitems", rows, (row) => render(tx, row));
}

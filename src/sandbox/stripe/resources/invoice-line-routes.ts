import { page } from "../http/lists.ts";
import { badParameter } from "../http/refusal.ts";
import { type Call, listParameters, type Reply, type Route } from "../http/route.ts";
import { mergedMetadata, objects, requiredText, text } from "../schema/access.ts";
import type { Invoice, InvoiceItem } from "../state/objects.ts";
import type { Transaction } from "../state/transaction.ts";
import { emit } from "./emit.ts";
import { assertDraft, changedItem, itemParameters, newItem, recounted } from "./invoice-lines.ts";
import { invoiceOf } from "./invoices.ts";
import { linesOf, render, renderLine } from "./render.ts";

const lineParameters = itemParameters.map((name) => `lines.${name}`);

/** Reading and changing the lines of an invoice; changes are for drafts only. */
export const invoiceLineRoutes: readonly Route[] = [
  { operation: "GET /v1/invoices/{invoice}/lines", honours: [...listParameters], handle: listLines },
  {
    operation: "POST /v1/invoices/{invoice}/add_lines",
    honours: [...lineParameters, "lines.invoice_item", "invoice_metadata"],
    handle: addLines,
  },
  {
    operation: "POST /v1/invoices/{invoice}/update_lines",
    honours: ["id", "amount", "description", "discountable", "metadata", "period"].map(
      (name) => `lines.${name}`,
    ),
    handle: updateLines,
  },
  {
    operation: "POST /v1/invoices/{invoice}/remove_lines",
    honours: ["lines.id", "lines.behavior"],
    handle: removeLines,
  },
];

function addLines(call: Call): Reply {
  const { tx, params } = call;
  const invoice = invoiceOf(call);
  assertDraft(invoice);
  for (const line of objects(params, "lines")) {
    const itemId = text(line, "invoice_item");
    if (itemId === undefined)
      newItem(tx, line, { customer: invoice.customer, currency: invoice.currency, invoice: invoice.id });
    else tx.put({ ...pendingItem(tx, itemId, invoice), invoice: invoice.id });
  }
  const metadata = mergedMetadata({ metadata: params.invoice_metadata ?? {} }, invoice.metadata);
  return linesChanged(call, { ...invoice, metadata }, invoice);
}

function pendingItem(tx: Transaction, id: string, invoice: Invoice): InvoiceItem {
  const item = tx.get("invoiceitem", id, "lines[invoice_item]");
  if (item.invoice || item.customer !== invoice.customer || item.currency !== invoice.currency) {
    throw badParameter(
      "The invoice item is on another invoice, or of another customer or currency.",
      "lines",
    );
  }
  return item;
}

function updateLines(call: Call): Reply {
  const { tx, params } = call;
  const invoice = invoiceOf(call);
  assertDraft(invoice);
  for (const line of objects(params, "lines"))
    changedItem(tx, lineOf(tx, invoice, requiredText(line, "id")), line);
  return linesChanged(call, invoice, invoice);
}

function removeLines(call: Call): Reply {
  const { tx, params } = call;
  const invoice = invoiceOf(call);
  assertDraft(invoice);
  for (const line of objects(params, "lines")) {
    const item = lineOf(tx, invoice, requiredText(line, "id"));
    if (text(line, "behavior") === "unassign") tx.put({ ...item, invoice: null });
    else tx.remove("invoiceitem", item.id);
  }
  return linesChanged(call, invoice, invoice);
}

/** Lines are addressed by `il_…`; the item's own id, `ii_…`, is not one of them. */
function lineOf(tx: Transaction, invoice: Invoice, lineId: string): InvoiceItem {
  const item = linesOf(tx, invoice.id).find(({ line_id }) => line_id === lineId);
  if (!item) throw badParameter(`No such line item: '${lineId}'`, "lines[id]", "resource_missing");
  return item;
}

function linesChanged(call: Call, invoice: Invoice, before: Invoice): Reply {
  const after = recounted(call.tx, invoice);
  emit(call, "invoice.updated", after, before);
  return render(call.tx, after);
}

function listLines(call: Call): Reply {
  const { id } = invoiceOf(call);
  const lines = linesOf(call.tx, id).map(renderLine);
  return page(call.params, `/v1/invoices/${id}/lines`, lines as { id: string }[], (line) => line);
}

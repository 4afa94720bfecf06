import { badParameter, refused } from "../http/refusal.ts";
import { flag, integer, mergedMetadata, object, text, textChanges } from "../schema/access.ts";
import type { Params } from "../schema/reader.ts";
import type { Invoice, InvoiceItem, ServicePeriod } from "../state/objects.ts";
import type { Transaction } from "../state/transaction.ts";
import { linesOf } from "./render.ts";

/** Stripe's limit on the items of one invoice. */
const linesMax = 250;

/** What {@link newItem} honours of an item or line, as paths for a route. */
export const itemParameters = [
  "amount",
  "description",
  "discountable",
  "metadata",
  "period",
  "quantity",
  "price_data.currency",
  "price_data.product_data.name",
  "price_data.unit_amount",
  "price_data.unit_amount_decimal",
] as const;

type Owner = { readonly customer: string; readonly currency: string; readonly invoice: string | null };

/** An invoice item, on an invoice or pending. Its amount is given, or is quantity × unit price rounded half up. */
export function newItem(tx: Transaction, params: Params, owner: Owner): InvoiceItem {
  const quantity = integer(params, "quantity") ?? 1;
  const priceData = object(params, "price_data");
  const given = integer(params, "amount");
  if (given !== undefined && (priceData !== undefined || "quantity" in params)) {
    throw badParameter(
      "You may only specify one of these parameters: amount, price_data, quantity.",
      "amount",
      "parameters_exclusive",
    );
  }
  if (priceData && text(priceData, "currency")?.toLowerCase() !== owner.currency) {
    throw badParameter("The price must be in the currency of its invoice.", "price_data[currency]");
  }
  const price = priceData ? unitPrice(priceData) : String(given ?? 0);
  if (given === undefined && priceData === undefined) {
    throw badParameter("Missing required param: amount.", "amount", "parameter_missing");
  }
  return tx.put({
    id: tx.newId("ii"),
    object: "invoiceitem",
    created: tx.now,
    livemode: false,
    line_id: tx.newId("il"),
    amount: given ?? roundedProduct(price, quantity),
    ...owner,
    date: tx.now,
    ...textChanges(params, ["description"]),
    discountable: flag(params, "discountable") ?? true,
    period: periodOf(tx, params),
    quantity,
    unit_amount_decimal: price,
    metadata: mergedMetadata(params),
  });
}

/** A line's fields after `update_lines`. */
export function changedItem(tx: Transaction, item: InvoiceItem, params: Params): InvoiceItem {
  return tx.put({
    ...item,
    amount: integer(params, "amount") ?? item.amount,
    ...textChanges(params, ["description"]),
    discountable: flag(params, "discountable") ?? item.discountable,
    period: "period" in params ? periodOf(tx, params) : item.period,
    metadata: mergedMetadata(params, item.metadata),
  });
}

function periodOf(tx: Transaction, params: Params): ServicePeriod {
  const period = object(params, "period");
  const start = (period && integer(period, "start")) ?? tx.now;
  const end = (period && integer(period, "end")) ?? start;
  if (end < start) throw badParameter("The period's end must not be before its start.", "period[end]");
  return { start, end };
}

function unitPrice(priceData: Params): string {
  const whole = integer(priceData, "unit_amount");
  const decimal = text(priceData, "unit_amount_decimal");
  if ((whole === undefined) === (decimal === undefined)) {
    const message = "Give one of price_data[unit_amount] and price_data[unit_amount_decimal].";
    throw badParameter(message, "price_data", "parameters_exclusive");
  }
  return decimal ?? String(whole);
}

const decimalPlaces = 12;

/** price × quantity in whole minor units, half away from zero; exact up to twelve decimal places. */
export function roundedProduct(price: string, quantity: number): number {
  const [whole = "0", fraction = ""] = price.replace("-", "").split(".");
  const scale = 10n ** BigInt(decimalPlaces);
  const exact = BigInt(whole) * scale + BigInt(fraction.padEnd(decimalPlaces, "0"));
  const product = exact * BigInt(quantity);
  const rounded = (product + scale / 2n) / scale;
  return price.startsWith("-") ? -Number(rounded) : Number(rounded);
}

/** The draft after its lines changed, with its totals. Throws when it has more lines than Stripe allows. */
export function recounted(tx: Transaction, invoice: Invoice): Invoice {
  const lines = linesOf(tx, invoice.id);
  if (lines.length > linesMax) {
    throw badParameter(
      `An invoice can have at most ${linesMax} line items.`,
      "lines",
      "invoice_line_items_limit",
    );
  }
  const total = lines.reduce((sum, line) => sum + line.amount, 0);
  const due = Math.max(0, total);
  return tx.put({ ...invoice, subtotal: total, total, amount_due: due, amount_remaining: due });
}

export function assertDraft(invoice: Invoice): void {
  if (invoice.status === "draft") return;
  const message = `This invoice is ${invoice.status} and is no longer editable.`;
  throw refused(message, "invoice_not_editable");
}

import type { Schemas } from "../../sdk/index.ts";

type Found = Schemas["Found"];

/** The page on which something that was found is to be seen, as a path of the console; null where there is none. */
export function addressOf({ type, id, customer, invoice }: Found): string | null {
  if (customer === null) return null;
  const page = `/customers/${encodeURIComponent(customer.id)}`;
  if (type === "customer" || type === "subscription") return page;
  if (invoice !== null) return `${page}/invoices/${encodeURIComponent(invoice)}`;
  if (type === "credit_grant" || type === "adjustment") return `${page}/credits`;
  return type === "journal_entry" ? `${page}/entries` : `${page}/timeline#${id}`;
}

import type { Schemas } from "../../sdk/index.ts";

/** What the API answers with, by the names that the console uses. */
export type Adjustment = Schemas["Adjustment"];
export type ApiKey = Schemas["ApiKey"];
export type Catalog = Schemas["Catalog"];
export type ChangePreview = Schemas["ChangePreview"];
export type CreditGrant = Schemas["CreditGrant"];
export type CreditNote = Schemas["CreditNote"];
export type Customer = Schemas["Customer"];
export type CustomerOverview = Schemas["CustomerOverview"];
export type EventBilling = Schemas["UsageEventBilling"];
export type Invoice = Schemas["Invoice"];
export type InvoiceDetail = Schemas["InvoiceDetail"];
export type InvoiceLine = Schemas["InvoiceLine"];
export type InvoiceVoid = Schemas["InvoiceVoid"];
export type JournalEntry = Schemas["JournalEntry"];
export type LineEvent = Schemas["InvoiceLineEvents"]["data"][number];
export type Meter = Schemas["Meter"];
export type PaymentAttempt = Schemas["PaymentAttempt"];
export type PaymentMethod = Schemas["PaymentMethod"];
export type RecurringCreditGrant = Schemas["RecurringCreditGrant"];
export type Subscription = Schemas["Subscription"];
export type UpcomingInvoice = Schemas["UpcomingInvoice"];
export type Usage = Schemas["Usage"];
export type UsageBackfill = Schemas["UsageBackfill"];
export type UsageCorrection = Schemas["UsageCorrection"];
export type UsageCost = Schemas["UsageCost"];
export type UsageEvent = Schemas["UsageEvent"];

export interface Page<Item> {
  readonly data: readonly Item[];
  readonly next_cursor: string | null;
}

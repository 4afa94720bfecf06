import { bigint, jsonb, primaryKey, text } from "drizzle-orm/pg-core";
import type { TaxBasis, TaxHandling } from "../../domain/invoicing/index.ts";
import { billing } from "./billing.ts";
import { instantColumn } from "./columns.ts";

/** Who reckons a customer's tax: the last row in force does. */
export const taxChoice = billing.table(
  "tax_choice",
  {
    customerId: text("customer_id").notNull(),
    requestId: text("request_id").notNull(),
    number: bigint({ mode: "bigint" }).notNull().generatedAlwaysAsIdentity(),
    /** Null: what the seller says for all. */
    handling: text().$type<TaxHandling>(),
    basis: text().$type<TaxBasis>().notNull(),
    appliesAt: instantColumn("applies_at").notNull(),
    reason: text(),
    chosenBy: text("chosen_by").notNull(),
    chosenAt: instantColumn("chosen_at").notNull(),
  },
  (table) => [primaryKey({ columns: [table.customerId, table.requestId] })],
);

/** A line of tax as it was given. */
export interface TaxLineJson {
  readonly description: string;
  readonly jurisdiction: string;
  readonly rate: string;
  readonly taxableMinor: string;
  readonly amountMinor: string;
  /** Null: of all that are taxable. */
  readonly lines: readonly number[] | null;
}

/** Tax for the lines that a quote names: the last row of a quote counts. */
export const taxGiven = billing.table("tax_given", {
  id: text().primaryKey(),
  number: bigint({ mode: "bigint" }).notNull().generatedAlwaysAsIdentity(),
  customerId: text("customer_id").notNull(),
  quote: text().notNull(),
  currency: text().notNull(),
  lines: jsonb().$type<readonly TaxLineJson[]>().notNull(),
  taxMinor: bigint("tax_minor", { mode: "bigint" }).notNull(),
  givenBy: text("given_by").notNull(),
  givenAt: instantColumn("given_at").notNull(),
});

/** Which tax an invoice was issued with. */
export const invoiceTax = billing.table("invoice_tax", {
  invoiceId: text("invoice_id").primaryKey(),
  givenId: text("given_id").notNull(),
  basis: text().$type<TaxBasis>().notNull(),
});

/** Tax that the invoice wants which bills anew what a void one billed. */
export const voidTaxWanted = billing.table(
  "void_tax_wanted",
  {
    invoiceId: text("invoice_id").notNull(),
    quote: text().notNull(),
    number: bigint({ mode: "bigint" }).notNull().generatedAlwaysAsIdentity(),
    basis: text().$type<TaxBasis>().notNull(),
    lines: jsonb()
      .$type<readonly { readonly line: unknown; readonly taxableMinor: string | null }[]>()
      .notNull(),
    wantedAt: instantColumn("wanted_at").notNull(),
  },
  (table) => [primaryKey({ columns: [table.invoiceId, table.quote] })],
);

export const finaliseRequest = billing.table(
  "finalise_request",
  {
    subscriptionId: text("subscription_id").notNull(),
    periodStart: instantColumn("period_start").notNull(),
    requestId: text("request_id").notNull(),
    reason: text(),
    requestedBy: text("requested_by").notNull(),
    requestedAt: instantColumn("requested_at").notNull(),
  },
  (table) => [primaryKey({ columns: [table.subscriptionId, table.periodStart, table.requestId] })],
);

import type { Instant } from "../calendar/index.ts";

/** separate: each subscription of a customer has invoices of its own. consolidated: what ends together is on one. */
export type Invoicing = "separate" | "consolidated";

/** What was chosen for a customer, from an instant on. */
export interface InvoicingChoice {
  readonly effectiveAt: Instant;
  readonly invoicing: Invoicing;
}

/**
 * How periods that end at an instant are invoiced: as was chosen last before it, so nothing changes for a period that has ended.
 * @param choices in the order in which they were made
 */
export function invoicingOf(choices: readonly InvoicingChoice[], periodEnd: Instant): Invoicing {
  return choices.findLast(({ effectiveAt }) => effectiveAt < periodEnd)?.invoicing ?? "separate";
}

import { BillingError } from "../../errors.ts";
import type { TaxPolicy } from "../tax-wait.ts";

/** How documents are numbered: one series for each customer, or one for the seller and year, which starts anew each year. */
export type NumberSeries = "customer" | "year";

/** Who sells, as documents say it. */
export interface SellerDetails {
  readonly name: string;
  /** Street, town, country; a line each. */
  readonly addressLines: readonly string[];
  readonly email: string | null;
  readonly website: string | null;
  /** Such as a VAT number, as it is to be printed. */
  readonly taxId: string | null;
  /** Printed at the end of each document. */
  readonly footer: string | null;
  readonly numbering: {
    readonly series: NumberSeries;
    /** What numbers of the year's series begin with, such as `RK`. */
    readonly prefix: string;
  };
  /** Of customers of whom nothing else is said; nobody reckons their tax when left out. */
  readonly tax?: TaxPolicy;
}

export class NumberPrefixInvalidError extends BillingError {
  readonly code = "number_prefix_invalid";
}

export const defaultNumbering: SellerDetails["numbering"] = { series: "customer", prefix: "INV" };

export type DocumentKind = "invoice" | "credit_note";

export interface DocumentSeries {
  /** The name under which the numbers are counted. */
  readonly series: string;
  /** What its numbers begin with; the count follows, with so many digits at least. */
  readonly start: string;
  readonly digitsMin: number;
}

/** How a document is numbered. */
export const documentNumber = ({ start, digitsMin }: DocumentSeries, count: number): string =>
  start + String(count).padStart(digitsMin, "0");

/**
 * The series that a document's number comes from, and how the number is written: `ACME-0001` and `ACME-CN-0001` by
 * customer, `RK-2026-000001` and `RK-CN-2026-000001` by year.
 * @param year of the issue, in UTC
 * @throws NumberPrefixInvalidError for a prefix that is not 1 to 12 capital letters, digits or hyphens
 */
export function documentSeries(
  { series, prefix }: SellerDetails["numbering"],
  kind: DocumentKind,
  { customerId, year }: { readonly customerId: string; readonly year: number },
): DocumentSeries {
  if (!/^[A-Z0-9][A-Z0-9-]{0,11}$/.test(prefix)) {
    const message = `"${prefix}" cannot begin numbers: write 1 to 12 capital letters, digits or hyphens`;
    throw new NumberPrefixInvalidError(message, "numbering.prefix");
  }
  const credit = kind === "credit_note" ? "-CN" : "";
  if (series === "customer") {
    const start = `${customerId.toUpperCase()}${credit}-`;
    return { series: `${kind}/customer/${customerId}`, start, digitsMin: 4 };
  }
  const start = `${prefix}${credit}-${String(year).padStart(4, "0")}-`;
  return { series: `${kind}/year/${prefix}/${year}`, start, digitsMin: 6 };
}

import { type Instant, instant, isoOf, type Period } from "../calendar/index.ts";
import { BillingError } from "../errors.ts";

declare const brand: unique symbol;

/** A calendar month in UTC, the ledger's accounting period: "2026-01". */
export type AccountingMonth = string & { readonly [brand]: "AccountingMonth" };

export class AccountingMonthInvalidError extends BillingError {
  readonly code = "accounting_month_invalid";
}

// There is no year 0, and the year after the last must be one too: its first instant ends the month.
const yearAndMonth = /^(?!0000|9999)\d{4}-(?:0[1-9]|1[0-2])$/;

/** @throws AccountingMonthInvalidError naming `field` */
export function accountingMonth(text: string, field?: string): AccountingMonth {
  if (!yearAndMonth.test(text)) {
    const message = `${JSON.stringify(text)} is not a month: write year and month, such as "2026-01"`;
    throw new AccountingMonthInvalidError(message, field);
  }
  return text as AccountingMonth;
}

/** The month an instant lies in. */
export const monthOf = (at: Instant): AccountingMonth => accountingMonth(isoOf(at).slice(0, 7));

/** Its first day, which is how the database names a month: "2026-01-01". */
export const firstDayOf = (month: AccountingMonth): string => `${month}-01`;

/** From its first instant to the first of the next month. */
export function periodOfMonth(month: AccountingMonth): Period {
  const year = Number(month.slice(0, 4));
  const number = Number(month.slice(5));
  const end = number === 12 ? firstInstantOf(year + 1, 1) : firstInstantOf(year, number + 1);
  return { start: firstInstantOf(year, number), end };
}

function firstInstantOf(year: number, month: number): Instant {
  const digits = (value: number, length: number) => String(value).padStart(length, "0");
  return instant(`${digits(year, 4)}-${digits(month, 2)}-01T00:00:00Z`);
}

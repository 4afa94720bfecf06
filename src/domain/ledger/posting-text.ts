import { type Currency, type LedgerAmount, majorText } from "../money/index.ts";
import { type AccountRef, accountDimensions } from "./account-ref.ts";
import type { Posting } from "./journal-entry.ts";

/** For people, exact: "7.3456 USD". At least the currency's own decimals, and as many more as the amount has. */
export function ledgerAmountText(amount: LedgerAmount, currency: Currency): string {
  return `${majorText(amount, currency)} ${currency.toUpperCase()}`;
}

/** "2000:{acme, g1}", or only the code where the chart has one such account per currency. */
export function accountText(ref: AccountRef): string {
  const values = accountDimensions(ref).map(([, value]) => value);
  return values.length === 0 ? ref.code : `${ref.code}:{${values.join(", ")}}`;
}

/** "1010 → 1100:{acme} 150.00 USD": debit, credit, amount. */
export function postingText({ debit, credit, amount }: Posting): string {
  return `${accountText(debit)} → ${accountText(credit)} ${ledgerAmountText(amount, debit.currency)}`;
}

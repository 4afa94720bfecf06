import { type Currency, currencyExponent, type LedgerAmount } from "../money/index.ts";
import { type AccountRef, accountDimensions } from "./account-ref.ts";
import type { Posting } from "./journal-entry.ts";

/** For people, exact: "7.3456 USD". At least the currency's own decimals, and as many more as the amount has. */
export function ledgerAmountText(amount: LedgerAmount, currency: Currency): string {
  const exponent = currencyExponent(currency);
  const places = exponent + 8;
  const sign = amount < 0n ? "-" : "";
  const digits = amount
    .toString()
    .replace("-", "")
    .padStart(places + 1, "0");
  const whole = digits.slice(0, -places);
  const own = digits.slice(-places, digits.length - 8);
  const beyond = digits.slice(-8).replace(/0+$/, "");
  const fraction = own + beyond;
  return `${sign}${whole}${fraction === "" ? "" : `.${fraction}`} ${currency.toUpperCase()}`;
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

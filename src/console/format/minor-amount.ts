import { currencyExponent } from "./currency-exponent.ts";

/**
 * An amount as people type it, in minor units: ("12.50", "usd") is "1250"; ("1,250", "jpy") is "1250". Commas group digits.
 * Null for what is no amount, or has more decimals than the currency.
 */
export function minorOf(typed: string, currency: string): string | null {
  const exponent = currencyExponent(currency);
  const parts = /^([-−+]?)(\d{1,3}(?:,\d{3})+|\d+)(?:\.(\d+))?$/.exec(typed.trim());
  if (parts === null) return null;
  const [, sign = "", whole = "", fraction = ""] = parts;
  if (fraction.length > exponent) return null;
  const digits = (whole.replaceAll(",", "") + fraction.padEnd(exponent, "0")).replace(/^0+(?=\d)/, "");
  return (sign === "-" || sign === "−") && digits !== "0" ? `-${digits}` : digits;
}

/** Minor units as they are typed: ("1250", "usd") is "12.50". */
export function typedAmount(minor: string, currency: string): string {
  const exponent = currencyExponent(currency);
  const sign = minor.startsWith("-") ? "-" : "";
  const digits = minor.replace("-", "").padStart(exponent + 1, "0");
  const point = digits.length - exponent;
  return sign + (exponent === 0 ? digits : `${digits.slice(0, point)}.${digits.slice(point)}`);
}

/** "12.50" for usd: how an amount is typed. */
export const amountExample = (currency: string): string => typedAmount("1250", currency);

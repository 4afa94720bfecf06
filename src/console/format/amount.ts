import { currencyExponent } from "./currency-exponent.ts";
import { type DecimalText, parseDecimalText } from "./decimal-text.ts";

/** The language of the console's words, amounts and dates. */
export const locale = "en-US";

/**
 * Minor units as they stand on the wire, for people: ("1250", "usd") is "$12.50". Parts of a minor unit are shown to
 * their last digit, because token prices are far below a cent. Text to text: no amount ever becomes a float.
 * @throws TypeError when `amountMinor` is not a decimal
 */
export function formatAmount(amountMinor: string, currency: string): string {
  const exponent = currencyExponent(currency);
  const major = movePointLeft(parseDecimalText(amountMinor), exponent);
  const decimals = major.split(".")[1]?.replace(/0+$/, "").length ?? 0;
  const format = new Intl.NumberFormat(locale, {
    style: "currency",
    currency: currency.toUpperCase(),
    minimumFractionDigits: exponent,
    maximumFractionDigits: Math.max(exponent, decimals),
  });
  // A text is formatted as the exact decimal it says.
  return format.format(major as DecimalText).replace("-", "−");
}

/** True when the text says nothing but zero, in whatever form. */
export const isZeroAmount = (amountMinor: string): boolean => !/[1-9]/.test(amountMinor);

export const isNegativeAmount = (amountMinor: string): boolean =>
  amountMinor.startsWith("-") && !isZeroAmount(amountMinor);

/** ("1250", 2) is "12.50"; ("5", 2) is "0.05"; ("0.3", 2) is "0.003". */
function movePointLeft(text: string, places: number): string {
  const sign = text.startsWith("-") ? "-" : "";
  const [whole = "", fraction = ""] = text.replace("-", "").split(".");
  const digits = whole.padStart(places + 1, "0");
  const point = digits.length - places;
  const decimals = digits.slice(point) + fraction;
  return `${sign}${digits.slice(0, point)}${decimals === "" ? "" : `.${decimals}`}`;
}

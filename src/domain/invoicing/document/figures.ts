import type { Instant, Period } from "../../calendar/index.ts";
import { localTime } from "../../calendar/time-zone.ts";
import { type Currency, currencyExponent, type Decimal, decimal, type Money } from "../../money/index.ts";

/** Amounts, quantities and days as people read them; always in the same words, whatever the machine's language. */

const symbols: Readonly<Record<string, string>> = {
  aud: "A$",
  brl: "R$",
  cad: "C$",
  chf: "CHF ",
  cny: "CN¥",
  eur: "€",
  gbp: "£",
  inr: "₹",
  jpy: "¥",
  krw: "₩",
  usd: "$",
};

const minus = "−";

/** `moneyText(money(-123450n, "usd"))` is "−$1,234.50". */
export function moneyText({ amountMinor, currency }: Money): string {
  return exactMinorText(decimal(amountMinor), currency);
}

/** An amount in minor units with any decimals: "0.0002" cents is "$0.000002", and whole cents have their two decimals. */
export function exactMinorText(exactMinor: Decimal, currency: Currency): string {
  const exponent = currencyExponent(currency);
  const [whole = "0", fraction = ""] = exactMinor.text.replace("-", "").split(".");
  const digits = whole.padStart(exponent + 1, "0");
  const point = digits.length - exponent;
  const decimals = digits.slice(point) + fraction;
  const sign = exactMinor.isNegative() ? minus : "";
  const symbol = symbols[currency] ?? `${currency.toUpperCase()} `;
  return `${sign}${symbol}${grouped(digits.slice(0, point))}${decimals === "" ? "" : `.${decimals}`}`;
}

/** "41822135.25" is "41,822,135.25". */
export function quantityText(quantity: Decimal): string {
  const [whole = "0", fraction] = quantity.text.replace("-", "").split(".");
  const sign = quantity.isNegative() ? minus : "";
  return `${sign}${grouped(whole)}${fraction === undefined ? "" : `.${fraction}`}`;
}

const grouped = (digits: string): string => digits.replace(/\B(?=(\d{3})+$)/g, ",");

const months = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
] as const;

/** "31 January 2026" on the clock of `zone`. */
export function dayText(at: Instant, zone: string): string {
  const { year, month, day } = localTime(at, zone);
  return `${day} ${months[month - 1]} ${year}`;
}

/** "31 January 2026, 14:05" on the clock of `zone`; seconds where there are any. */
export function timeText(at: Instant, zone: string): string {
  const { hour, minute, second } = localTime(at, zone);
  const two = (part: number) => String(part).padStart(2, "0");
  const clock = `${two(hour)}:${two(minute)}${second === 0 ? "" : `:${two(second)}`}`;
  return `${dayText(at, zone)}, ${clock}`;
}

/**
 * A period as people say it: with its last day when it is whole days, "1 January – 31 January 2026", else with the times
 * between which it lies.
 */
export function periodText({ start, end }: Period, zone: string): string {
  if (start === end) return dayText(start, zone);
  if (!isMidnight(start, zone) || !isMidnight(end, zone)) {
    return `${timeText(start, zone)} – ${timeText(end, zone)}`;
  }
  const first = localTime(start, zone);
  const last = localTime(end, zone).subtract({ days: 1 });
  const lastDay = `${last.day} ${months[last.month - 1]} ${last.year}`;
  if (first.year === last.year && first.month === last.month && first.day === last.day) return lastDay;
  const year = first.year === last.year ? "" : ` ${first.year}`;
  return `${first.day} ${months[first.month - 1]}${year} – ${lastDay}`;
}

const isMidnight = (at: Instant, zone: string): boolean =>
  localTime(at, zone).startOfDay().epochMilliseconds === at;

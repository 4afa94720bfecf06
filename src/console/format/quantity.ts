import { locale } from "./amount.ts";
import { parseDecimalText } from "./decimal-text.ts";

const exact = new Intl.NumberFormat(locale, { maximumFractionDigits: 20 });
const short = new Intl.NumberFormat(locale, { notation: "compact", maximumFractionDigits: 1 });

/** An exact quantity with its digits in groups: "1234567.5" is "1,234,567.5". @throws TypeError */
export const formatQuantity = (quantity: string): string => exact.format(parseDecimalText(quantity));

/** A rough number for the axis of a chart: 1234567 is "1.2M". */
export const formatRoughly = (value: number): string => short.format(value);

/** (1, "seat") is "1 seat"; (2, "seat") is "2 seats". */
export const counted = (count: number, noun: string): string =>
  `${exact.format(count)} ${noun}${count === 1 ? "" : "s"}`;

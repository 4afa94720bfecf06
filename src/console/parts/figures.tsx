import { Text, type TextProps } from "@mantine/core";
import { formatAmount, isNegativeAmount } from "../format/amount.ts";
import { formatQuantity } from "../format/quantity.ts";
import { formatDay, formatPeriod, formatTime } from "../format/time.ts";

interface AmountProps extends TextProps {
  readonly minor: string;
  readonly currency: string;
}

/** An amount of minor units, such as "1250" and "usd". Negative ones are set apart by more than their sign. */
export function Amount({ minor, currency, ...style }: AmountProps) {
  const tone = isNegativeAmount(minor) ? { c: "var(--negative)" } : {};
  return (
    <Text component="span" className="figure" inherit {...tone} {...style}>
      {formatAmount(minor, currency)}
    </Text>
  );
}

export function Quantity({ value, unit }: { value: string | null; unit?: string | undefined }) {
  if (value === null) return <Nothing />;
  return (
    <span className="figure">
      {formatQuantity(value)}
      {unit ? ` ${unit}` : ""}
    </span>
  );
}

/** A day in the customer's time zone; the exact instant in UTC shows on hovering. */
export function Day({ at, timeZone }: { at: string; timeZone: string }) {
  return (
    <time dateTime={at} title={at} className="figure">
      {formatDay(at, timeZone)}
    </time>
  );
}

export function Time({ at, timeZone }: { at: string; timeZone: string }) {
  return (
    <time dateTime={at} title={at} className="figure">
      {formatTime(at, timeZone)}
    </time>
  );
}

export function PeriodText({ start, end, timeZone }: { start: string; end: string; timeZone: string }) {
  return (
    <span className="figure" title={`from ${start} up to, and without, ${end}`}>
      {formatPeriod({ start, end }, timeZone)}
    </span>
  );
}

/** An empty cell that says it is empty on purpose. */
export function Nothing() {
  return (
    <Text component="span" c="dimmed" aria-label="none" role="img">
      –
    </Text>
  );
}

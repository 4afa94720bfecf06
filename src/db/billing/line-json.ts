import { instant, isoOf } from "../../domain/calendar/index.ts";
import type { InvoiceLine } from "../../domain/invoicing/index.ts";
import { money, storedDecimal } from "../../domain/money/index.ts";

/** An invoice line that waits for its invoice, as JSON: decimals and amounts as text, instants as ISO times. */
export function lineToJson(line: InvoiceLine) {
  const { period, quantity, exactMinor, amount, ...rest } = line;
  return {
    ...rest,
    periodStart: isoOf(period.start),
    periodEnd: isoOf(period.end),
    quantity: quantity?.text ?? null,
    exactMinor: exactMinor.text,
    amountMinor: amount.amountMinor.toString(),
    currency: amount.currency,
  };
}

/** The line that {@link lineToJson} wrote; it comes from our own table, so its shape is trusted. */
export function lineFromJson(json: unknown): InvoiceLine {
  const { periodStart, periodEnd, quantity, exactMinor, amountMinor, currency, ...rest } = json as ReturnType<
    typeof lineToJson
  >;
  return {
    ...rest,
    period: { start: instant(periodStart), end: instant(periodEnd) },
    quantity: quantity === null ? null : storedDecimal(quantity),
    exactMinor: storedDecimal(exactMinor),
    amount: money(BigInt(amountMinor), currency),
  };
}

import type { Period } from "../calendar/index.ts";
import {
  type Currency,
  decimal,
  isZero,
  roundToMinor,
  subtractMoney,
  sumDecimals,
  sumMoney,
  zero,
} from "../money/index.ts";
import type { InvoiceLine } from "./invoice-line.ts";

/**
 * The line that makes the sum of an invoice's lines the rounding of their exact sum, for plans that round the net instead of
 * each line; none where that is so already.
 */
export function netRounding(
  lines: readonly InvoiceLine[],
  currency: Currency,
  period: Period,
): InvoiceLine[] {
  const exact = lines.map(({ earning, exactMinor, amount }) =>
    earning === "unbilled" ? exactMinor : decimal(amount.amountMinor),
  );
  const sum = sumMoney(
    lines.map(({ amount }) => amount),
    currency,
  );
  const amount = subtractMoney(roundToMinor(sumDecimals(exact), currency), sum);
  if (isZero(amount)) return [];
  return [
    {
      kind: "rounding",
      earning: "unbilled",
      description: "Rounding of the sum instead of each line",
      product: "rounding",
      source: null,
      period,
      quantity: null,
      exactMinor: zero,
      amount,
      detail: { exactSumMinor: sumDecimals(exact).text, sumOfLinesMinor: sum.amountMinor.toString() },
    },
  ];
}

import type { Instant } from "../calendar/index.ts";
import { decimal, formatMoney, type Money } from "../money/index.ts";
import type { InvoiceLine } from "./invoice-line.ts";

/** The line of credits that are bought: no revenue until they are spent. */
export function creditPurchaseLine({
  grantId,
  amount,
  at,
}: {
  readonly grantId: string;
  readonly amount: Money;
  readonly at: Instant;
}): InvoiceLine {
  return {
    kind: "credit_purchase",
    earning: "prepayment",
    description: `Prepaid credits, ${formatMoney(amount)}`,
    product: "credits",
    source: null,
    period: { start: at, end: at },
    quantity: null,
    exactMinor: decimal(amount.amountMinor),
    amount,
    detail: { grantId },
  };
}

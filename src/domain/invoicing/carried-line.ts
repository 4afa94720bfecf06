import type { Period } from "../calendar/index.ts";
import { decimal, type Money } from "../money/index.ts";
import type { InvoiceLine } from "./invoice-line.ts";

/** The line that takes a small amount off an invoice (negative), or brings it back on a later one. */
export function carriedLine(
  kind: "carried_forward" | "carried_over",
  amount: Money,
  period: Period,
): InvoiceLine {
  return {
    kind,
    earning: "unbilled",
    description:
      kind === "carried_forward"
        ? "Carried to the next invoice: too small to be charged"
        : "Carried over from an earlier invoice",
    product: "carried",
    source: null,
    period,
    quantity: null,
    exactMinor: decimal(amount.amountMinor),
    amount,
    detail: {},
  };
}

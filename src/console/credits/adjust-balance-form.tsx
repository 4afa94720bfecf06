import type { Customer } from "../reads/resources.ts";
import { ChangeAmountForm } from "./change-amount-form.tsx";

/** Credits the balance that pays coming invoices, or debits it. */
export function AdjustBalanceForm({ customer: { id, currency } }: { customer: Customer }) {
  return (
    <ChangeAmountForm
      currency={currency}
      label="Amount"
      submit={{ give: "Credit the balance", take: "Debit the balance" }}
      explanation={(direction) =>
        direction === "give"
          ? "It pays coming invoices, after credit grants."
          : "At most what is there is taken back."
      }
      send={(reckoner, header, body) =>
        reckoner.post("/v1/customers/{id}/balance-adjustments", { params: { path: { id }, header }, body })
      }
    />
  );
}

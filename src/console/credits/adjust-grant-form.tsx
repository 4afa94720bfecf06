import { formatAmount } from "../format/amount.ts";
import type { CreditGrant } from "../reads/resources.ts";
import { ChangeAmountForm } from "./change-amount-form.tsx";

/** Makes a grant larger or smaller. One that was paid for only gets smaller. */
export function AdjustGrantForm({ grant }: { grant: CreditGrant }) {
  const { id, kind, currency, remaining_minor } = grant;
  const isPaid = kind === "paid";
  return (
    <ChangeAmountForm
      currency={currency}
      label="By how much"
      submit={{ give: "Make it larger", take: "Make it smaller" }}
      onlyTakes={isPaid}
      explanation={() => (
        <>
          {formatAmount(remaining_minor, currency)} is left of it.
          {isPaid ? " It was paid for: what is taken goes to the customer’s balance." : ""}
        </>
      )}
      send={(reckoner, header, body) =>
        reckoner.post("/v1/credit-grants/{id}/adjustments", { params: { path: { id }, header }, body })
      }
    />
  );
}

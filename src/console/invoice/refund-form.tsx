import { Text } from "@mantine/core";
import { useState } from "react";
import { faultAt } from "../commands/field-fault.ts";
import { useCommand } from "../commands/use-command.ts";
import { formatAmount } from "../format/amount.ts";
import { typedAmount } from "../format/minor-amount.ts";
import { AmountInput, positiveMinorOf } from "../parts/amount-input.tsx";
import { CommandForm, Done } from "../parts/command-form.tsx";
import { MoneyReasonFields, moneyReasonOf, type ReasonCode, useReason } from "../parts/reason-fields.tsx";
import type { InvoiceDetail } from "../reads/resources.ts";

/** Sends back what was paid, by a credit note over the same amount. */
export function RefundForm({ invoice }: { invoice: InvoiceDetail }) {
  const { id, currency, amount_paid_minor } = invoice;
  const [amount, setAmount] = useState(typedAmount(amount_paid_minor, currency));
  const [reason, setReason] = useReason<ReasonCode>();
  const command = useCommand({
    prepare: () => {
      const minor = positiveMinorOf(amount, currency, "amount_minor");
      const body = { amount_minor: minor, ...moneyReasonOf(reason) };
      return (reckoner, header) =>
        reckoner.post("/v1/invoices/{id}/refunds", { params: { path: { id }, header }, body });
    },
  });
  return (
    <CommandForm
      command={command}
      submit="Refund"
      isGrave
      fields={["amount_minor", "reason_code", "reason"]}
      done={(answer) => (
        <Done
          title={answer.credit_note.status === "pending_approval" ? "It waits for approval" : "Refunded"}
          isWaiting={answer.credit_note.status === "pending_approval"}
        >
          The money goes back to where it came from, through Stripe.
        </Done>
      )}
    >
      <Text size="sm">
        {formatAmount(amount_paid_minor, currency)} was paid. A credit note is issued over what goes back;
        above the limit a second person must agree first.
      </Text>
      <AmountInput
        label="Amount"
        currency={currency}
        typed={amount}
        onTyped={setAmount}
        error={faultAt(command.error, "amount_minor")}
      />
      <MoneyReasonFields reason={reason} onReason={setReason} error={command.error} />
    </CommandForm>
  );
}

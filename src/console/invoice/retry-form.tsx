import { Text, Textarea } from "@mantine/core";
import { useState } from "react";
import { faultAt } from "../commands/field-fault.ts";
import { useCommand } from "../commands/use-command.ts";
import { formatAmount } from "../format/amount.ts";
import { CommandForm, Done } from "../parts/command-form.tsx";
import type { InvoiceDetail } from "../reads/resources.ts";

/** Has dunning charge the card on file now, and not when it would by itself. */
export function RetryForm({
  invoice: { id, total_minor, amount_paid_minor, currency },
}: {
  invoice: InvoiceDetail;
}) {
  const [reason, setReason] = useState("");
  const command = useCommand({
    prepare: () => (reckoner, header) =>
      reckoner.post("/v1/invoices/{id}/dunning/retry", {
        params: { path: { id }, header },
        body: { reason },
      }),
  });
  const due = (BigInt(total_minor) - BigInt(amount_paid_minor)).toString();
  return (
    <CommandForm
      command={command}
      submit="Charge again"
      fields={["reason"]}
      done={() => <Done title="It is charged">What comes of it is in the payment history in a moment.</Done>}
    >
      <Text size="sm">The card on file is charged with {formatAmount(due, currency)} now.</Text>
      <Textarea
        label="Why"
        description="For the record."
        withAsterisk
        autosize
        minRows={2}
        maxLength={500}
        value={reason}
        onChange={(event) => setReason(event.currentTarget.value)}
        error={faultAt(command.error, "reason")}
      />
    </CommandForm>
  );
}

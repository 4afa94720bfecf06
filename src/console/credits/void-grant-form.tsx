import { Text } from "@mantine/core";
import { useCommand } from "../commands/use-command.ts";
import { formatAmount } from "../format/amount.ts";
import { CommandForm } from "../parts/command-form.tsx";
import { MoneyReasonFields, moneyReasonOf, type ReasonCode, useReason } from "../parts/reason-fields.tsx";
import type { CreditGrant } from "../reads/resources.ts";
import { AdjustmentDone } from "./requested.tsx";

/** Takes back all that is left of a grant, for good. */
export function VoidGrantForm({ grant: { id, kind, currency, remaining_minor } }: { grant: CreditGrant }) {
  const [reason, setReason] = useReason<ReasonCode>();
  const command = useCommand({
    prepare: () => {
      const body = moneyReasonOf(reason);
      return (reckoner, header) =>
        reckoner.post("/v1/credit-grants/{id}/void", { params: { path: { id }, header }, body });
    },
  });
  return (
    <CommandForm
      command={command}
      submit="Void"
      isGrave
      fields={["reason_code", "reason"]}
      done={(adjustment) => <AdjustmentDone adjustment={adjustment} />}
    >
      <Text size="sm">
        {formatAmount(remaining_minor, currency)} is taken back, and it is never spent again. What it has paid
        for stays paid.
        {kind === "paid" ? " It was paid for: what is left goes to the customer’s balance." : ""}
      </Text>
      <MoneyReasonFields reason={reason} onReason={setReason} error={command.error} />
    </CommandForm>
  );
}

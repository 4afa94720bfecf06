import { Text } from "@mantine/core";
import { useState } from "react";
import { faultAt } from "../commands/field-fault.ts";
import { useCommand } from "../commands/use-command.ts";
import { formatAmount } from "../format/amount.ts";
import { AmountInput } from "../parts/amount-input.tsx";
import { CommandForm } from "../parts/command-form.tsx";
import { MoneyReasonFields, moneyReasonOf, type ReasonCode, useReason } from "../parts/reason-fields.tsx";
import type { CreditGrant } from "../reads/resources.ts";
import { changeOf, type Direction, DirectionControl } from "./adjust-balance-form.tsx";
import { AdjustmentDone } from "./requested.tsx";

const fields = ["change_minor", "reason_code", "reason"];

/** Makes a grant larger or smaller. One that was paid for only gets smaller. */
export function AdjustGrantForm({ grant }: { grant: CreditGrant }) {
  const { id, kind, currency, remaining_minor } = grant;
  const isPaid = kind === "paid";
  const [direction, setDirection] = useState<Direction>(isPaid ? "take" : "give");
  const [typed, setTyped] = useState("");
  const [reason, setReason] = useReason<ReasonCode>();
  const command = useCommand({
    prepare: () => {
      const body = { change_minor: changeOf(direction, typed, currency), ...moneyReasonOf(reason) };
      return (reckoner, header) =>
        reckoner.post("/v1/credit-grants/{id}/adjustments", { params: { path: { id }, header }, body });
    },
  });
  return (
    <CommandForm
      command={command}
      submit={direction === "give" ? "Make it larger" : "Make it smaller"}
      fields={fields}
      done={(adjustment) => <AdjustmentDone adjustment={adjustment} />}
    >
      {isPaid ? null : <DirectionControl direction={direction} onDirection={setDirection} />}
      <Text size="sm" c="dimmed">
        {formatAmount(remaining_minor, currency)} is left of it.
        {isPaid ? " It was paid for: what is taken goes to the customer’s balance." : ""}
      </Text>
      <AmountInput
        label="By how much"
        withAsterisk
        currency={currency}
        typed={typed}
        onTyped={setTyped}
        error={faultAt(command.error, "change_minor")}
        data-autofocus
      />
      <MoneyReasonFields reason={reason} onReason={setReason} error={command.error} />
    </CommandForm>
  );
}

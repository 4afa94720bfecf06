import { SegmentedControl, Text } from "@mantine/core";
import { useState } from "react";
import { faultAt } from "../commands/field-fault.ts";
import { useCommand } from "../commands/use-command.ts";
import { AmountInput, positiveMinorOf } from "../parts/amount-input.tsx";
import { CommandForm } from "../parts/command-form.tsx";
import { MoneyReasonFields, moneyReasonOf, type ReasonCode, useReason } from "../parts/reason-fields.tsx";
import type { Customer } from "../reads/resources.ts";
import { AdjustmentDone } from "./requested.tsx";

/** Whether the customer gets an amount or gives it back. */
export type Direction = "give" | "take";

const fields = ["change_minor", "reason_code", "reason"];

/** Credits the balance that pays coming invoices, or debits it. */
export function AdjustBalanceForm({ customer: { id, currency } }: { customer: Customer }) {
  const [direction, setDirection] = useState<Direction>("give");
  const [typed, setTyped] = useState("");
  const [reason, setReason] = useReason<ReasonCode>();
  const command = useCommand({
    prepare: () => {
      const body = { change_minor: changeOf(direction, typed, currency), ...moneyReasonOf(reason) };
      return (reckoner, header) =>
        reckoner.post("/v1/customers/{id}/balance-adjustments", { params: { path: { id }, header }, body });
    },
  });
  return (
    <CommandForm
      command={command}
      submit={direction === "give" ? "Credit the balance" : "Debit the balance"}
      fields={fields}
      done={(adjustment) => <AdjustmentDone adjustment={adjustment} />}
    >
      <DirectionControl direction={direction} onDirection={setDirection} />
      <Text size="sm" c="dimmed">
        {direction === "give"
          ? "It pays coming invoices, after credit grants."
          : "At most what is there is taken back."}
      </Text>
      <AmountInput
        label="Amount"
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

interface DirectionControlProps {
  readonly direction: Direction;
  readonly onDirection: (direction: Direction) => void;
}

export function DirectionControl({ direction, onDirection }: DirectionControlProps) {
  return (
    <SegmentedControl
      fullWidth
      aria-label="Direction"
      data={[
        { value: "give", label: "Give" },
        { value: "take", label: "Take back" },
      ]}
      value={direction}
      onChange={(value) => onDirection(value === "take" ? "take" : "give")}
    />
  );
}

/** As the API takes it: what the customer gets, negative for what is taken back. @throws FieldFault */
export function changeOf(direction: Direction, typed: string, currency: string): string {
  const minor = positiveMinorOf(typed, currency, "change_minor");
  return direction === "take" ? `-${minor}` : minor;
}

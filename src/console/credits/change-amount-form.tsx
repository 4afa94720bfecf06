import { SegmentedControl, Text } from "@mantine/core";
import { type ReactNode, useState } from "react";
import type { ReckonerClient } from "../../sdk/index.ts";
import { faultAt } from "../commands/field-fault.ts";
import { type CommandHeader, useCommand } from "../commands/use-command.ts";
import { AmountInput, positiveMinorOf } from "../parts/amount-input.tsx";
import { CommandForm } from "../parts/command-form.tsx";
import { MoneyReasonFields, moneyReasonOf, type ReasonCode, useReason } from "../parts/reason-fields.tsx";
import type { Adjustment } from "../reads/resources.ts";
import { AdjustmentDone } from "./requested.tsx";

/** Whether the customer gets an amount or gives it back. */
export type Direction = "give" | "take";

type AmountChange = { readonly change_minor: string } & ReturnType<typeof moneyReasonOf>;

interface ChangeAmountFormProps {
  readonly currency: string;
  readonly label: string;
  /** What the button says. */
  readonly submit: Readonly<Record<Direction, string>>;
  /** Nothing can be given: there is no choice of direction. */
  readonly onlyTakes?: boolean;
  readonly explanation: (direction: Direction) => ReactNode;
  readonly send: (reckoner: ReckonerClient, header: CommandHeader, body: AmountChange) => Promise<Adjustment>;
}

const fields = ["change_minor", "reason_code", "reason"];

/** Changes an amount of a customer's by so much, with a reason. */
export function ChangeAmountForm({
  currency,
  label,
  submit,
  onlyTakes = false,
  explanation,
  send,
}: ChangeAmountFormProps) {
  const [direction, setDirection] = useState<Direction>(onlyTakes ? "take" : "give");
  const [typed, setTyped] = useState("");
  const [reason, setReason] = useReason<ReasonCode>();
  const command = useCommand({
    prepare: () => {
      const body = { change_minor: changeOf(direction, typed, currency), ...moneyReasonOf(reason) };
      return (reckoner, header) => send(reckoner, header, body);
    },
  });
  return (
    <CommandForm
      command={command}
      submit={submit[direction]}
      fields={fields}
      done={(adjustment) => <AdjustmentDone adjustment={adjustment} />}
    >
      {onlyTakes ? null : <DirectionControl direction={direction} onDirection={setDirection} />}
      <Text size="sm" c="dimmed">
        {explanation(direction)}
      </Text>
      <AmountInput
        label={label}
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

function DirectionControl({ direction, onDirection }: DirectionControlProps) {
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

import { Group, NumberInput, Select } from "@mantine/core";
import { useState } from "react";
import { every } from "../approvals/waiting-request.ts";
import { faultAt } from "../commands/field-fault.ts";
import { useCommand } from "../commands/use-command.ts";
import { formatAmount } from "../format/amount.ts";
import { AmountInput, positiveMinorOf } from "../parts/amount-input.tsx";
import { CommandForm, Done } from "../parts/command-form.tsx";
import {
  moneyReasonOf,
  moneyReasons,
  type ReasonCode,
  ReasonFields,
  useReason,
} from "../parts/reason-fields.tsx";
import type { Customer, RecurringCreditGrant } from "../reads/resources.ts";
import { CreditTermsFields, creditTermsFields, creditTermsOf, useCreditTerms } from "./credit-terms.tsx";
import { noRollover, RolloverFields, rolloverFields, rolloverOf } from "./rollover-fields.tsx";

type Unit = RecurringCreditGrant["interval"]["unit"];
const units: readonly { readonly value: Unit; readonly label: string }[] = [
  { value: "day", label: "days" },
  { value: "week", label: "weeks" },
  { value: "month", label: "months" },
  { value: "year", label: "years" },
];

const fields = [
  "amount_minor",
  "interval.count",
  "reason_code",
  "reason",
  ...creditTermsFields,
  ...rolloverFields,
];

/** Gives a customer credit again and again. */
export function RecurringGrantForm({ customer }: { customer: Customer }) {
  const { id, currency } = customer;
  const [typed, setTyped] = useState("");
  const [count, setCount] = useState(1);
  const [unit, setUnit] = useState<Unit>("month");
  const [terms, setTerms] = useCreditTerms();
  const [rollover, setRollover] = useState(noRollover);
  const [reason, setReason] = useReason<ReasonCode>();
  const command = useCommand({
    prepare: () => {
      const body = {
        amount_minor: positiveMinorOf(typed, currency, "amount_minor"),
        interval: { unit, count },
        ...creditTermsOf(terms, customer),
        ...rolloverOf(rollover, currency),
        ...moneyReasonOf(reason),
      };
      return (reckoner, header) =>
        reckoner.post("/v1/customers/{id}/recurring-credit-grants", {
          params: { path: { id }, header },
          body,
        });
    },
  });
  const fault = (field: string) => faultAt(command.error, field);
  return (
    <CommandForm
      command={command}
      submit="Grant"
      fields={fields}
      done={(answer) => <Agreed recurring={answer} customer={customer} />}
    >
      <AmountInput
        label="Amount each time"
        withAsterisk
        currency={currency}
        typed={typed}
        onTyped={setTyped}
        error={fault("amount_minor")}
        data-autofocus
      />
      <Group grow align="flex-start" gap="sm">
        <NumberInput
          label="Every"
          min={1}
          max={366}
          allowDecimal={false}
          value={count}
          onChange={(value) => setCount(Number(value))}
          error={fault("interval.count")}
        />
        <Select
          label="Unit"
          data={units}
          value={unit}
          onChange={(value) => setUnit(units.find((each) => each.value === value)?.value ?? "month")}
          allowDeselect={false}
        />
      </Group>
      <ReasonFields
        codes={moneyReasons}
        reason={reason}
        onReason={setReason}
        error={command.error}
        wordsField="reason"
      />
      <CreditTermsFields terms={terms} onTerms={setTerms} error={command.error} />
      <RolloverFields
        rollover={rollover}
        onRollover={setRollover}
        currency={currency}
        error={command.error}
      />
    </CommandForm>
  );
}

function Agreed({ recurring, customer }: { recurring: RecurringCreditGrant; customer: Customer }) {
  const { status, amount_minor, currency, interval } = recurring;
  const what = `${formatAmount(amount_minor, currency)} ${every(interval)}`;
  if (status !== "pending_approval")
    return <Done title="Agreed">{`${customer.name} is given ${what}.`}</Done>;
  return (
    <Done title="It waits for approval" isWaiting>
      {what} comes to more than one key agrees to alone. It is given when another key approves it.
    </Done>
  );
}

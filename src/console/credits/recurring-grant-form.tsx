import { Group, NumberInput, Select } from "@mantine/core";
import { useState } from "react";
import { every } from "../approvals/waiting-request.ts";
import { faultAt } from "../commands/field-fault.ts";
import { useCommand } from "../commands/use-command.ts";
import { formatAmount } from "../format/amount.ts";
import { AmountInput, positiveMinorOf } from "../parts/amount-input.tsx";
import { CommandForm, Done } from "../parts/command-form.tsx";
import { MoneyReasonFields, moneyReasonOf, type ReasonCode, useReason } from "../parts/reason-fields.tsx";
import type { Customer, RecurringCreditGrant } from "../reads/resources.ts";
import { CreditTermsFields, creditTermsFields, creditTermsOf, useCreditTerms } from "./credit-terms.tsx";
import { noRollover, RolloverFields, rolloverFields, rolloverOf } from "./rollover-fields.tsx";

type Interval = RecurringCreditGrant["interval"];

const units: readonly { readonly value: Interval["unit"]; readonly label: string }[] = [
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
  const [interval, setInterval] = useState<Interval>({ unit: "month", count: 1 });
  const [terms, setTerms] = useCreditTerms();
  const [rollover, setRollover] = useState(noRollover);
  const [reason, setReason] = useReason<ReasonCode>();
  const command = useCommand({
    prepare: () => {
      const body = {
        amount_minor: positiveMinorOf(typed, currency, "amount_minor"),
        interval,
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
        error={faultAt(command.error, "amount_minor")}
        data-autofocus
      />
      <IntervalFields interval={interval} onInterval={setInterval} error={command.error} />
      <MoneyReasonFields reason={reason} onReason={setReason} error={command.error} />
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

interface IntervalFieldsProps {
  readonly interval: Interval;
  readonly onInterval: (interval: Interval) => void;
  readonly error: Error | null;
}

function IntervalFields({ interval, onInterval, error }: IntervalFieldsProps) {
  const unitOf = (value: string | null) => units.find((unit) => unit.value === value)?.value ?? "month";
  return (
    <Group grow align="flex-start" gap="sm">
      <NumberInput
        label="Every"
        min={1}
        max={366}
        allowDecimal={false}
        value={interval.count}
        onChange={(count) => onInterval({ ...interval, count: Number(count) })}
        error={faultAt(error, "interval.count")}
      />
      <Select
        label="Unit"
        data={units}
        value={interval.unit}
        onChange={(value) => onInterval({ ...interval, unit: unitOf(value) })}
        allowDeselect={false}
      />
    </Group>
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

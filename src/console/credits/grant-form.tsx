import { Select } from "@mantine/core";
import { useState } from "react";
import { faultAt } from "../commands/field-fault.ts";
import { useCommand } from "../commands/use-command.ts";
import { formatAmount } from "../format/amount.ts";
import { AmountInput, positiveMinorOf } from "../parts/amount-input.tsx";
import { CommandForm, Done } from "../parts/command-form.tsx";
import { MoneyReasonFields, moneyReasonOf, type ReasonCode, useReason } from "../parts/reason-fields.tsx";
import type { Adjustment, CreditGrant, Customer } from "../reads/resources.ts";
import { CreditTermsFields, creditTermsFields, creditTermsOf, useCreditTerms } from "./credit-terms.tsx";
import { AdjustmentDone } from "./requested.tsx";

const kinds = [
  { value: "promotional", label: "Promotional: less revenue when it is spent" },
  { value: "goodwill", label: "Goodwill: an expense when it is given" },
] as const;

const fields = ["amount_minor", "kind", "reason_code", "reason", ...creditTermsFields];

/** Gives a customer credit that nobody pays for. */
export function GrantForm({ customer }: { customer: Customer }) {
  const { id, currency } = customer;
  const [typed, setTyped] = useState("");
  const [kind, setKind] = useState<(typeof kinds)[number]["value"]>("promotional");
  const [terms, setTerms] = useCreditTerms();
  const [reason, setReason] = useReason<ReasonCode>();
  const command = useCommand({
    prepare: () => {
      const amount_minor = positiveMinorOf(typed, currency, "amount_minor");
      const body = { amount_minor, kind, ...creditTermsOf(terms, customer), ...moneyReasonOf(reason) };
      return (reckoner, header) =>
        reckoner.post("/v1/customers/{id}/credit-grants", { params: { path: { id }, header }, body });
    },
  });
  return (
    <CommandForm
      command={command}
      submit="Grant"
      fields={fields}
      done={(answer) => <Granted answer={answer} customer={customer} />}
    >
      <AmountInput
        label="Amount"
        withAsterisk
        currency={currency}
        typed={typed}
        onTyped={setTyped}
        error={faultAt(command.error, "amount_minor")}
        data-autofocus
      />
      <Select
        label="Kind"
        data={kinds}
        value={kind}
        onChange={(value) => setKind(value === "goodwill" ? "goodwill" : "promotional")}
        allowDeselect={false}
        error={faultAt(command.error, "kind")}
      />
      <MoneyReasonFields reason={reason} onReason={setReason} error={command.error} />
      <CreditTermsFields terms={terms} onTerms={setTerms} error={command.error} />
    </CommandForm>
  );
}

/** Answered with the grant, or with the adjustment that waits. */
function Granted({ answer, customer }: { answer: CreditGrant | Adjustment; customer: Customer }) {
  if ("approval" in answer) return <AdjustmentDone adjustment={answer} />;
  const amount = formatAmount(answer.amount_minor, answer.currency);
  return <Done title="Granted">{`${customer.name} has ${amount} of credit more.`}</Done>;
}

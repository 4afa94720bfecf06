import { NumberInput, SegmentedControl, Select } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { faultAt } from "../commands/field-fault.ts";
import { useQuestion } from "../commands/use-question.ts";
import { CommandForm } from "../parts/command-form.tsx";
import { catalogQuery } from "../reads/queries.ts";
import type { Customer, Subscription } from "../reads/resources.ts";
import { ChangePreviewed } from "./change-previewed.tsx";
import { previewChange, type RequestedChange, type Settle } from "./requested-change.ts";

const kinds = [
  { value: "change_plan", label: "Another plan" },
  { value: "change_quantity", label: "Seats" },
] as const;

const settles: readonly { readonly value: Settle; readonly label: string }[] = [
  { value: "now", label: "Now, on an invoice of its own" },
  { value: "next_invoice", label: "With the next invoice" },
  { value: "none", label: "Not at all: nothing is charged, nothing handed back" },
];

interface ChangeFormProps {
  readonly subscription: Subscription;
  readonly customer: Customer;
}

/** Asks which change; then shows what it comes to, before it is made. */
export function ChangeForm({ subscription, customer }: ChangeFormProps) {
  const [main] = subscription.items;
  const [change, setChange] = useState<RequestedChange>({
    kind: "change_plan",
    plan: "",
    seats: main?.seats ?? 1,
    settle: null,
  });
  const question = useQuestion((reckoner) => previewChange(reckoner, subscription.id, change));
  const set = (part: Partial<RequestedChange>) => setChange((before) => ({ ...before, ...part }));
  const isNew = change.kind === "change_plan" ? change.plan !== "" : change.seats !== main?.seats;
  return (
    <CommandForm
      command={question}
      submit="Show what it comes to"
      isReady={isNew}
      fields={["plan", "seats", "proration.settle"]}
      done={(preview) => (
        <ChangePreviewed
          subscription={subscription}
          customer={customer}
          change={change}
          preview={preview}
          goBack={question.reset}
        />
      )}
    >
      <SegmentedControl
        fullWidth
        aria-label="What changes"
        data={[...kinds]}
        value={change.kind}
        onChange={(value) => set({ kind: value === "change_quantity" ? value : "change_plan" })}
      />
      {change.kind === "change_plan" ? (
        <PlanSelect
          subscription={subscription}
          customer={customer}
          plan={change.plan}
          onPlan={(plan) => set({ plan })}
          error={question.error}
        />
      ) : null}
      <NumberInput
        label="Seats"
        min={1}
        allowDecimal={false}
        value={change.seats}
        onChange={(value) => set({ seats: Number(value) })}
        error={faultAt(question.error, "seats")}
      />
      <SettleSelect settle={change.settle} onSettle={(settle) => set({ settle })} error={question.error} />
    </CommandForm>
  );
}

interface SettleSelectProps {
  readonly settle: Settle | null;
  readonly onSettle: (settle: Settle | null) => void;
  readonly error: Error | null;
}

function SettleSelect({ settle, onSettle, error }: SettleSelectProps) {
  return (
    <Select
      label="When it is charged or handed back"
      placeholder="As the plan says"
      data={settles}
      value={settle}
      onChange={(value) => onSettle(settles.find((each) => each.value === value)?.value ?? null)}
      error={faultAt(error, "proration.settle")}
      clearable
    />
  );
}

interface PlanSelectProps extends ChangeFormProps {
  readonly plan: string;
  readonly onPlan: (plan: string) => void;
  readonly error: Error | null;
}

/** Plans that can take the place of the one in use: in the customer's currency, and no add-ons. */
function PlanSelect({ subscription, customer, plan, onPlan, error }: PlanSelectProps) {
  const { data: catalog } = useQuery(catalogQuery());
  const inUse = subscription.items[0]?.plan;
  const plans = (catalog?.plans ?? []).filter(
    ({ key, currency, requires }) =>
      key !== inUse && currency === customer.currency && (requires ?? []).length === 0,
  );
  return (
    <Select
      label="Plan"
      placeholder="Choose one"
      withAsterisk
      data={plans.map(({ key, name }) => ({ value: key, label: name }))}
      value={plan === "" ? null : plan}
      onChange={(value) => onPlan(value ?? "")}
      nothingFoundMessage="There is no other plan in this currency."
      error={faultAt(error, "plan")}
      allowDeselect={false}
    />
  );
}

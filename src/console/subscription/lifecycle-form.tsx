import { Button, Group, SegmentedControl, Select, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { useCommand } from "../commands/use-command.ts";
import { useQuestion } from "../commands/use-question.ts";
import { formatTime } from "../format/time.ts";
import { CommandForm, Done } from "../parts/command-form.tsx";
import type { ChangePreview, Customer, Subscription } from "../reads/resources.ts";
import { Outcome, PreviewLines } from "./change-previewed.tsx";
import {
  askedChange,
  type LifecycleChange,
  type LifecycleKind,
  lifecycleNames,
  makeLifecycleChange,
} from "./lifecycle-change.ts";

interface LifecycleFormProps {
  readonly subscription: Subscription;
  readonly customer: Customer;
  readonly kind: LifecycleKind;
}

const unusedChoices: readonly { value: LifecycleChange["unused"]; label: string }[] = [
  { value: "credit", label: "To the customer’s balance" },
  { value: "refund", label: "Back to where it was paid from" },
  { value: "none", label: "Kept" },
];

/** Asks when; then shows what it comes to, before it is done. */
export function LifecycleForm({ subscription, customer, kind }: LifecycleFormProps) {
  const [change, setChange] = useState<LifecycleChange>({
    kind,
    when: kind === "cancel" ? "period_end" : "now",
    unused: "credit",
  });
  const question = useQuestion((reckoner) =>
    reckoner.post("/v1/subscriptions/{id}/change-preview", {
      params: { path: { id: subscription.id } },
      body: askedChange(change, subscription),
    }),
  );
  return (
    <CommandForm
      command={question}
      submit="Show what it comes to"
      done={(preview) => (
        <LifecyclePreviewed
          id={subscription.id}
          customer={customer}
          change={change}
          preview={preview}
          goBack={question.reset}
        />
      )}
    >
      {kind === "end_trial" ? (
        <Text size="sm">The trial ends now, and what follows it begins.</Text>
      ) : (
        <SegmentedControl
          fullWidth
          aria-label="When"
          data={[
            { value: "now", label: "Now" },
            { value: "period_end", label: "At the period’s end" },
          ]}
          value={change.when}
          onChange={(value) => setChange({ ...change, when: value === "now" ? "now" : "period_end" })}
        />
      )}
      {kind === "cancel" && change.when === "now" ? (
        <Select
          label="What was charged for time that is left"
          data={unusedChoices}
          value={change.unused}
          onChange={(value) =>
            setChange({
              ...change,
              unused: unusedChoices.find((each) => each.value === value)?.value ?? "credit",
            })
          }
          allowDeselect={false}
        />
      ) : null}
    </CommandForm>
  );
}

interface PreviewedProps {
  readonly id: string;
  readonly customer: Customer;
  readonly change: LifecycleChange;
  readonly preview: ChangePreview;
  readonly goBack: () => void;
}

function LifecyclePreviewed({ id, customer, change, preview, goBack }: PreviewedProps) {
  const command = useCommand({
    prepare: () => (reckoner, header) => makeLifecycleChange(reckoner, header, { id, change, preview }),
  });
  const { time_zone: timeZone } = customer;
  const name = lifecycleNames[change.kind];
  return (
    <CommandForm
      command={command}
      submit={name}
      isGrave={change.kind === "cancel"}
      done={({ effective_at }) => (
        <Done title="It is done">It holds from {formatTime(effective_at, timeZone)} on.</Done>
      )}
    >
      <Stack gap="md">
        <Group justify="space-between" gap="xs">
          <Text fw={600}>{name}</Text>
          <Button variant="subtle" size="compact-sm" onClick={goBack} disabled={command.isPending}>
            Change something
          </Button>
        </Group>
        <PreviewLines preview={preview} timeZone={timeZone} />
        <Outcome preview={preview} timeZone={timeZone} />
      </Stack>
    </CommandForm>
  );
}

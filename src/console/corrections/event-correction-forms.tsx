import { JsonInput, Text } from "@mantine/core";
import { useState } from "react";
import { FieldFault, faultAt } from "../commands/field-fault.ts";
import { useCommand } from "../commands/use-command.ts";
import { CommandForm } from "../parts/command-form.tsx";
import {
  type CorrectionReasonCode,
  UsageReasonFields,
  usageReasonOf,
  useReason,
} from "../parts/reason-fields.tsx";
import type { UsageEvent } from "../reads/resources.ts";
import { CorrectionDone } from "./correction-done.tsx";
import { standingData } from "./standing-data.ts";

const path = "/v1/usage/corrections";
const dataField = "events[0].data";

/** Takes back all that an event counts for, for good. */
export function VoidEventForm({ event: { source, id } }: { event: UsageEvent }) {
  const [reason, setReason] = useReason<CorrectionReasonCode>();
  const command = useCommand({
    prepare: () => {
      const body = { kind: "void" as const, events: [{ source, id }], ...usageReasonOf(reason) };
      return (reckoner, header) => reckoner.post(path, { params: { header }, body });
    },
  });
  return (
    <CommandForm
      command={command}
      submit="Void"
      isGrave
      fields={["reason_code", "note"]}
      done={(correction) => <CorrectionDone correction={correction} />}
    >
      <Text size="sm">
        It counts no more, for good; the event itself stays to be seen. If it was billed, another key must
        agree, and what it cost goes to the customer’s balance with the next invoice.
      </Text>
      <UsageReasonFields reason={reason} onReason={setReason} error={command.error} />
    </CommandForm>
  );
}

/** Says anew what an event says; time, type and customer stay. */
export function AmendEventForm({ event }: { event: UsageEvent }) {
  const { source, id } = event;
  const [text, setText] = useState(() => JSON.stringify(standingData(event), null, 2));
  const [reason, setReason] = useReason<CorrectionReasonCode>();
  const command = useCommand({
    prepare: () => {
      const events = [{ source, id, data: dataOf(text) }];
      const body = { kind: "amend" as const, events, ...usageReasonOf(reason) };
      return (reckoner, header) => reckoner.post(path, { params: { header }, body });
    },
  });
  return (
    <CommandForm
      command={command}
      submit="Amend"
      fields={[dataField, "reason_code", "note"]}
      done={(correction) => <CorrectionDone correction={correction} />}
    >
      <JsonInput
        label="What it says from now on"
        description="The whole of it, as JSON. Time, type and customer stay: where they are wrong, void it."
        withAsterisk
        autosize
        minRows={4}
        maxRows={16}
        spellCheck={false}
        value={text}
        onChange={setText}
        error={faultAt(command.error, dataField)}
        styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }}
      />
      <UsageReasonFields reason={reason} onReason={setReason} error={command.error} />
    </CommandForm>
  );
}

/** @throws FieldFault for what is no JSON object */
function dataOf(text: string): Record<string, unknown> {
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    throw new FieldFault(dataField, `this is not JSON: ${detail}`);
  }
  if (typeof data === "object" && data !== null && !Array.isArray(data)) return { ...data };
  throw new FieldFault(dataField, 'write an object, such as { "tokens": 912 }');
}

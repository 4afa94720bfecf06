import { Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useCommand } from "../commands/use-command.ts";
import { counted } from "../format/quantity.ts";
import { CommandForm, Done } from "../parts/command-form.tsx";
import {
  type CorrectionReasonCode,
  UsageReasonFields,
  usageReasonOf,
  useReason,
} from "../parts/reason-fields.tsx";
import { backfillQuery } from "../reads/operation-queries.ts";
import type { UsageBackfill } from "../reads/resources.ts";
import { CorrectionDone } from "./correction-done.tsx";

/** Closes a backfill: it takes no more events, and keeps those it has. */
export function CloseBackfillForm({ backfill: { id, name } }: { backfill: UsageBackfill }) {
  const command = useCommand({
    prepare: () => (reckoner, header) =>
      reckoner.post("/v1/usage/backfills/{id}/close", { params: { path: { id }, header } }),
  });
  return (
    <CommandForm
      command={command}
      submit="Close it"
      done={() => <Done title="It is closed">{name} takes no more events.</Done>}
    >
      <Text size="sm">
        It takes no more events, and cannot be opened again. Those that it has go on counting.
      </Text>
    </CommandForm>
  );
}

/** Takes back all events of a backfill, as one correction. */
export function RevertBackfillForm({ backfill: { id } }: { backfill: UsageBackfill }) {
  const { data } = useQuery(backfillQuery(id));
  const [reason, setReason] = useReason<CorrectionReasonCode>();
  const command = useCommand({
    prepare: () => {
      const body = usageReasonOf(reason);
      return (reckoner, header) =>
        reckoner.post("/v1/usage/backfills/{id}/revert", { params: { path: { id }, header }, body });
    },
  });
  return (
    <CommandForm
      command={command}
      submit="Revert"
      isGrave
      fields={["reason_code", "note"]}
      done={(correction) => <CorrectionDone correction={correction} />}
    >
      <Text size="sm">
        It is closed, and all its events that are not voided yet count no more, for good.
        {data === undefined ? "" : ` ${eventsSentence(data.events)}`}
      </Text>
      <UsageReasonFields reason={reason} onReason={setReason} error={command.error} />
    </CommandForm>
  );
}

function eventsSentence({
  accepted,
  voided,
  customers,
}: {
  accepted: number;
  voided: number;
  customers: number;
}) {
  const standing = counted(accepted - voided, "event");
  return `These are ${standing} of ${counted(customers, "customer")}.`;
}

import { Stack, Text } from "@mantine/core";
import type { Schemas } from "../../sdk/index.ts";
import { useCommand } from "../commands/use-command.ts";
import { CommandForm, Done } from "../parts/command-form.tsx";
import { CopyableId } from "../parts/copyable-id.tsx";
import { DialogButton } from "../parts/dialog.tsx";
import { Nothing, Time } from "../parts/figures.tsx";
import { type Column, RecordTable } from "../parts/record-table.tsx";

type StripeEvent = Schemas["StripeEvent"];

const columns: readonly Column<StripeEvent>[] = [
  {
    header: "Event",
    onPhone: "title",
    cell: ({ id, type }) => (
      <Stack gap={0}>
        <Text size="sm" fw={600}>
          {type}
        </Text>
        <CopyableId id={id} />
      </Stack>
    ),
  },
  { header: "Received", cell: ({ received_at }) => <Time at={received_at} timeZone="UTC" /> },
  { header: "Tried", align: "end", cell: ({ attempts }) => attempts },
  { header: "Why not", cell: ({ last_error }) => last_error ?? <Nothing /> },
];

export function StripeEventTable({ events }: { events: readonly StripeEvent[] }) {
  return (
    <RecordTable
      label="Stripe events"
      columns={columns}
      rows={events}
      keyOf={({ id }) => id}
      below={({ id }) => (
        <DialogButton label="Apply again" description={`Apply again: ${id}`} title="Apply again">
          <ReplayForm id={id} />
        </DialogButton>
      )}
    />
  );
}

function ReplayForm({ id }: { id: string }) {
  const command = useCommand({
    // Applying it twice books nothing twice, so that it takes no key.
    prepare: () => (reckoner) => reckoner.post("/v1/stripe-events/{id}/replay", { params: { path: { id } } }),
  });
  return (
    <CommandForm command={command} submit="Apply again" done={() => <Done title="It is applied again" />}>
      <Text size="sm">
        The object is read at Stripe as it is now, and what is not booked yet is booked, once. Do it when what
        was wrong is mended.
      </Text>
    </CommandForm>
  );
}

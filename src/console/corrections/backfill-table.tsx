import { Group, Stack, Text } from "@mantine/core";
import { useCustomer } from "../customer/customer-context.ts";
import { DialogButton } from "../parts/dialog.tsx";
import { Nothing, Time } from "../parts/figures.tsx";
import { type Column, RecordTable } from "../parts/record-table.tsx";
import { StateBadge } from "../parts/state-badge.tsx";
import { TitledText } from "../parts/titled-text.tsx";
import type { UsageBackfill } from "../reads/resources.ts";
import { useRights } from "../session/rights.ts";
import { CloseBackfillForm, RevertBackfillForm } from "./backfill-forms.tsx";

/** Usage that was reported afterwards, with ways to close it and to take it back. */
export function BackfillTable({ backfills }: { backfills: readonly UsageBackfill[] }) {
  const { time_zone: timeZone } = useCustomer();
  const { mayWrite } = useRights();
  return (
    <RecordTable
      label="Backfills"
      columns={mayWrite ? [...columnsIn(timeZone), actions] : columnsIn(timeZone)}
      rows={backfills}
      keyOf={({ id }) => id}
    />
  );
}

const columnsIn = (timeZone: string): readonly Column<UsageBackfill>[] => [
  {
    header: "Backfill",
    onPhone: "title",
    cell: ({ name, reason }) => <TitledText title={name}>{reason}</TitledText>,
  },
  {
    header: "State",
    cell: ({ state, revert }) => (
      <Stack gap={2} align="flex-start">
        <StateBadge state={state} />
        {revert !== null && state !== "reverted" ? (
          <Text size="xs" c="dimmed">
            Its revert waits for approval
          </Text>
        ) : null}
      </Stack>
    ),
  },
  { header: "Opened", cell: ({ opened_at }) => <Time at={opened_at} timeZone={timeZone} /> },
  {
    header: "Closed",
    cell: ({ closed_at }) => (closed_at === null ? <Nothing /> : <Time at={closed_at} timeZone={timeZone} />),
  },
];

const actions: Column<UsageBackfill> = {
  header: "Change",
  align: "end",
  cell: (backfill) => {
    const { name, state, revert } = backfill;
    if (state === "reverted" || revert !== null) return <Nothing />;
    return (
      <Group gap="xs" wrap="nowrap" justify="flex-end">
        {state === "open" ? (
          <DialogButton label="Close" description={`Close ${name}`} title={`Close ${name}?`}>
            <CloseBackfillForm backfill={backfill} />
          </DialogButton>
        ) : null}
        <DialogButton label="Revert" description={`Revert ${name}`} title={`Revert ${name}?`} isGrave>
          <RevertBackfillForm backfill={backfill} />
        </DialogButton>
      </Group>
    );
  },
};

import { Stack, Text } from "@mantine/core";
import type { Schemas } from "../../sdk/index.ts";
import { CopyableId } from "../parts/copyable-id.tsx";
import { Nothing, Time } from "../parts/figures.tsx";
import { type Column, RecordTable } from "../parts/record-table.tsx";
import { StateBadge } from "../parts/state-badge.tsx";

type Run = Schemas["Run"];

const columns: readonly Column<Run>[] = [
  {
    header: "Run",
    onPhone: "title",
    cell: ({ workflow_id, type }) => (
      <Stack gap={0}>
        <CopyableId id={workflow_id} />
        <Text size="xs" c="dimmed">
          {type}
        </Text>
      </Stack>
    ),
  },
  { header: "Since", cell: ({ started_at }) => <Time at={started_at} timeZone="UTC" /> },
  { header: "Error", cell: ({ error_class }) => error_class ?? <Nothing /> },
  {
    header: "State",
    cell: ({ status, needs_attention }) => (
      <StateBadge state={needs_attention ? "needs_attention" : status.toLowerCase()} />
    ),
  },
];

export function RunTable({ runs }: { runs: readonly Run[] }) {
  return <RecordTable label="Runs" columns={columns} rows={runs} keyOf={({ run_id }) => run_id} />;
}

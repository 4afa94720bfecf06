import { Stack, Text } from "@mantine/core";
import type { Schemas } from "../../sdk/index.ts";
import { Nothing, Time } from "../parts/figures.tsx";
import { type Column, RecordTable } from "../parts/record-table.tsx";
import { StateBadge } from "../parts/state-badge.tsx";

type Endpoint = Schemas["WebhookEndpoint"];

const columns: readonly Column<Endpoint>[] = [
  {
    header: "Address",
    onPhone: "title",
    cell: ({ url, description }) => (
      <Stack gap={0}>
        <Text size="sm" fw={600} style={{ overflowWrap: "anywhere" }}>
          {url}
        </Text>
        <Text size="xs" c="dimmed">
          {description}
        </Text>
      </Stack>
    ),
  },
  {
    header: "Failing since",
    cell: ({ failing_since }) =>
      failing_since === null ? <Nothing /> : <Time at={failing_since} timeZone="UTC" />,
  },
  { header: "State", cell: ({ status }) => <StateBadge state={status} /> },
];

export function EndpointTable({ endpoints }: { endpoints: readonly Endpoint[] }) {
  return <RecordTable label="Webhook endpoints" columns={columns} rows={endpoints} keyOf={({ id }) => id} />;
}

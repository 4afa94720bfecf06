import { Text } from "@mantine/core";
import type { Schemas } from "../../sdk/index.ts";
import { counted } from "../format/quantity.ts";
import { wordsFor } from "../format/words.ts";
import { type Column, RecordTable } from "../parts/record-table.tsx";
import { StateBadge } from "../parts/state-badge.tsx";

type Queue = Schemas["Queue"];

const columns: readonly Column<Queue>[] = [
  { header: "Queue", onPhone: "title", cell: ({ queue }) => wordsFor(queue) },
  {
    header: "Waiting",
    align: "end",
    cell: ({ waiting }) => counted(waiting, "activity").replace("activitys", "activities"),
  },
  {
    header: "Oldest waits",
    align: "end",
    cell: ({ oldest_waits_seconds }) => counted(oldest_waits_seconds, "second"),
  },
  {
    header: "State",
    cell: ({ paused, reason }) => (
      <>
        <StateBadge state={paused ? "paused" : "active"} />
        {reason === null ? null : (
          <Text size="xs" c="dimmed">
            {reason}
          </Text>
        )}
      </>
    ),
  },
];

export function QueueTable({ queues }: { queues: readonly Queue[] }) {
  return <RecordTable label="Queues" columns={columns} rows={queues} keyOf={({ queue }) => queue} />;
}

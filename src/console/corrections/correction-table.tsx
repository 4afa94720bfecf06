import { Stack, Text } from "@mantine/core";
import { CorrectionEvents } from "../approvals/correction-events.tsx";
import { DecisionButtons } from "../approvals/decision-buttons.tsx";
import { DecisionText } from "../approvals/decision-text.tsx";
import { waitingCorrection } from "../approvals/waiting-request.ts";
import { useCustomer } from "../customer/customer-context.ts";
import { wordsFor } from "../format/words.ts";
import { Quantity, Time } from "../parts/figures.tsx";
import { type Column, RecordTable } from "../parts/record-table.tsx";
import { StateBadge } from "../parts/state-badge.tsx";
import type { UsageCorrection } from "../reads/resources.ts";

/** Corrections of usage with their events, and the ways to decide about those that wait. */
export function CorrectionTable({ corrections }: { corrections: readonly UsageCorrection[] }) {
  const { time_zone: timeZone } = useCustomer();
  return (
    <RecordTable
      label="Corrections"
      columns={columnsIn(timeZone)}
      rows={corrections}
      keyOf={({ id }) => id}
      below={(correction) => <Below correction={correction} />}
    />
  );
}

function Below({ correction }: { correction: UsageCorrection }) {
  const { id, status, decision } = correction;
  return (
    <Stack gap={4}>
      {decision === null ? null : <DecisionText decision={decision} />}
      <CorrectionEvents id={id} />
      {status === "pending_approval" ? <DecisionButtons decidable={waitingCorrection(correction)} /> : null}
    </Stack>
  );
}

const columnsIn = (timeZone: string): readonly Column<UsageCorrection>[] => [
  {
    header: "Correction",
    onPhone: "title",
    cell: ({ kind, backfill, reason_code, note }) => (
      <Stack gap={0}>
        <Text size="sm" fw={600}>
          {backfill === null ? wordsFor(kind) : "Revert of a backfill"}
        </Text>
        <Text size="xs" c="dimmed">
          {wordsFor(reason_code)}
          {note === null ? "" : `: ${note}`}
        </Text>
      </Stack>
    ),
  },
  { header: "State", cell: ({ status }) => <StateBadge state={status} /> },
  { header: "Asked for", cell: ({ requested_at }) => <Time at={requested_at} timeZone={timeZone} /> },
  {
    header: "By",
    onPhone: "hidden",
    cell: ({ requested_by }) => (
      <Text size="xs" c="dimmed" style={{ overflowWrap: "anywhere" }}>
        {requested_by}
      </Text>
    ),
  },
  {
    header: "Events",
    align: "end",
    cell: ({ event_count }) => <Quantity value={String(event_count)} />,
  },
];

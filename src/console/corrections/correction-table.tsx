import { Stack } from "@mantine/core";
import { CorrectionEvents } from "../approvals/correction-events.tsx";
import { DecisionButtons } from "../approvals/decision-buttons.tsx";
import { DecisionText } from "../approvals/decision-text.tsx";
import { reasonText, requestColumns } from "../approvals/request-columns.tsx";
import { waitingCorrection } from "../approvals/waiting-request.ts";
import { useCustomer } from "../customer/customer-context.ts";
import { wordsFor } from "../format/words.ts";
import { Quantity } from "../parts/figures.tsx";
import { type Column, RecordTable } from "../parts/record-table.tsx";
import { TitledText } from "../parts/titled-text.tsx";
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
      <TitledText title={backfill === null ? wordsFor(kind) : "Revert of a backfill"}>
        {reasonText(reason_code, note)}
      </TitledText>
    ),
  },
  ...requestColumns(timeZone),
  {
    header: "Events",
    align: "end",
    cell: ({ event_count }) => <Quantity value={String(event_count)} />,
  },
];

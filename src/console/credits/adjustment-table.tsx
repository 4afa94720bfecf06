import { Stack, Text } from "@mantine/core";
import { DecisionButtons } from "../approvals/decision-buttons.tsx";
import { DecisionText } from "../approvals/decision-text.tsx";
import { waitingAdjustment } from "../approvals/waiting-request.ts";
import { useCustomer } from "../customer/customer-context.ts";
import { wordsFor } from "../format/words.ts";
import { Amount, Time } from "../parts/figures.tsx";
import { type Column, RecordTable } from "../parts/record-table.tsx";
import { StateBadge } from "../parts/state-badge.tsx";
import type { Adjustment } from "../reads/resources.ts";

/** What was given, changed or taken back by hand, or waits to be. */
export function AdjustmentTable({ adjustments }: { adjustments: readonly Adjustment[] }) {
  const { time_zone: timeZone } = useCustomer();
  return (
    <RecordTable
      label="Adjustments"
      columns={columnsIn(timeZone)}
      rows={adjustments}
      keyOf={({ id }) => id}
      below={(adjustment) => <Decided adjustment={adjustment} />}
    />
  );
}

function Decided({ adjustment }: { adjustment: Adjustment }) {
  const { status, decision } = adjustment;
  if (status === "pending_approval") return <DecisionButtons decidable={waitingAdjustment(adjustment)} />;
  return decision === null ? null : <DecisionText decision={decision} />;
}

const names: Readonly<Record<Adjustment["kind"], string>> = {
  grant_credit: "Grant of credit",
  void_grant: "Void of a grant",
  adjust_grant: "Change of a grant",
  credit_balance: "Credit to the balance",
  debit_balance: "Debit of the balance",
};

const columnsIn = (timeZone: string): readonly Column<Adjustment>[] => [
  {
    header: "Adjustment",
    onPhone: "title",
    cell: ({ kind, reason_code, reason }) => (
      <Stack gap={0}>
        <Text size="sm" fw={600}>
          {names[kind]}
        </Text>
        <Text size="xs" c="dimmed">
          {wordsFor(reason_code)}
          {reason === null ? "" : `: ${reason}`}
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
    header: "Amount",
    align: "end",
    cell: ({ change_minor, currency }) => <Amount minor={change_minor} currency={currency} fw={600} />,
  },
];

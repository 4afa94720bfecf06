import { Stack, Text } from "@mantine/core";
import { Amount, Nothing, Time } from "../parts/figures.tsx";
import { TextLink } from "../parts/links.tsx";
import { type Column, RecordTable } from "../parts/record-table.tsx";
import { CorrectionEvents } from "./correction-events.tsx";
import { DecisionButtons } from "./decision-buttons.tsx";
import type { WaitingRequest } from "./waiting-request.ts";

/** Requests that wait, each with the ways to decide. */
export function WaitingTable({ label, rows }: { label: string; rows: readonly WaitingRequest[] }) {
  return (
    <RecordTable
      label={label}
      columns={columns}
      rows={rows}
      keyOf={({ id }) => id}
      below={({ kind, id }) => (kind === "usage_correction" ? <CorrectionEvents id={id} /> : null)}
    />
  );
}

const columns: readonly Column<WaitingRequest>[] = [
  {
    header: "Request",
    onPhone: "title",
    cell: ({ what, reasonCode, words }) => (
      <Stack gap={0} maw="26em">
        <Text size="sm" fw={600}>
          {what}
        </Text>
        <Text size="xs" c="dimmed">
          {reasonCode}
          {words === null ? "" : `: ${words}`}
        </Text>
      </Stack>
    ),
  },
  { header: "Customer", cell: (request) => <About request={request} /> },
  {
    header: "Asked for",
    cell: ({ requestedAt, requestedBy }) => (
      <Stack gap={0}>
        <Time at={requestedAt} timeZone="UTC" />
        <Text size="xs" c="dimmed" style={{ overflowWrap: "anywhere" }}>
          by {requestedBy}
        </Text>
      </Stack>
    ),
  },
  {
    header: "Needs a second key",
    cell: ({ why }) => (
      <Text size="sm" maw="16em">
        {why}
      </Text>
    ),
  },
  {
    header: "Amount",
    align: "end",
    cell: ({ amount }) => (amount === null ? <Nothing /> : <Amount {...amount} fw={600} />),
  },
  { header: "Decision", align: "end", cell: (request) => <DecisionButtons decidable={request} /> },
];

function About({ request: { customer, invoice } }: { request: WaitingRequest }) {
  if (customer === null) return <Nothing />;
  return (
    <Stack gap={0}>
      <TextLink to="/customers/$customerId" params={{ customerId: customer }} size="sm">
        {customer}
      </TextLink>
      {invoice === null ? null : (
        <TextLink
          to="/customers/$customerId/invoices/$invoiceId"
          params={{ customerId: customer, invoiceId: invoice }}
          size="xs"
        >
          Invoice
        </TextLink>
      )}
    </Stack>
  );
}

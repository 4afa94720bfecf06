import { Stack, Text } from "@mantine/core";
import { isOver, leadingStatus } from "../customer/leading-status.ts";
import { isZeroAmount } from "../format/amount.ts";
import { counted } from "../format/quantity.ts";
import { Amount, Day, Nothing } from "../parts/figures.tsx";
import { RowLink } from "../parts/links.tsx";
import { type Column, RecordTable } from "../parts/record-table.tsx";
import { StateBadge } from "../parts/state-badge.tsx";
import type { CustomerOverview } from "../reads/resources.ts";
import { usePlanName } from "../reads/use-plan-name.ts";

export function CustomerTable({ customers }: { customers: readonly CustomerOverview[] }) {
  return <RecordTable label="Customers" columns={columns} rows={customers} keyOf={({ id }) => id} />;
}

const columns: readonly Column<CustomerOverview>[] = [
  {
    header: "Customer",
    onPhone: "title",
    cell: ({ id, name }) => (
      <Stack gap={0}>
        <RowLink to="/customers/$customerId" params={{ customerId: id }}>
          {name}
        </RowLink>
        <Text size="xs" c="dimmed" ff="monospace">
          {id}
        </Text>
      </Stack>
    ),
  },
  { header: "Plan", cell: (customer) => <Plans customer={customer} /> },
  {
    header: "State",
    cell: ({ subscriptions }) => {
      const status = leadingStatus(subscriptions);
      return status === null ? <Nothing /> : <StateBadge state={status} />;
    },
  },
  {
    header: "Customer since",
    onPhone: "hidden",
    cell: ({ created_at, time_zone }) => <Day at={created_at} timeZone={time_zone} />,
  },
  {
    header: "Open balance",
    align: "end",
    cell: ({ open_balance_minor, currency }) =>
      isZeroAmount(open_balance_minor) ? (
        <Amount minor={open_balance_minor} currency={currency} c="dimmed" />
      ) : (
        <Amount minor={open_balance_minor} currency={currency} fw={600} />
      ),
  },
];

/** What the customer is subscribed to now; what ended is left out. */
function Plans({ customer: { subscriptions } }: { customer: CustomerOverview }) {
  const planName = usePlanName();
  const items = subscriptions.filter((each) => !isOver(each)).flatMap(({ items }) => items);
  if (items.length === 0) return <Nothing />;
  return (
    <span>
      {items
        .map(({ plan, seats }) =>
          seats > 1 ? `${planName(plan)}, ${counted(seats, "seat")}` : planName(plan),
        )
        .join(" + ")}
    </span>
  );
}

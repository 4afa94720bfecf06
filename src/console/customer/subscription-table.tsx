import { Group, Stack, Text } from "@mantine/core";
import { formatDay } from "../format/time.ts";
import { CopyableId } from "../parts/copyable-id.tsx";
import { DialogButton } from "../parts/dialog.tsx";
import { Day, Nothing, PeriodText, Quantity } from "../parts/figures.tsx";
import { type Column, RecordTable } from "../parts/record-table.tsx";
import { StateBadge } from "../parts/state-badge.tsx";
import type { Subscription } from "../reads/resources.ts";
import { usePlanName } from "../reads/use-plan-name.ts";
import { useRights } from "../session/rights.ts";
import { ChangeForm } from "../subscription/change-form.tsx";
import { lifecycleNames, possibleChanges } from "../subscription/lifecycle-change.ts";
import { LifecycleForm } from "../subscription/lifecycle-form.tsx";
import { useCustomer } from "./customer-context.ts";

export function SubscriptionTable({ subscriptions }: { subscriptions: readonly Subscription[] }) {
  const { time_zone: timeZone } = useCustomer();
  return (
    <RecordTable
      label="Subscriptions"
      columns={columnsIn(timeZone)}
      rows={subscriptions}
      keyOf={({ id }) => id}
      below={(subscription) => <Change subscription={subscription} />}
    />
  );
}

const changeable: ReadonlySet<Subscription["status"]> = new Set(["trialing", "active", "past_due"]);

/** What can be done to a subscription as it is. */
function Change({ subscription }: { subscription: Subscription }) {
  const customer = useCustomer();
  const { mayWrite } = useRights();
  const { status, cancel_at } = subscription;
  const kinds = possibleChanges(subscription);
  if (!mayWrite || kinds.length === 0) return null;
  return (
    <Group gap="xs">
      {cancel_at === null && changeable.has(status) ? (
        <DialogButton label="Change plan or seats" title="Change plan or seats">
          <ChangeForm subscription={subscription} customer={customer} />
        </DialogButton>
      ) : null}
      {kinds.map((kind) => (
        <DialogButton
          key={kind}
          label={lifecycleNames[kind]}
          title={lifecycleNames[kind]}
          isGrave={kind === "cancel"}
        >
          <LifecycleForm subscription={subscription} customer={customer} kind={kind} />
        </DialogButton>
      ))}
    </Group>
  );
}

const columnsIn = (timeZone: string): readonly Column<Subscription>[] => [
  { header: "Plan", onPhone: "title", cell: (subscription) => <Plans subscription={subscription} /> },
  {
    header: "Seats",
    align: "end",
    cell: ({ items }) => <Quantity value={items.reduce((seats, item) => seats + item.seats, 0).toString()} />,
  },
  {
    header: "Current period",
    cell: ({ current_period: period }) =>
      period === null ? <Nothing /> : <PeriodText {...period} timeZone={timeZone} />,
  },
  { header: "Workflow", cell: ({ workflow }) => <CopyableId id={workflow} /> },
  {
    header: "Started",
    onPhone: "hidden",
    cell: ({ started_at }) => <Day at={started_at} timeZone={timeZone} />,
  },
  {
    header: "State",
    cell: ({ status, cancel_at, canceled_at }) => (
      <Stack gap={2} align="flex-start">
        <StateBadge state={status} />
        {cancel_at === null ? null : (
          <Text size="xs" c="dimmed">
            {canceled_at === null ? "Ends" : "Ended"} {formatDay(canceled_at ?? cancel_at, timeZone)}
          </Text>
        )}
      </Stack>
    ),
  },
];

function Plans({ subscription: { items } }: { subscription: Subscription }) {
  const planName = usePlanName();
  return (
    <Stack gap={0}>
      {items.map(({ plan, plan_version }) => (
        <Text key={plan} size="sm" fw={600}>
          {planName(plan)}{" "}
          <Text span size="xs" c="dimmed">
            version {plan_version}
          </Text>
        </Text>
      ))}
    </Stack>
  );
}

import { Stack } from "@mantine/core";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useCustomer } from "../customer/customer-context.ts";
import { Loaded } from "../parts/loaded.tsx";
import { EmptyNotice, LoadingRows } from "../parts/notices.tsx";
import { Section } from "../parts/section.tsx";
import { catalogQuery, invoicesQuery, subscriptionsQuery, usageQuery } from "../reads/queries.ts";
import type { Catalog, Meter } from "../reads/resources.ts";
import { PeriodCosts } from "./period-costs.tsx";
import { breakDownUsage } from "./usage-breakdown.ts";
import { UsageChart } from "./usage-chart.tsx";
import { UsageControls } from "./usage-controls.tsx";
import { type ChosenPeriod, knownPeriods } from "./usage-periods.ts";
import { UsageDayTable, UsagePartTable } from "./usage-tables.tsx";
import { useUsageView } from "./use-usage-view.ts";

/** How much the customer used: by day in a chart, and the exact figures in tables. */
export function UsageTab() {
  const catalog = useQuery(catalogQuery());
  return (
    <Loaded query={catalog}>
      {({ meters }: Catalog) =>
        meters.length === 0 ? (
          <Section title="Usage">
            <EmptyNotice title="Nothing is metered">The catalog has no meter yet.</EmptyNotice>
          </Section>
        ) : (
          <UsageOfMeters meters={meters} />
        )
      }
    </Loaded>
  );
}

function UsageOfMeters({ meters }: { meters: readonly Meter[] }) {
  const { id, time_zone: timeZone } = useCustomer();
  const subscriptions = useInfiniteQuery(subscriptionsQuery(id));
  const invoices = useInfiniteQuery(invoicesQuery(id));
  if (subscriptions.isPending || invoices.isPending) return <LoadingRows />;
  const periods = knownPeriods(
    subscriptions.data?.pages.flatMap(({ data }) => data) ?? [],
    invoices.data?.pages.flatMap(({ data }) => data) ?? [],
    timeZone,
  );
  return <UsageOfPeriod meters={meters} periods={periods} />;
}

function UsageOfPeriod({ meters, periods }: { meters: readonly Meter[]; periods: readonly ChosenPeriod[] }) {
  const customer = useCustomer().id;
  const { view, change } = useUsageView(meters, periods);
  const { meter, by, from, to } = view;
  const query = useQuery(usageQuery({ customer, meter: meter.key, from, to, group_by: by ?? "" }));
  const nothing = (
    <EmptyNotice title="No usage in this period">Choose another period or another meter.</EmptyNotice>
  );
  return (
    <Stack gap="xl">
      <PeriodCosts />
      <UsageControls meters={meters} periods={periods} view={view} change={change} />
      <Loaded query={query}>
        {(usage) => {
          const breakdown = breakDownUsage(usage, by);
          if (breakdown.parts.length === 0) return <div className="surface">{nothing}</div>;
          return (
            <>
              <UsageChart breakdown={breakdown} label={`${meter.key} by UTC day`} />
              <UsagePartTable breakdown={breakdown} by={by} />
              <UsageDayTable breakdown={breakdown} />
            </>
          );
        }}
      </Loaded>
    </Stack>
  );
}

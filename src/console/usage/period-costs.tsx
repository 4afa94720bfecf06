import { Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useCustomer } from "../customer/customer-context.ts";
import { formatAmount } from "../format/amount.ts";
import { formatPeriod, formatTime } from "../format/time.ts";
import { wordsFor } from "../format/words.ts";
import { Amount, Nothing, Quantity } from "../parts/figures.tsx";
import { Loaded } from "../parts/loaded.tsx";
import { type Column, RecordTable } from "../parts/record-table.tsx";
import { Section } from "../parts/section.tsx";
import { TitledText } from "../parts/titled-text.tsx";
import { usageCostQuery } from "../reads/queries.ts";
import type { UsageCost } from "../reads/resources.ts";

type PeriodCost = UsageCost["data"][number];

/** What the current period of each subscription costs so far. Nothing where no usage has a price. */
export function PeriodCosts() {
  const query = useQuery(usageCostQuery(useCustomer().id));
  return (
    <Loaded query={query}>
      {({ data }) =>
        data
          .filter(({ prices }) => prices.length > 0)
          .map((cost) => <PeriodCostTable key={cost.subscription} cost={cost} />)
      }
    </Loaded>
  );
}

function PeriodCostTable({ cost }: { cost: PeriodCost }) {
  const { time_zone: timeZone } = useCustomer();
  const { currency, amount_minor, period_start: start, period_end: end, complete_until } = cost;
  const { billed_at_thresholds_minor: billed } = cost;
  return (
    <Section title={`This period so far: ${formatAmount(amount_minor, currency)}`}>
      <Text size="sm" c="dimmed" px="md" pt="sm">
        {formatPeriod({ start, end }, timeZone)}; usage is complete up to{" "}
        {formatTime(complete_until, timeZone)}.
        {billed !== "0" && ` ${formatAmount(billed, currency)} of it was billed at thresholds.`}
      </Text>
      <RecordTable
        label="Cost so far"
        columns={columnsIn(currency, timeZone)}
        rows={[
          ...cost.prices.map(ratedRow),
          ...cost.adjustments.map(adjustmentRow),
          ...cost.late_usage.map(lateRow),
        ]}
        keyOf={({ key }) => key}
      />
    </Section>
  );
}

interface CostRow {
  readonly key: string;
  readonly title: string;
  readonly plan: string;
  readonly period: { readonly start: string; readonly end: string };
  /** Null where there is nothing to count. */
  readonly quantity: string | null;
  readonly unit: string;
  /** Null where it was taken into account before. */
  readonly free: string | null;
  readonly amountMinor: string;
}

const ratedRow = (rated: PeriodCost["prices"][number]): CostRow => ({
  key: [rated.plan, rated.price, rated.from].join(" "),
  title: rated.name,
  plan: rated.plan,
  period: { start: rated.from, end: rated.to },
  quantity: rated.quantity,
  unit: rated.unit_label,
  free: rated.included_quantity,
  amountMinor: rated.amount_minor,
});

const adjustmentRow = (part: PeriodCost["adjustments"][number], index: number): CostRow => ({
  key: `adjustment ${index}`,
  title: part.name,
  plan: part.plan,
  period: { start: part.from, end: part.to },
  quantity: null,
  unit: "",
  free: null,
  amountMinor: part.amount_minor,
});

const lateRow = (late: PeriodCost["late_usage"][number], index: number): CostRow => ({
  key: `late ${index}`,
  title: `${wordsFor(late.adjustment ?? late.price ?? "")}, reported late`,
  plan: late.plan,
  period: { start: late.period_start, end: late.period_end },
  quantity: late.quantity,
  unit: "",
  free: null,
  amountMinor: late.amount_minor,
});

const columnsIn = (currency: string, timeZone: string): readonly Column<CostRow>[] => [
  {
    header: "Price",
    onPhone: "title",
    cell: ({ title, plan, period }) => (
      <TitledText title={title}>
        {wordsFor(plan)} · {formatPeriod(period, timeZone)}
      </TitledText>
    ),
  },
  {
    header: "Quantity",
    align: "end",
    cell: ({ quantity, unit }) =>
      quantity === null ? <Nothing /> : <Quantity value={quantity} unit={unit} />,
  },
  {
    header: "Free",
    align: "end",
    cell: ({ free }) => (free === null ? <Nothing /> : <Quantity value={free} />),
  },
  {
    header: "Cost so far",
    align: "end",
    cell: ({ amountMinor }) => <Amount minor={amountMinor} currency={currency} fw={600} />,
  },
];

import { Group, Stack, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { wordsFor } from "../format/words.ts";
import { CsvDownload } from "../parts/csv-download.tsx";
import { Amount, Nothing, Quantity } from "../parts/figures.tsx";
import { Loaded } from "../parts/loaded.tsx";
import { MonthChart } from "../parts/month-chart.tsx";
import { MonthRange } from "../parts/month-range.tsx";
import { EmptyNotice } from "../parts/notices.tsx";
import { type Column, RecordTable } from "../parts/record-table.tsx";
import { Section } from "../parts/section.tsx";
import { StateBadge } from "../parts/state-badge.tsx";
import { invoicedQuery, planMixQuery } from "../reads/report-queries.ts";
import { usePlanName } from "../reads/use-plan-name.ts";

const route = getRouteApi("/product");

/** Who is on which plan, and what plans and products bring in. */
export function ProductPage() {
  const months = route.useSearch();
  const navigate = route.useNavigate();
  return (
    <Stack gap="xl">
      <title>Product · Reckoner</title>
      <Title order={1} size="h2">
        Product
      </Title>
      <Section title="Plans and their versions">
        <Loaded query={useQuery(planMixQuery())}>
          {({ data }) =>
            data.length === 0 ? <EmptyNotice title="Nobody is subscribed" /> : <PlanMix rows={data} />
          }
        </Loaded>
      </Section>
      <Section
        title="Invoiced by month, plan and product"
        aside={<MonthRange months={months} onMonths={(search) => navigate({ search })} />}
      >
        <Loaded query={useQuery(invoicedQuery(months))}>
          {({ data }) =>
            data.length === 0 ? (
              <EmptyNotice title="Nothing was invoiced in these months" />
            ) : (
              <Invoiced rows={data} />
            )
          }
        </Loaded>
      </Section>
    </Stack>
  );
}

interface PlanMixRow {
  readonly plan: string;
  readonly version: number;
  readonly status: string;
  readonly subscriptions: number;
  readonly seats: number;
}

function PlanMix({ rows }: { rows: readonly PlanMixRow[] }) {
  const planName = usePlanName();
  const columns: readonly Column<PlanMixRow>[] = [
    { header: "Plan", onPhone: "title", cell: ({ plan }) => planName(plan) },
    { header: "Version", align: "end", cell: ({ version }) => version },
    { header: "State", cell: ({ status }) => <StateBadge state={status} /> },
    {
      header: "Subscriptions",
      align: "end",
      cell: ({ subscriptions }) => <Quantity value={String(subscriptions)} />,
    },
    { header: "Seats", align: "end", cell: ({ seats }) => <Quantity value={String(seats)} /> },
  ];
  return <RecordTable label="Plans" columns={columns} rows={rows} keyOf={(row) => JSON.stringify(row)} />;
}

interface InvoicedRow {
  readonly month: string;
  readonly currency: string;
  readonly plan: string | null;
  readonly product: string;
  readonly kind: string;
  readonly quantity: string | null;
  readonly amount_minor: string;
  readonly customers: number;
}

function Invoiced({ rows }: { rows: readonly InvoicedRow[] }) {
  const planName = usePlanName();
  const columns: readonly Column<InvoicedRow>[] = [
    { header: "Month", cell: ({ month }) => <span className="figure">{month}</span> },
    {
      header: "Product",
      onPhone: "title",
      cell: ({ product, kind }) => `${wordsFor(product)} · ${wordsFor(kind)}`,
    },
    { header: "Plan", cell: ({ plan }) => (plan === null ? <Nothing /> : planName(plan)) },
    { header: "Customers", align: "end", cell: ({ customers }) => <Quantity value={String(customers)} /> },
    { header: "Quantity", align: "end", cell: ({ quantity }) => <Quantity value={quantity} /> },
    {
      header: "Invoiced",
      align: "end",
      cell: ({ amount_minor, currency }) => <Amount minor={amount_minor} currency={currency} fw={600} />,
    },
  ];
  const currencies = [...new Set(rows.map(({ currency }) => currency))];
  return (
    <>
      {currencies.map((currency) => (
        <MonthChart
          key={currency}
          label={`Invoiced by month and product in ${currency.toUpperCase()}`}
          currency={currency}
          rows={rows
            .filter((row) => row.currency === currency)
            .map(({ month, product, amount_minor }) => ({
              month,
              part: wordsFor(product),
              minor: amount_minor,
            }))}
        />
      ))}
      <RecordTable
        label="Invoiced"
        columns={columns}
        rows={rows.toReversed()}
        keyOf={(row) => JSON.stringify(row)}
      />
      <Group justify="flex-end" p="sm">
        <CsvDownload
          name="invoiced"
          header={["month", "currency", "plan", "product", "kind", "customers", "quantity", "amount_minor"]}
          rows={rows.map((row) => [
            row.month,
            row.currency,
            row.plan ?? "",
            row.product,
            row.kind,
            String(row.customers),
            row.quantity ?? "",
            row.amount_minor,
          ])}
        />
      </Group>
    </>
  );
}

import { Group, SimpleGrid, Stack, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { Figure } from "../parts/figure-card.tsx";
import { Amount } from "../parts/figures.tsx";
import { Loaded } from "../parts/loaded.tsx";
import { MonthRange } from "../parts/month-range.tsx";
import { EmptyNotice } from "../parts/notices.tsx";
import { Section } from "../parts/section.tsx";
import { receivablesQuery, revenueQuery, trialBalanceQuery } from "../reads/report-queries.ts";
import { ReceivablesTable } from "./receivables-table.tsx";
import { RevenueByMonth } from "./revenue-by-month.tsx";
import { TrialBalanceTable } from "./trial-balance-table.tsx";

const route = getRouteApi("/finance");

/** What is owed, what is earned, what is still to be earned, and that it all adds up. */
export function FinancePage() {
  const months = route.useSearch();
  const navigate = route.useNavigate();
  const revenue = useQuery(revenueQuery(months));
  return (
    <Stack gap="xl">
      <title>Finance · Reckoner</title>
      <Title order={1} size="h2">
        Finance
      </Title>
      <Standings />
      <Section title="Receivables by age">
        <Loaded query={useQuery(receivablesQuery())}>
          {({ data }) =>
            data.length === 0 ? <EmptyNotice title="Nothing is owed" /> : <ReceivablesTable bands={data} />
          }
        </Loaded>
      </Section>
      <Section
        title="Revenue by month and product"
        aside={<MonthRange months={months} onMonths={(search) => navigate({ search })} />}
      >
        <Loaded query={revenue}>{({ data }) => <RevenueByMonth rows={data} />}</Loaded>
      </Section>
      <Section title="Trial balance">
        <Loaded query={useQuery(trialBalanceQuery())}>
          {(balance) => <TrialBalanceTable balance={balance} />}
        </Loaded>
      </Section>
    </Stack>
  );
}

/** Accounts of the chart that finance looks at first. */
const leading = [
  { codes: ["1100"], label: "Owed by customers", note: "Accounts receivable" },
  { codes: ["2100"], label: "Deferred revenue", note: "Invoiced in advance, not served yet" },
  { codes: ["2000"], label: "Prepaid credit outstanding", note: "Bought, and not spent" },
  { codes: ["2010"], label: "Promotional credit outstanding", note: "Given, and not spent" },
  { codes: ["4020"], label: "Breakage", note: "Credit that expired unspent" },
] as const;

function Standings() {
  const { data } = useQuery(trialBalanceQuery());
  const currencies = [...new Set(data?.data.map(({ currency }) => currency) ?? ["usd"])];
  return currencies.map((currency) => (
    <SimpleGrid key={currency} cols={{ base: 1, xs: 2, md: 5 }} spacing="sm">
      {leading.map(({ codes: [code], label, note }) => {
        const line = data?.data.find((each) => each.code === code && each.currency === currency);
        if (data === undefined) return <Figure key={code} label={label} />;
        return (
          <Figure
            key={code}
            label={label}
            note={note}
            value={
              <Group>
                <Amount minor={wholeMinor(line?.balance_minor ?? "0")} currency={currency} />
              </Group>
            }
          />
        );
      })}
    </SimpleGrid>
  ));
}

/** Parts of a cent are in the table below. */
const wholeMinor = (minor: string): string => minor.split(".")[0] ?? "0";

import { SimpleGrid, Skeleton, Stack, Text } from "@mantine/core";
import { type InfiniteData, type UseInfiniteQueryResult, useInfiniteQuery } from "@tanstack/react-query";
import { isZeroAmount } from "../format/amount.ts";
import { sumOfDecimals } from "../format/decimal-text.ts";
import { counted } from "../format/quantity.ts";
import { Figure } from "../parts/figure-card.tsx";
import { Amount, Day, Nothing } from "../parts/figures.tsx";
import { creditGrantsQuery, openInvoicesQuery, subscriptionsQuery } from "../reads/queries.ts";
import type { CreditGrant, Invoice, Page, Subscription } from "../reads/resources.ts";
import { usePlanName } from "../reads/use-plan-name.ts";
import { useCustomer } from "./customer-context.ts";
import { describeCustomer, openBalanceMinor } from "./describe-customer.ts";

/** The customer's state in sentences, and the figures that are asked for most. */
export function Standing() {
  const customer = useCustomer();
  const planName = usePlanName();
  const subscriptions = itemsOf(useInfiniteQuery(subscriptionsQuery(customer.id)));
  const openInvoices = itemsOf(useInfiniteQuery(openInvoicesQuery(customer.id)));
  const grants = itemsOf(useInfiniteQuery(creditGrantsQuery(customer.id)));
  return (
    <Stack gap="md">
      {subscriptions && openInvoices ? (
        <Text size="lg" maw="46em" lh={1.5}>
          {describeCustomer({ customer, subscriptions, openInvoices, planName })}
        </Text>
      ) : (
        <Skeleton h={22} maw="40em" />
      )}
      <SimpleGrid cols={{ base: 1, xs: 3 }} spacing="sm">
        <OpenBalance invoices={openInvoices} />
        <CreditLeft grants={grants} />
        <PeriodEnd subscriptions={subscriptions} />
      </SimpleGrid>
    </Stack>
  );
}

/** What a list holds as far as it is read; undefined before that. */
function itemsOf<Item>({ data }: UseInfiniteQueryResult<InfiniteData<Page<Item>>>): Item[] | undefined {
  return data?.pages.flatMap((page) => page.data);
}

function OpenBalance({ invoices }: { invoices: readonly Invoice[] | undefined }) {
  const { currency } = useCustomer();
  if (invoices === undefined) return <Figure label="Open balance" />;
  const minor = openBalanceMinor(invoices);
  const note = isZeroAmount(minor) ? "No open invoice" : `On ${counted(invoices.length, "open invoice")}`;
  return <Figure label="Open balance" value={<Amount minor={minor} currency={currency} />} note={note} />;
}

function CreditLeft({ grants }: { grants: readonly CreditGrant[] | undefined }) {
  const { currency } = useCustomer();
  if (grants === undefined) return <Figure label="Credit left" />;
  const active = grants.filter(({ status }) => status === "active");
  const minor = sumOfDecimals(active.map(({ remaining_minor }) => remaining_minor));
  const note = active.length === 0 ? "No credit to spend" : `In ${counted(active.length, "grant")}`;
  return <Figure label="Credit left" value={<Amount minor={minor} currency={currency} />} note={note} />;
}

function PeriodEnd({ subscriptions }: { subscriptions: readonly Subscription[] | undefined }) {
  const { time_zone } = useCustomer();
  if (subscriptions === undefined) return <Figure label="Period ends" />;
  const [next] = subscriptions.flatMap(({ current_period }) => current_period?.end ?? []).toSorted();
  if (next === undefined)
    return <Figure label="Period ends" value={<Nothing />} note="No period is running" />;
  return (
    <Figure
      label="Period ends"
      value={<Day at={next} timeZone={time_zone} />}
      note="Then usage is invoiced"
    />
  );
}

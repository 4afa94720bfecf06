import { Stack } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { InvoiceTable } from "../invoice/invoice-table.tsx";
import { TextLink } from "../parts/links.tsx";
import { LoadedList } from "../parts/loaded.tsx";
import { EmptyNotice } from "../parts/notices.tsx";
import { Section } from "../parts/section.tsx";
import { invoicesQuery, subscriptionsQuery } from "../reads/queries.ts";
import { UpcomingInvoices } from "../subscription/upcoming-invoices.tsx";
import { useCustomer } from "./customer-context.ts";
import { Particulars } from "./particulars.tsx";
import { Standing } from "./standing.tsx";
import { SubscriptionTable } from "./subscription-table.tsx";

const latestInvoices = 5;

/** How a customer stands, at one glance. */
export function OverviewTab() {
  const { id } = useCustomer();
  const subscriptions = useInfiniteQuery(subscriptionsQuery(id));
  const invoices = useInfiniteQuery(invoicesQuery(id));
  const noInvoices = (
    <EmptyNotice title="No invoice yet">The first one is issued when a subscription starts.</EmptyNotice>
  );
  const allInvoices = (
    <TextLink to="/customers/$customerId/invoices" params={{ customerId: id }} size="sm">
      All invoices
    </TextLink>
  );
  return (
    <Stack gap="xl">
      <Standing />
      <Section title="Subscriptions">
        <LoadedList
          query={subscriptions}
          empty={<EmptyNotice title="No subscription">Nothing is billed.</EmptyNotice>}
        >
          {(items) => <SubscriptionTable subscriptions={items} />}
        </LoadedList>
      </Section>
      <UpcomingInvoices subscriptions={subscriptions.data?.pages.flatMap(({ data }) => data) ?? []} />
      <Section title="Latest invoices" aside={allInvoices}>
        <LoadedList query={{ ...invoices, hasNextPage: false }} empty={noInvoices}>
          {(items) => <InvoiceTable invoices={items.slice(0, latestInvoices)} />}
        </LoadedList>
      </Section>
      <Particulars />
    </Stack>
  );
}

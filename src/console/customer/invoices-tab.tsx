import { useInfiniteQuery } from "@tanstack/react-query";
import { InvoiceTable } from "../invoice/invoice-table.tsx";
import { LoadedList } from "../parts/loaded.tsx";
import { EmptyNotice } from "../parts/notices.tsx";
import { Section } from "../parts/section.tsx";
import { invoicesQuery } from "../reads/queries.ts";
import { useCustomer } from "./customer-context.ts";

export function InvoicesTab() {
  const query = useInfiniteQuery(invoicesQuery(useCustomer().id));
  const none = (
    <EmptyNotice title="No invoice yet">The first one is issued when a subscription starts.</EmptyNotice>
  );
  return (
    <Section title="Invoices">
      <LoadedList query={query} empty={none}>
        {(invoices) => <InvoiceTable invoices={invoices} />}
      </LoadedList>
    </Section>
  );
}

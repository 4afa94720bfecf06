import { Anchor, Group, SimpleGrid, Stack, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useCustomer } from "../customer/customer-context.ts";
import { JournalEntryList } from "../ledger/journal-entry-list.tsx";
import { CopyableId } from "../parts/copyable-id.tsx";
import { TextLink } from "../parts/links.tsx";
import { Loaded } from "../parts/loaded.tsx";
import { EmptyNotice } from "../parts/notices.tsx";
import { Section } from "../parts/section.tsx";
import { StateBadge } from "../parts/state-badge.tsx";
import { invoiceQuery } from "../reads/queries.ts";
import type { InvoiceDetail } from "../reads/resources.ts";
import { CreditNoteTable } from "./credit-note-table.tsx";
import { describeInvoice } from "./describe-invoice.ts";
import { DocumentDownload } from "./document-download.tsx";
import { InvoiceActions } from "./invoice-actions.tsx";
import { InvoiceLines } from "./invoice-lines.tsx";
import { InvoiceSum } from "./invoice-sum.tsx";
import { PaymentHistory } from "./payment-history.tsx";
import { VoidNotice } from "./void-notice.tsx";

const route = getRouteApi("/customers/$customerId/invoices/$invoiceId");

/** One invoice: what it says, how each line came about, how it was paid and how it is booked. */
export function InvoicePage() {
  const query = useQuery(invoiceQuery(route.useParams().invoiceId));
  return <Loaded query={query}>{(invoice) => <Invoice invoice={invoice} />}</Loaded>;
}

function Invoice({ invoice }: { invoice: InvoiceDetail }) {
  return (
    <Stack gap="xl">
      <title>{`${invoice.number} · Reckoner`}</title>
      <InvoiceHead invoice={invoice} />
      <Section title="Lines">
        <InvoiceLines invoice={invoice} />
      </Section>
      <SimpleGrid cols={{ base: 1, md: 2 }} spacing="xl">
        <Section title="Sum">
          <InvoiceSum invoice={invoice} />
        </Section>
        <Section title="Payment">
          <PaymentHistory invoice={invoice} />
        </Section>
      </SimpleGrid>
      <Section title="Credit notes">
        <CreditNoteTable invoice={invoice} />
      </Section>
      <Section title="Journal entries">
        {invoice.entries.length === 0 ? (
          <EmptyNotice title="Nothing is booked">An invoice of nothing makes no entry.</EmptyNotice>
        ) : (
          <JournalEntryList entries={invoice.entries} />
        )}
      </Section>
    </Stack>
  );
}

function InvoiceHead({ invoice }: { invoice: InvoiceDetail }) {
  const { time_zone: timeZone } = useCustomer();
  const {
    id,
    number,
    status,
    customer,
    hosted_invoice_url: hostedUrl,
    stripe_invoice: stripeInvoice,
  } = invoice;
  return (
    <Stack gap={6}>
      <TextLink to="/customers/$customerId/invoices" params={{ customerId: customer }} size="sm" c="dimmed">
        All invoices
      </TextLink>
      <Group gap="sm">
        <Title order={2} size="h3">
          {number}
        </Title>
        <StateBadge state={status} />
      </Group>
      <Text maw="46em">{describeInvoice(invoice, timeZone)}</Text>
      <VoidNotice invoice={invoice} />
      <Group gap="md">
        <DocumentDownload path={`/v1/invoices/${id}/document.pdf`} name={number} />
        <CopyableId id={id} />
        {stripeInvoice === null ? null : <CopyableId id={stripeInvoice} />}
        {hostedUrl === null ? null : (
          <Anchor href={hostedUrl} size="sm" target="_blank" rel="noreferrer">
            Page for the customer
          </Anchor>
        )}
      </Group>
      <InvoiceActions invoice={invoice} />
    </Stack>
  );
}

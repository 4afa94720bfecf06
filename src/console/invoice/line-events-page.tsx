import { Stack, Text, Title } from "@mantine/core";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useCustomer } from "../customer/customer-context.ts";
import { describeDimensions } from "../event/describe-dimensions.ts";
import { formatPeriod } from "../format/time.ts";
import { Nothing, Quantity, Time } from "../parts/figures.tsx";
import { RowLink, TextLink } from "../parts/links.tsx";
import { Loaded, LoadedList } from "../parts/loaded.tsx";
import { EmptyNotice } from "../parts/notices.tsx";
import { type Column, RecordTable } from "../parts/record-table.tsx";
import { Section } from "../parts/section.tsx";
import { invoiceQuery, lineEventsQuery } from "../reads/queries.ts";
import type { InvoiceDetail, LineEvent } from "../reads/resources.ts";

const route = getRouteApi("/customers/$customerId/invoices/$invoiceId/lines/$line");

/** The usage events that one line of an invoice bills. */
export function LineEventsPage() {
  const { invoiceId, line } = route.useParams();
  const query = useQuery(invoiceQuery(invoiceId));
  return <Loaded query={query}>{(invoice) => <LineEvents invoice={invoice} line={Number(line)} />}</Loaded>;
}

function LineEvents({ invoice, line }: { invoice: InvoiceDetail; line: number }) {
  const customer = useCustomer();
  const query = useInfiniteQuery(lineEventsQuery(invoice.id, line));
  const billed = invoice.lines.find((each) => each.line === line);
  const none = <EmptyNotice title="No event">This line bills no usage.</EmptyNotice>;
  return (
    <Stack gap="xl">
      <title>{`Line ${line} of ${invoice.number} · Reckoner`}</title>
      <Stack gap={6}>
        <TextLink
          to="/customers/$customerId/invoices/$invoiceId"
          params={{ customerId: customer.id, invoiceId: invoice.id }}
          size="sm"
          c="dimmed"
        >
          Invoice {invoice.number}
        </TextLink>
        <Title order={2} size="h3">
          {billed?.description ?? `Line ${line}`}
        </Title>
        {billed === undefined ? null : (
          <Text>
            <Quantity value={billed.quantity} /> in{" "}
            {formatPeriod({ start: billed.period_start, end: billed.period_end }, customer.time_zone)}
          </Text>
        )}
      </Stack>
      <Section title="Events">
        <LoadedList query={query} empty={none}>
          {(events) => (
            <RecordTable
              label="Events of the line"
              columns={columnsFor(customer.id, customer.time_zone)}
              rows={events}
              keyOf={(event) => JSON.stringify(event)}
            />
          )}
        </LoadedList>
      </Section>
    </Stack>
  );
}

const columnsFor = (customerId: string, timeZone: string): readonly Column<LineEvent>[] => [
  {
    header: "Event",
    onPhone: "title",
    cell: ({ source, id }) =>
      source === null || id === null ? (
        "Archived"
      ) : (
        <RowLink to="/customers/$customerId/event" params={{ customerId }} search={{ source, id }}>
          {id}
        </RowLink>
      ),
  },
  { header: "Source", cell: ({ source }) => source ?? <Nothing /> },
  { header: "Time", cell: ({ time }) => <Time at={time} timeZone={timeZone} /> },
  { header: "Of", cell: ({ dimensions }) => describeDimensions(dimensions) || <Nothing /> },
  {
    header: "Quantity",
    align: "end",
    cell: ({ quantity, effect }) => (
      <>
        {effect === "taken_back" ? "taken back: " : ""}
        <Quantity value={quantity} />
      </>
    ),
  },
];

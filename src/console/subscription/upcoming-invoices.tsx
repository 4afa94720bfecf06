import { Box, Group, SegmentedControl, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useCustomer } from "../customer/customer-context.ts";
import { isOver } from "../customer/leading-status.ts";
import { formatPeriod, formatTime } from "../format/time.ts";
import { wordsFor } from "../format/words.ts";
import { DocumentDownload } from "../invoice/document-download.tsx";
import { Amount, PeriodText, Quantity } from "../parts/figures.tsx";
import { Loaded } from "../parts/loaded.tsx";
import { EmptyNotice } from "../parts/notices.tsx";
import { type Column, RecordTable } from "../parts/record-table.tsx";
import { Section } from "../parts/section.tsx";
import { type UpcomingPeriod, upcomingInvoiceQuery } from "../reads/operation-queries.ts";
import type { Subscription, UpcomingInvoice } from "../reads/resources.ts";
import { UpcomingSum } from "./upcoming-sum.tsx";

/** What each running subscription's coming invoice would be now, and the one after it. */
export function UpcomingInvoices({ subscriptions }: { subscriptions: readonly Subscription[] }) {
  return subscriptions
    .filter((subscription) => !isOver(subscription))
    .map(({ id }) => <Upcoming key={id} subscription={id} />);
}

const periods = [
  { value: "current", label: "Now" },
  { value: "next", label: "Next" },
];

function Upcoming({ subscription }: { subscription: string }) {
  const [period, setPeriod] = useState<UpcomingPeriod>("current");
  const query = useQuery(upcomingInvoiceQuery(subscription, period));
  const control = (
    <SegmentedControl
      size="xs"
      aria-label="Which coming invoice"
      data={periods}
      value={period}
      onChange={(value) => setPeriod(value === "next" ? "next" : "current")}
    />
  );
  return (
    <Section title="Coming invoice" aside={control}>
      <Loaded query={query}>
        {(invoice) =>
          invoice === null ? (
            <EmptyNotice title="No invoice is coming">The subscription ends before that.</EmptyNotice>
          ) : (
            <Invoice invoice={invoice} period={period} />
          )
        }
      </Loaded>
    </Section>
  );
}

function Invoice({ invoice, period }: { invoice: UpcomingInvoice; period: UpcomingPeriod }) {
  const { time_zone: timeZone } = useCustomer();
  const { subscription, at, period_start: start, period_end: end, lines, currency } = invoice;
  return (
    <Stack gap={0}>
      <Group justify="space-between" align="flex-start" px="md" pt="sm" wrap="nowrap">
        <Text size="sm" c="dimmed">
          {formatPeriod({ start, end }, timeZone)}, as of {formatTime(at, timeZone)}:{" "}
          {period === "current"
            ? "what closing the period now would issue."
            : "the one after it, with what is known by now."}
        </Text>
        <Box flex="none">
          <DocumentDownload
            path={`/v1/subscriptions/${encodeURIComponent(subscription)}/upcoming-invoice.pdf?period=${period}`}
            name={`Coming invoice of ${subscription}`}
          />
        </Box>
      </Group>
      {lines.length === 0 ? (
        <EmptyNotice title="It has no line">There would be nothing to bill.</EmptyNotice>
      ) : (
        <RecordTable
          label="Lines of the coming invoice"
          columns={columnsIn(timeZone, currency)}
          rows={lines}
          keyOf={(line) => JSON.stringify(line)}
        />
      )}
      <Box style={{ borderTop: "1px solid var(--line)" }}>
        <UpcomingSum invoice={invoice} />
      </Box>
    </Stack>
  );
}

type Line = UpcomingInvoice["lines"][number];

const columnsIn = (timeZone: string, currency: string): readonly Column<Line>[] => [
  {
    header: "Description",
    onPhone: "title",
    cell: ({ description, kind }) => (
      <Stack gap={0}>
        <Text size="sm" fw={600}>
          {description}
        </Text>
        <Text size="xs" c="dimmed">
          {wordsFor(kind)}
        </Text>
      </Stack>
    ),
  },
  {
    header: "Period",
    cell: ({ period_start: start, period_end: end }) => (
      <PeriodText start={start} end={end} timeZone={timeZone} />
    ),
  },
  { header: "Quantity", align: "end", cell: ({ quantity }) => <Quantity value={quantity} /> },
  {
    header: "Amount",
    align: "end",
    cell: ({ amount_minor }) => <Amount minor={amount_minor} currency={currency} fw={600} />,
  },
];

import { useCustomer } from "../customer/customer-context.ts";
import { wordsFor } from "../format/words.ts";
import { Nothing, PeriodText, Quantity } from "../parts/figures.tsx";
import { TextLink } from "../parts/links.tsx";
import { EmptyNotice } from "../parts/notices.tsx";
import { type Column, RecordTable } from "../parts/record-table.tsx";
import { StateBadge } from "../parts/state-badge.tsx";
import type { EventBilling } from "../reads/resources.ts";
import { describeDimensions } from "./describe-dimensions.ts";

type Contribution = EventBilling["contributions"][number];

interface BilledRow {
  readonly contribution: Contribution;
  /** Undefined when the customer had no subscription. */
  readonly place: Contribution["places"][number] | undefined;
}

/** What each meter made of an event, and the line that bills it. */
export function EventPlaces({ billing: { contributions } }: { billing: EventBilling }) {
  const { id, time_zone: timeZone } = useCustomer();
  if (contributions.length === 0) {
    return <EmptyNotice title="It counts nowhere">No meter has made anything of this event.</EmptyNotice>;
  }
  const rows = contributions.flatMap((contribution): BilledRow[] =>
    contribution.places.length === 0
      ? [{ contribution, place: undefined }]
      : contribution.places.map((place) => ({ contribution, place })),
  );
  return (
    <RecordTable
      label="Where the event is billed"
      columns={columnsFor(id, timeZone)}
      rows={rows}
      keyOf={(row) => JSON.stringify(row)}
    />
  );
}

const columnsFor = (customerId: string, timeZone: string): readonly Column<BilledRow>[] => [
  {
    header: "Meter",
    onPhone: "title",
    cell: ({ contribution: { meter, dimensions } }) =>
      [wordsFor(meter), describeDimensions(dimensions)].filter((text) => text !== "").join(": "),
  },
  {
    header: "Quantity",
    align: "end",
    cell: ({ contribution: { quantity, effect } }) => (
      <>
        {effect === "taken_back" ? "taken back: " : ""}
        <Quantity value={quantity} />
      </>
    ),
  },
  {
    header: "Period",
    cell: ({ place }) =>
      place === undefined ? (
        <Nothing />
      ) : (
        <PeriodText start={place.period_start} end={place.period_end} timeZone={timeZone} />
      ),
  },
  { header: "State", cell: ({ place }) => <StateBadge state={stateOf(place)} /> },
  { header: "Line", cell: ({ place }) => <LineLink customerId={customerId} place={place} /> },
];

const stateOf = (place: BilledRow["place"]): string =>
  place === undefined ? "no_subscription" : place.status === "open" ? "period_open" : place.status;

function LineLink({ customerId, place }: { customerId: string; place: BilledRow["place"] }) {
  if (place?.invoice == null) return <Nothing />;
  const { invoice, invoice_number, line } = place;
  if (line === null) {
    return (
      <TextLink
        to="/customers/$customerId/invoices/$invoiceId"
        params={{ customerId, invoiceId: invoice }}
        size="sm"
      >
        {invoice_number}
      </TextLink>
    );
  }
  return (
    <TextLink
      to="/customers/$customerId/invoices/$invoiceId/lines/$line"
      params={{ customerId, invoiceId: invoice, line: String(line) }}
      size="sm"
    >
      {invoice_number}, line {line}
    </TextLink>
  );
}

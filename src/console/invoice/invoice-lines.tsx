import { useCustomer } from "../customer/customer-context.ts";
import { wordsFor } from "../format/words.ts";
import { Amount, PeriodText, Quantity } from "../parts/figures.tsx";
import { TextLink } from "../parts/links.tsx";
import { type Column, RecordTable } from "../parts/record-table.tsx";
import { TitledText } from "../parts/titled-text.tsx";
import type { InvoiceDetail, InvoiceLine } from "../reads/resources.ts";
import { LineExplanation } from "./line-explanation.tsx";
import { RatingDetail } from "./rating-detail.tsx";
import { ratingOf } from "./rating-of.ts";

/** The lines of an invoice, each with how its amount came about. */
export function InvoiceLines({ invoice: { id, customer, lines, currency } }: { invoice: InvoiceDetail }) {
  const { time_zone: timeZone } = useCustomer();
  return (
    <RecordTable
      label="Invoice lines"
      columns={columnsIn(timeZone, currency)}
      rows={lines}
      keyOf={({ line }) => String(line)}
      below={(line) => {
        const rating = ratingOf(line.detail);
        return (
          <>
            {rating === null ? null : <RatingDetail rating={rating} line={line} currency={currency} />}
            <LineExplanation invoiceId={id} line={line.line} />
            {rating === null ? null : (
              <TextLink
                to="/customers/$customerId/invoices/$invoiceId/lines/$line"
                params={{ customerId: customer, invoiceId: id, line: String(line.line) }}
                size="xs"
              >
                Events of this line
              </TextLink>
            )}
          </>
        );
      }}
    />
  );
}

const columnsIn = (timeZone: string, currency: string): readonly Column<InvoiceLine>[] => [
  {
    header: "Description",
    onPhone: "title",
    cell: ({ description, kind, plan, plan_version }) => (
      <TitledText title={description}>
        {wordsFor(kind)}
        {plan === null ? "" : ` · ${plan}`}
        {plan_version === null ? "" : ` version ${plan_version}`}
      </TitledText>
    ),
  },
  {
    header: "Period",
    cell: ({ period_start: start, period_end: end }) => (
      <PeriodText start={start} end={end} timeZone={timeZone} />
    ),
  },
  {
    header: "Quantity",
    align: "end",
    cell: (line) => <Quantity value={line.quantity} unit={ratingOf(line.detail)?.unit} />,
  },
  {
    header: "Amount",
    align: "end",
    cell: ({ amount_minor }) => <Amount minor={amount_minor} currency={currency} fw={600} />,
  },
];

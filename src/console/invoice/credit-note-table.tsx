import { useInfiniteQuery } from "@tanstack/react-query";
import { Decided } from "../approvals/decided.tsx";
import { waitingCreditNote } from "../approvals/waiting-request.ts";
import { useCustomer } from "../customer/customer-context.ts";
import { wordsFor } from "../format/words.ts";
import { Amount, Day } from "../parts/figures.tsx";
import { LoadedList } from "../parts/loaded.tsx";
import { EmptyNotice } from "../parts/notices.tsx";
import { type Column, RecordTable } from "../parts/record-table.tsx";
import { StateBadge } from "../parts/state-badge.tsx";
import { TitledText } from "../parts/titled-text.tsx";
import { creditNotesQuery } from "../reads/queries.ts";
import type { CreditNote, InvoiceDetail } from "../reads/resources.ts";
import { DocumentDownload } from "./document-download.tsx";

/** What was credited of an invoice, or is asked for: each note with where its money went. */
export function CreditNoteTable({ invoice: { id } }: { invoice: InvoiceDetail }) {
  const { time_zone: timeZone } = useCustomer();
  const query = useInfiniteQuery(creditNotesQuery(id));
  const none = <EmptyNotice title="No credit note">Nothing of this invoice was credited.</EmptyNotice>;
  return (
    <LoadedList query={query} empty={none}>
      {(notes) => (
        <RecordTable
          label="Credit notes"
          columns={columnsIn(timeZone)}
          rows={notes}
          keyOf={(note) => note.id}
          below={(note) => <Decided request={note} decidable={waitingCreditNote(note)} />}
        />
      )}
    </LoadedList>
  );
}

const columnsIn = (timeZone: string): readonly Column<CreditNote>[] => [
  {
    header: "Number",
    onPhone: "title",
    cell: ({ number, reason, reason_code }) => (
      <TitledText title={number ?? "Not issued yet"}>{reason ?? wordsFor(reason_code)}</TitledText>
    ),
  },
  { header: "Asked for", cell: ({ requested_at }) => <Day at={requested_at} timeZone={timeZone} /> },
  { header: "State", cell: ({ status }) => <StateBadge state={status} /> },
  {
    header: "Amount",
    align: "end",
    cell: ({ total_minor, currency }) => <Amount minor={total_minor} currency={currency} fw={600} />,
  },
  {
    header: "Document",
    align: "end",
    cell: ({ id, number }) =>
      number === null ? null : (
        <DocumentDownload path={`/v1/credit-notes/${id}/document.pdf`} name={number} />
      ),
  },
];

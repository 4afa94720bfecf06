import { Decided } from "../approvals/decided.tsx";
import { reasonText, requestColumns } from "../approvals/request-columns.tsx";
import { waitingAdjustment } from "../approvals/waiting-request.ts";
import { useCustomer } from "../customer/customer-context.ts";
import { Amount } from "../parts/figures.tsx";
import { type Column, RecordTable } from "../parts/record-table.tsx";
import { TitledText } from "../parts/titled-text.tsx";
import type { Adjustment } from "../reads/resources.ts";

/** What was given, changed or taken back by hand, or waits to be. */
export function AdjustmentTable({ adjustments }: { adjustments: readonly Adjustment[] }) {
  const { time_zone: timeZone } = useCustomer();
  return (
    <RecordTable
      label="Adjustments"
      columns={columnsIn(timeZone)}
      rows={adjustments}
      keyOf={({ id }) => id}
      below={(adjustment) => <Decided request={adjustment} decidable={waitingAdjustment(adjustment)} />}
    />
  );
}

const names: Readonly<Record<Adjustment["kind"], string>> = {
  grant_credit: "Grant of credit",
  void_grant: "Void of a grant",
  adjust_grant: "Change of a grant",
  credit_balance: "Credit to the balance",
  debit_balance: "Debit of the balance",
};

const columnsIn = (timeZone: string): readonly Column<Adjustment>[] => [
  {
    header: "Adjustment",
    onPhone: "title",
    cell: ({ kind, reason_code, reason }) => (
      <TitledText title={names[kind]}>{reasonText(reason_code, reason)}</TitledText>
    ),
  },
  ...requestColumns(timeZone),
  {
    header: "Amount",
    align: "end",
    cell: ({ change_minor, currency }) => <Amount minor={change_minor} currency={currency} fw={600} />,
  },
];

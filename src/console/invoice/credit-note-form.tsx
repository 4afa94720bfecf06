import { Alert, Stack, Text } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { FieldFault } from "../commands/field-fault.ts";
import { useCommand } from "../commands/use-command.ts";
import { formatAmount, isZeroAmount } from "../format/amount.ts";
import { minorOf } from "../format/minor-amount.ts";
import { positiveMinorOf } from "../parts/amount-input.tsx";
import { CommandForm, Done } from "../parts/command-form.tsx";
import { EmptyNotice, LoadingRows } from "../parts/notices.tsx";
import { MoneyReasonFields, moneyReasonOf, type ReasonCode, useReason } from "../parts/reason-fields.tsx";
import { creditNotesQuery } from "../reads/queries.ts";
import type { CreditNote, InvoiceDetail } from "../reads/resources.ts";
import { CreditNoteLines } from "./credit-note-lines.tsx";
import { type CreditableLine, creditableLines, previewCreditNote } from "./creditable.ts";
import { amountField, type TypedAmounts } from "./typed-amounts.ts";

/** Credits lines of an invoice, by parts or wholly. */
export function CreditNoteForm({ invoice }: { invoice: InvoiceDetail }) {
  const query = useInfiniteQuery(creditNotesQuery(invoice.id));
  if (query.data === undefined) return <LoadingRows rows={3} />;
  return <FormOfNotes invoice={invoice} notes={query.data.pages.flatMap(({ data }) => data)} />;
}

interface FormProps {
  readonly invoice: InvoiceDetail;
  readonly notes: readonly CreditNote[];
}

function FormOfNotes(given: FormProps) {
  // As it was when the form was opened: its own note must not change what it shows.
  const [{ invoice, notes }] = useState(given);
  const { id, currency, number } = invoice;
  const lines = creditableLines(invoice, notes);
  const [typed, setTyped] = useState<TypedAmounts>({});
  const [reason, setReason] = useReason<ReasonCode>();
  const chosen = lines.filter(({ line }) => (typed[line] ?? "").trim() !== "");
  const command = useCommand({
    prepare: () => {
      if (chosen.length === 0) throw new FieldFault("lines", "enter an amount for at least one line");
      const credited = chosen.map(({ line }, index) => ({
        line,
        amount_minor: positiveMinorOf(typed[line] ?? "", currency, amountField(index)),
      }));
      const body = { lines: credited, ...moneyReasonOf(reason) };
      return (reckoner, header) =>
        reckoner.post("/v1/invoices/{id}/credit-notes", { params: { path: { id }, header }, body });
    },
  });
  if (lines.length === 0) {
    return <EmptyNotice title="Nothing is left to credit">Every line of {number} is credited.</EmptyNotice>;
  }
  const fields = ["lines", "reason_code", "reason", ...chosen.map((_, index) => amountField(index))];
  return (
    <CommandForm command={command} submit="Credit" fields={fields} done={(note) => <NoteDone note={note} />}>
      <CreditNoteLines
        lines={lines}
        chosen={chosen}
        currency={currency}
        typed={typed}
        onTyped={setTyped}
        error={command.error}
      />
      <MoneyReasonFields reason={reason} onReason={setReason} error={command.error} />
      <Preview invoice={invoice} notes={notes} amounts={amountsOf(chosen, typed, currency)} />
    </CommandForm>
  );
}

const amountsOf = (chosen: readonly CreditableLine[], typed: TypedAmounts, currency: string): string[] =>
  chosen.map(({ line }) => minorOf(typed[line] ?? "", currency) ?? "0");

function Preview({ invoice, notes, amounts }: FormProps & { amounts: readonly string[] }) {
  const { currency } = invoice;
  const preview = previewCreditNote(invoice, notes, amounts);
  if (isZeroAmount(preview.totalMinor)) return null;
  const { dueMinor, toBalanceMinor, tooMuchMinor } = preview;
  return (
    <Stack gap="xs" aria-live="polite">
      <Alert color="gray" variant="light" title={`It comes to ${formatAmount(preview.totalMinor, currency)}`}>
        <Text size="sm">
          {dueMinor === null ? "" : `${formatAmount(dueMinor, currency)} stays due. `}
          {isZeroAmount(toBalanceMinor)
            ? ""
            : `${formatAmount(toBalanceMinor, currency)} goes to the customer’s balance, which pays coming invoices.`}
        </Text>
      </Alert>
      {isZeroAmount(tooMuchMinor) ? null : (
        <Alert color="yellow" variant="light">
          {formatAmount(tooMuchMinor, currency)} of it was paid by credit grants, not by money: it cannot be
          credited.
        </Alert>
      )}
    </Stack>
  );
}

function NoteDone({ note: { status, number, total_minor, currency } }: { note: CreditNote }) {
  const amount = formatAmount(total_minor, currency);
  if (status === "issued")
    return <Done title={`Credit note ${number} is issued`}>{amount} is credited.</Done>;
  return (
    <Done title="It waits for approval" isWaiting>
      {amount} is above what one key credits alone. It is issued when another key approves it; until then
      nothing is booked.
    </Done>
  );
}

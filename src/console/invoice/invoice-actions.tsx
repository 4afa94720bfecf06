import { Group } from "@mantine/core";
import { DialogButton } from "../parts/dialog.tsx";
import type { InvoiceDetail } from "../reads/resources.ts";
import { useRights } from "../session/rights.ts";
import { CreditNoteForm } from "./credit-note-form.tsx";
import { isCreditable } from "./creditable.ts";
import { RefundForm } from "./refund-form.tsx";
import { RetryForm } from "./retry-form.tsx";
import { isBilledAnew, VoidForm } from "./void-form.tsx";

/** What can be done with an invoice, by whoever may. */
export function InvoiceActions({ invoice }: { invoice: InvoiceDetail }) {
  const { mayWrite } = useRights();
  if (!mayWrite) return null;
  const { number, status } = invoice;
  const voiding = isBilledAnew(invoice) ? "Void and bill anew" : "Void";
  return (
    <Group gap="xs">
      {isCreditable(invoice) ? (
        <DialogButton label="Credit lines" title={`Credit lines of ${number}`} isWide>
          <CreditNoteForm invoice={invoice} />
        </DialogButton>
      ) : null}
      {status === "paid" && invoice.payments.length > 0 ? (
        <DialogButton label="Refund" title={`Refund ${number}`}>
          <RefundForm invoice={invoice} />
        </DialogButton>
      ) : null}
      {status === "open" && isInDunning(invoice) ? (
        <DialogButton label="Charge again" title={`Charge ${number} again`}>
          <RetryForm invoice={invoice} />
        </DialogButton>
      ) : null}
      {status === "open" ? (
        <DialogButton label={voiding} title={`${voiding}: ${number}`} isGrave>
          <VoidForm invoice={invoice} />
        </DialogButton>
      ) : null}
    </Group>
  );
}

const isInDunning = ({ dunning }: InvoiceDetail): boolean => dunning !== null && dunning.ended_at === null;

import { List, Text } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useCommand } from "../commands/use-command.ts";
import { formatAmount } from "../format/amount.ts";
import { CommandForm, Done } from "../parts/command-form.tsx";
import { TextLink } from "../parts/links.tsx";
import { MoneyReasonFields, moneyReasonOf, type ReasonCode, useReason } from "../parts/reason-fields.tsx";
import type { InvoiceDetail, InvoiceVoid } from "../reads/resources.ts";
import { setWithdrawing } from "./withdrawing.ts";

/** An invoice that closed a period is billed anew; of others nothing takes the place. */
export const isBilledAnew = ({ kind }: Pick<InvoiceDetail, "kind">): boolean => kind === "cycle";

/** Says what voiding will do, asks why, and does it. */
export function VoidForm({ invoice }: { invoice: InvoiceDetail }) {
  const { id, number } = invoice;
  const queries = useQueryClient();
  const [reason, setReason] = useReason<ReasonCode>();
  const command = useCommand({
    prepare: () => {
      const body = moneyReasonOf(reason);
      return async (reckoner, header) => {
        // The page shows how far it is, also when this answer is lost.
        setWithdrawing(queries, id, true);
        return await reckoner.post("/v1/invoices/{id}/void", { params: { path: { id }, header }, body });
      };
    },
    explain: (refusal) => {
      setWithdrawing(queries, id, mayGoOn(refusal));
      return refusal;
    },
  });
  return (
    <CommandForm
      command={command}
      submit={isBilledAnew(invoice) ? "Void and bill anew" : "Void"}
      isGrave
      fields={["reason_code", "reason"]}
      done={(voided) => <VoidDone invoice={invoice} voided={voided} />}
    >
      <Consequences invoice={invoice} />
      <MoneyReasonFields reason={reason} onReason={setReason} error={command.error} />
      {command.isPending ? (
        <Text size="sm" c="dimmed" role="status">
          {number} is being withdrawn at Stripe, and then here. This takes some seconds.
        </Text>
      ) : null}
    </CommandForm>
  );
}

function Consequences({ invoice }: { invoice: InvoiceDetail }) {
  const { number, total_minor, currency } = invoice;
  return (
    <List size="sm" spacing={4} aria-label="What will happen">
      <List.Item>
        {number} over {formatAmount(total_minor, currency)} is withdrawn at Stripe, so that nobody pays it any
        more. It keeps its number and stays void for good.
      </List.Item>
      <List.Item>
        Its journal entries are reversed, and the credit that it drew goes back to its grants.
      </List.Item>
      <List.Item>
        {isBilledAnew(invoice)
          ? "Its period is billed anew at once, by a new invoice with the usage, credit and balance of now, and that one is collected."
          : "Nothing takes its place: what it billed is not billed again."}
      </List.Item>
    </List>
  );
}

/** No answer says nothing about what happens: it may be going on. */
const mayGoOn = (refusal: Error): boolean => !("status" in refusal) || Number(refusal.status) >= 500;

function VoidDone({
  invoice: { number, customer },
  voided,
}: {
  invoice: InvoiceDetail;
  voided: InvoiceVoid;
}) {
  const { replaced_by: replacement } = voided;
  return (
    <Done title={`${number} is void`}>
      {replacement === null ? (
        "Nothing takes its place."
      ) : (
        <>
          Its period is billed by{" "}
          <TextLink
            to="/customers/$customerId/invoices/$invoiceId"
            params={{ customerId: customer, invoiceId: replacement }}
            size="sm"
          >
            a new invoice
          </TextLink>
          .
        </>
      )}
    </Done>
  );
}

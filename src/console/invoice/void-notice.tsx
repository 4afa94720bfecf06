import { Alert, Loader, Text } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { useCustomer } from "../customer/customer-context.ts";
import { wordsFor } from "../format/words.ts";
import { Time } from "../parts/figures.tsx";
import { TextLink } from "../parts/links.tsx";
import { invoiceVoidQuery } from "../reads/operation-queries.ts";
import type { InvoiceDetail, InvoiceVoid } from "../reads/resources.ts";
import { useWithdrawing } from "./withdrawing.ts";

const askAgainMs = 2_000;

/** How far the withdrawal of an invoice is, and, of a void one, who did it, why, and what takes its place. */
export function VoidNotice({ invoice }: { invoice: InvoiceDetail }) {
  const { id, number, status, replaces, customer } = invoice;
  const isAsked = useWithdrawing(id);
  const isUnderWay = isAsked && status === "open";
  const queries = useQueryClient();
  const { data: voided } = useQuery({
    ...invoiceVoidQuery(id),
    enabled: status === "void" || isUnderWay,
    refetchInterval: isUnderWay ? askAgainMs : false,
  });
  const isDone = isUnderWay && voided != null;
  useEffect(() => {
    if (isDone) queries.invalidateQueries();
  }, [isDone, queries]);
  return (
    <>
      {isUnderWay && !isDone ? (
        <Alert color="yellow" variant="light" role="status" icon={<Loader size="xs" color="yellow" />}>
          {number} is being withdrawn, at Stripe first. It goes on by itself; this page shows when it is done.
        </Alert>
      ) : null}
      {voided == null ? null : <VoidedBy voided={voided} customer={customer} />}
      {replaces === null ? null : (
        <Text size="sm">
          It bills anew what{" "}
          <TextLink
            to="/customers/$customerId/invoices/$invoiceId"
            params={{ customerId: customer, invoiceId: replaces }}
            size="sm"
          >
            a void invoice
          </TextLink>{" "}
          had billed.
        </Text>
      )}
    </>
  );
}

function VoidedBy({ voided, customer }: { voided: InvoiceVoid; customer: string }) {
  const { time_zone: timeZone } = useCustomer();
  const { replaced_by: replacement, reason_code, reason, voided_by, voided_at } = voided;
  return (
    <Alert color="gray" variant="light" title="Withdrawn">
      <Text size="sm" component="div" style={{ overflowWrap: "anywhere" }}>
        <Time at={voided_at} timeZone={timeZone} /> by {voided_by}. {wordsFor(reason_code)}
        {reason === null ? "" : `: ${reason}`}.{" "}
        {replacement === null ? (
          "Nothing takes its place."
        ) : (
          <TextLink
            to="/customers/$customerId/invoices/$invoiceId"
            params={{ customerId: customer, invoiceId: replacement }}
            size="sm"
          >
            The invoice that bills its period anew
          </TextLink>
        )}
      </Text>
    </Alert>
  );
}

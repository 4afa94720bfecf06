import { type QueryClient, useQuery } from "@tanstack/react-query";

/** Which invoices this tab has asked to withdraw: kept apart from what is read, because the API says nothing of it until it is done. */
const keyOf = (invoiceId: string) => ["withdrawing", invoiceId];

export function setWithdrawing(queries: QueryClient, invoiceId: string, isAsked: boolean): void {
  queries.setQueryData(keyOf(invoiceId), isAsked);
}

/** Whether an invoice was asked to be withdrawn here, and no refusal came. */
export function useWithdrawing(invoiceId: string): boolean {
  const { data } = useQuery({
    queryKey: keyOf(invoiceId),
    queryFn: () => false,
    enabled: false,
    gcTime: Number.POSITIVE_INFINITY,
  });
  return data ?? false;
}

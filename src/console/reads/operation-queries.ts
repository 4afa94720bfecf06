import { queryOptions } from "@tanstack/react-query";
import { ReckonerApiError } from "../../sdk/index.ts";
import { listQuery } from "./list-query.ts";
import { read } from "./read.ts";

/** What operators look at before and after they change something. */

const keyFreshMs = 5 * 60_000;
const pending = { status: "pending_approval" } as const;

/** Who asks, and what they may do. */
export const sessionQuery = () =>
  queryOptions({
    queryKey: ["session"],
    queryFn: ({ signal }) => read(signal, (reckoner) => reckoner.get("/v1/session", { signal })),
    staleTime: keyFreshMs,
  });

export const waitingAdjustmentsQuery = () =>
  listQuery(["adjustments", "waiting"], (reckoner, page, signal) =>
    reckoner.get("/v1/adjustments", { params: { query: { ...page, ...pending } }, signal }),
  );

export const waitingRecurringQuery = () =>
  listQuery(["recurring grants", "waiting"], (reckoner, page, signal) =>
    reckoner.get("/v1/recurring-credit-grants", { params: { query: { ...page, ...pending } }, signal }),
  );

export const waitingCreditNotesQuery = () =>
  listQuery(["credit notes", "waiting"], (reckoner, page, signal) =>
    reckoner.get("/v1/credit-notes", { params: { query: { ...page, ...pending } }, signal }),
  );

export const waitingCorrectionsQuery = () =>
  listQuery(["corrections", "waiting"], (reckoner, page, signal) =>
    reckoner.get("/v1/usage/corrections", { params: { query: { ...page, ...pending } }, signal }),
  );

export const adjustmentsQuery = (customer: string) =>
  listQuery(["adjustments", customer], (reckoner, page, signal) =>
    reckoner.get("/v1/adjustments", { params: { query: { ...page, customer } }, signal }),
  );

export const recurringGrantsQuery = (id: string) =>
  listQuery(["recurring grants", id], (reckoner, query, signal) =>
    reckoner.get("/v1/customers/{id}/recurring-credit-grants", { params: { path: { id }, query }, signal }),
  );

export const correctionsQuery = (customer: string) =>
  listQuery(["corrections", customer], (reckoner, page, signal) =>
    reckoner.get("/v1/usage/corrections", { params: { query: { ...page, customer } }, signal }),
  );

export const correctionQuery = (id: string) =>
  queryOptions({
    queryKey: ["correction", id],
    queryFn: ({ signal }) =>
      read(signal, (reckoner) =>
        reckoner.get("/v1/usage/corrections/{id}", { params: { path: { id } }, signal }),
      ),
  });

export const backfillsQuery = (customer: string) =>
  listQuery(["backfills", customer], (reckoner, page, signal) =>
    reckoner.get("/v1/usage/backfills", { params: { query: { ...page, customer } }, signal }),
  );

/** A backfill with how many events it has. */
export const backfillQuery = (id: string) =>
  queryOptions({
    queryKey: ["backfill", id],
    queryFn: ({ signal }) =>
      read(signal, (reckoner) =>
        reckoner.get("/v1/usage/backfills/{id}", { params: { path: { id } }, signal }),
      ),
  });

/** What is on every account of a customer. */
export const balancesQuery = (id: string) =>
  queryOptions({
    queryKey: ["balances", id],
    queryFn: ({ signal }) =>
      read(signal, (reckoner) =>
        reckoner.get("/v1/customers/{id}/balances", { params: { path: { id } }, signal }),
      ),
  });

/** Who voided an invoice and what replaces it; null as long as nobody has. */
export const invoiceVoidQuery = (id: string) =>
  queryOptions({
    queryKey: ["invoice void", id],
    queryFn: ({ signal }) =>
      read(signal, (reckoner) =>
        reckoner.get("/v1/invoices/{id}/void", { params: { path: { id } }, signal }),
      ).catch((error: unknown) => {
        if (error instanceof ReckonerApiError && error.code === "invoice_void_not_found") return null;
        throw error;
      }),
  });

export type UpcomingPeriod = "current" | "next";

/** What a subscription's coming invoice would be now; null where none is coming. */
export const upcomingInvoiceQuery = (id: string, period: UpcomingPeriod) =>
  queryOptions({
    queryKey: ["upcoming invoice", id, period],
    queryFn: ({ signal }) =>
      read(signal, (reckoner) =>
        reckoner.get("/v1/subscriptions/{id}/upcoming-invoice", {
          params: { path: { id }, query: { period } },
          signal,
        }),
      ).catch((error: unknown) => {
        if (error instanceof ReckonerApiError && error.code === "no_upcoming_invoice") return null;
        throw error;
      }),
  });

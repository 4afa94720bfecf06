import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { listQuery } from "./list-query.ts";
import { read } from "./read.ts";
import type { Subscription } from "./resources.ts";

const catalogFreshMs = 5 * 60_000;

export interface CustomerFilter {
  readonly search?: string | undefined;
  readonly status?: Subscription["status"] | undefined;
}

export const customersQuery = ({ search, status }: CustomerFilter) => ({
  ...listQuery(["customers", search, status], (reckoner, page, signal) => {
    const filter = {
      ...(search === undefined ? {} : { search }),
      ...(status === undefined ? {} : { status }),
    };
    return reckoner.get("/v1/customers", { params: { query: { ...page, ...filter } }, signal });
  }),
  // The rows stay while the next letter of a search is on its way.
  placeholderData: keepPreviousData,
});

export const customerQuery = (id: string) =>
  queryOptions({
    queryKey: ["customer", id],
    queryFn: ({ signal }) =>
      read(signal, (reckoner) => reckoner.get("/v1/customers/{id}", { params: { path: { id } }, signal })),
  });

export const subscriptionsQuery = (customer: string) =>
  listQuery(["subscriptions", customer], (reckoner, page, signal) =>
    reckoner.get("/v1/subscriptions", { params: { query: { ...page, customer } }, signal }),
  );

export const invoicesQuery = (customer: string) =>
  listQuery(["invoices", customer], (reckoner, page, signal) =>
    reckoner.get("/v1/invoices", { params: { query: { ...page, customer } }, signal }),
  );

export const openInvoicesQuery = (customer: string) =>
  listQuery(["invoices", customer, "open"], (reckoner, page, signal) =>
    reckoner.get("/v1/invoices", { params: { query: { ...page, customer, status: "open" } }, signal }),
  );

export const invoiceQuery = (id: string) =>
  queryOptions({
    queryKey: ["invoice", id],
    queryFn: ({ signal }) =>
      read(signal, (reckoner) => reckoner.get("/v1/invoices/{id}", { params: { path: { id } }, signal })),
  });

/** How each line of an invoice came about. */
export const invoiceExplanationQuery = (id: string) =>
  queryOptions({
    queryKey: ["invoice explanation", id],
    queryFn: ({ signal }) =>
      read(signal, (reckoner) =>
        reckoner.get("/v1/invoices/{id}/explain", { params: { path: { id } }, signal }),
      ),
  });

export const creditNotesQuery = (invoice: string) =>
  listQuery(["credit notes", invoice], (reckoner, page, signal) =>
    reckoner.get("/v1/credit-notes", { params: { query: { ...page, invoice } }, signal }),
  );

/** What an invoice line bills, event by event. */
export const lineEventsQuery = (id: string, line: number) =>
  listQuery(["line events", id, line], (reckoner, query, signal) =>
    reckoner.get("/v1/invoices/{id}/lines/{line}/events", { params: { path: { id, line }, query }, signal }),
  );

export interface EventName {
  readonly source: string;
  readonly id: string;
}

/** Everything that was sent under the key of an event. */
export const eventQuery = (query: EventName) =>
  queryOptions({
    queryKey: ["event", query],
    queryFn: ({ signal }) =>
      read(signal, (reckoner) => reckoner.get("/v1/events", { params: { query }, signal })),
  });

/** The lines that an event is in. */
export const eventBillingQuery = (query: EventName) =>
  queryOptions({
    queryKey: ["event billing", query],
    queryFn: ({ signal }) =>
      read(signal, (reckoner) => reckoner.get("/v1/events/billing", { params: { query }, signal })),
  });

export const creditGrantsQuery = (id: string) =>
  listQuery(["credit grants", id], (reckoner, query, signal) =>
    reckoner.get("/v1/customers/{id}/credit-grants", { params: { path: { id }, query }, signal }),
  );

export const entriesQuery = (id: string) =>
  listQuery(["entries", id], (reckoner, query, signal) =>
    reckoner.get("/v1/customers/{id}/entries", { params: { path: { id }, query }, signal }),
  );

export const catalogQuery = () =>
  queryOptions({
    queryKey: ["catalog"],
    queryFn: ({ signal }) => read(signal, (reckoner) => reckoner.get("/v1/catalog", { signal })),
    staleTime: catalogFreshMs,
  });

/** What a customer has used in the current periods, and what it costs so far. */
export const usageCostQuery = (id: string) =>
  queryOptions({
    queryKey: ["usage cost", id],
    queryFn: ({ signal }) =>
      read(signal, (reckoner) =>
        reckoner.get("/v1/customers/{id}/usage", { params: { path: { id } }, signal }),
      ),
  });

export interface UsageRequest {
  readonly customer: string;
  readonly meter: string;
  readonly from: string;
  /** Exclusive. */
  readonly to: string;
  /** One dimension to tell apart, or nothing for all as one. */
  readonly group_by: string;
}

/** Usage of one meter by UTC day. */
export const usageQuery = (request: UsageRequest) =>
  queryOptions({
    queryKey: ["usage", request],
    queryFn: ({ signal }) =>
      read(signal, (reckoner) =>
        reckoner.get("/v1/usage", { params: { query: { ...request, window: "day" } }, signal }),
      ),
    placeholderData: keepPreviousData,
  });

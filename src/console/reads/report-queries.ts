import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import type { Schemas } from "../../sdk/index.ts";
import { listQuery } from "./list-query.ts";
import { read } from "./read.ts";

/** How everybody stands, and what is unusual about whom. */

const wholeMonth = { staleTime: 60_000 };

/** Whatever is called by this text, or has it in its name. */
export const searchQuery = (q: string) =>
  queryOptions({
    queryKey: ["search", q],
    queryFn: ({ signal }) =>
      read(signal, (reckoner) => reckoner.get("/v1/search", { params: { query: { q } }, signal })),
    enabled: q !== "",
    placeholderData: keepPreviousData,
  });

export type TimelineAbout = Schemas["TimelineItem"]["about"];

export const timelineQuery = (id: string, about: TimelineAbout | undefined) =>
  listQuery(["timeline", id, about], (reckoner, page, signal) => {
    const query = { ...page, ...(about === undefined ? {} : { about }) };
    return reckoner.get("/v1/customers/{id}/timeline", { params: { path: { id }, query }, signal });
  });

export interface AnomalyFilter {
  readonly kind?: Schemas["Anomaly"]["kind"] | undefined;
  readonly state?: Schemas["Anomaly"]["state"] | undefined;
}

export const anomaliesQuery = ({ kind, state }: AnomalyFilter) =>
  listQuery(["anomalies", kind, state], (reckoner, page, signal) => {
    const filter = { ...(kind === undefined ? {} : { kind }), ...(state === undefined ? {} : { state }) };
    return reckoner.get("/v1/anomalies", { params: { query: { ...page, ...filter } }, signal });
  });

export const anomalyQuery = (id: string) =>
  queryOptions({
    queryKey: ["anomaly", id],
    queryFn: ({ signal }) =>
      read(signal, (reckoner) => reckoner.get("/v1/anomalies/{id}", { params: { path: { id } }, signal })),
  });

export const anomalyRulesQuery = () =>
  queryOptions({
    queryKey: ["anomaly rules"],
    queryFn: ({ signal }) => read(signal, (reckoner) => reckoner.get("/v1/anomalies/rules", { signal })),
  });

export interface Months {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

const given = ({ from, to }: Months) => ({
  ...(from === undefined ? {} : { from }),
  ...(to === undefined ? {} : { to }),
});

export const receivablesQuery = () =>
  queryOptions({
    queryKey: ["receivables"],
    queryFn: ({ signal }) => read(signal, (reckoner) => reckoner.get("/v1/reports/receivables", { signal })),
    ...wholeMonth,
  });

export const revenueQuery = (months: Months) =>
  queryOptions({
    queryKey: ["revenue", months],
    queryFn: ({ signal }) =>
      read(signal, (reckoner) =>
        reckoner.get("/v1/reports/revenue", { params: { query: given(months) }, signal }),
      ),
    ...wholeMonth,
  });

export const invoicedQuery = (months: Months) =>
  queryOptions({
    queryKey: ["invoiced", months],
    queryFn: ({ signal }) =>
      read(signal, (reckoner) =>
        reckoner.get("/v1/reports/invoiced", { params: { query: given(months) }, signal }),
      ),
    ...wholeMonth,
  });

export const planMixQuery = () =>
  queryOptions({
    queryKey: ["plan mix"],
    queryFn: ({ signal }) => read(signal, (reckoner) => reckoner.get("/v1/reports/plans", { signal })),
    ...wholeMonth,
  });

export const trialBalanceQuery = () =>
  queryOptions({
    queryKey: ["trial balance"],
    queryFn: ({ signal }) => read(signal, (reckoner) => reckoner.get("/v1/ledger/trial-balance", { signal })),
    ...wholeMonth,
  });

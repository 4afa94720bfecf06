import { QueryClient } from "@tanstack/react-query";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import * as operations from "../../src/console/reads/operation-queries.ts";
import * as queries from "../../src/console/reads/queries.ts";
import { UnreachableError } from "../../src/console/reads/read.ts";
import { currentKey, signIn, signOutReason, takeKeyFromAddress } from "../../src/console/session/session.ts";
import { ReckonerApiError } from "../../src/sdk/index.ts";
import { acme, acmeInvoice } from "./support/records.ts";
import { startStubApi, stubKey } from "./support/stub-api.ts";

let api: Awaited<ReturnType<typeof startStubApi>>;

beforeAll(async () => {
  api = await startStubApi();
});
afterAll(() => api.close());

beforeEach(() => {
  const kept = new Map<string, string>();
  vi.stubGlobal("sessionStorage", {
    getItem: (name: string) => kept.get(name) ?? null,
    setItem: (name: string, value: string) => kept.set(name, value),
    removeItem: (name: string) => kept.delete(name),
  });
  vi.stubGlobal("location", { origin: api.url, hash: "", pathname: "/console/", search: "" });
  api.reads.length = 0;
  signIn(stubKey);
});
afterEach(() => vi.unstubAllGlobals());

/** Reads as the console does, once. */
function fetched(query: object): Promise<unknown> {
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  return "initialPageParam" in query
    ? client.fetchInfiniteQuery(query as never)
    : client.fetchQuery(query as never);
}

test.each([
  [
    "the customers found",
    queries.customersQuery({ search: "ac", status: "active" }),
    "/v1/customers?limit=50&search=ac&status=active",
  ],
  ["a customer", queries.customerQuery("acme"), "/v1/customers/acme"],
  ["subscriptions", queries.subscriptionsQuery("acme"), "/v1/subscriptions?limit=50&customer=acme"],
  ["invoices", queries.invoicesQuery("acme"), "/v1/invoices?limit=50&customer=acme"],
  ["open invoices", queries.openInvoicesQuery("acme"), "/v1/invoices?limit=50&customer=acme&status=open"],
  ["an invoice", queries.invoiceQuery("in_1"), "/v1/invoices/in_1"],
  ["the events of a line", queries.lineEventsQuery("in_1", 1), "/v1/invoices/in_1/lines/1/events?limit=50"],
  [
    "an event",
    queries.eventQuery({ source: "gateway", id: "req/1 ?&" }),
    "/v1/events?source=gateway&id=req%2F1%20%3F%26",
  ],
  [
    "where an event is billed",
    queries.eventBillingQuery({ source: "gateway", id: "1" }),
    "/v1/events/billing?source=gateway&id=1",
  ],
  ["credit", queries.creditGrantsQuery("acme"), "/v1/customers/acme/credit-grants?limit=50"],
  ["entries", queries.entriesQuery("acme"), "/v1/customers/acme/entries?limit=50"],
  ["what usage costs so far", queries.usageCostQuery("acme"), "/v1/customers/acme/usage"],
  ["who asks", operations.sessionQuery(), "/v1/session"],
  [
    "adjustments that wait",
    operations.waitingAdjustmentsQuery(),
    "/v1/adjustments?limit=50&status=pending_approval",
  ],
  [
    "recurring credit that waits",
    operations.waitingRecurringQuery(),
    "/v1/recurring-credit-grants?limit=50&status=pending_approval",
  ],
  [
    "credit notes that wait",
    operations.waitingCreditNotesQuery(),
    "/v1/credit-notes?limit=50&status=pending_approval",
  ],
  [
    "corrections that wait",
    operations.waitingCorrectionsQuery(),
    "/v1/usage/corrections?limit=50&status=pending_approval",
  ],
  ["adjustments", operations.adjustmentsQuery("acme"), "/v1/adjustments?limit=50&customer=acme"],
  [
    "recurring credit",
    operations.recurringGrantsQuery("acme"),
    "/v1/customers/acme/recurring-credit-grants?limit=50",
  ],
  ["corrections", operations.correctionsQuery("acme"), "/v1/usage/corrections?limit=50&customer=acme"],
  ["backfills", operations.backfillsQuery("acme"), "/v1/usage/backfills?limit=50&customer=acme"],
  ["a backfill", operations.backfillQuery("ubf_1"), "/v1/usage/backfills/ubf_1"],
  ["balances", operations.balancesQuery("acme"), "/v1/customers/acme/balances"],
  [
    "the invoice that is coming",
    operations.upcomingInvoiceQuery("sub_acme", "next"),
    "/v1/subscriptions/sub_acme/upcoming-invoice?period=next",
  ],
  ["the catalog", queries.catalogQuery(), "/v1/catalog"],
])("%s: one read, with the key", async (_name, query, path) => {
  await fetched(query);
  expect(api.reads).toEqual([path]);
});

test("answers arrive as they were sent", async () => {
  expect(await fetched(queries.customerQuery("acme"))).toEqual(acme);
  expect(await fetched(queries.invoiceQuery("in_1"))).toEqual(acmeInvoice);
});

test("a key that the API does not take ends the session, and says why", async () => {
  signIn("rk_wrong");
  await expect(fetched(queries.customerQuery("acme"))).rejects.toBeInstanceOf(ReckonerApiError);
  expect([currentKey(), signOutReason()]).toEqual([null, "this API key does not exist"]);
});

test("a refusal keeps the session, its code and the request's id", async () => {
  await expect(fetched(queries.customerQuery("nobody"))).rejects.toMatchObject({
    status: 404,
    requestId: "req_1",
  });
  expect(currentKey()).toBe(stubKey);
});

test("no answer is told apart from a refusal", async () => {
  vi.stubGlobal("location", { origin: "http://127.0.0.1:1" });
  await expect(fetched(queries.customerQuery("acme"))).rejects.toBeInstanceOf(UnreachableError);
});

test("the key of a link is taken once and leaves the address", () => {
  const replaceState = vi.fn();
  vi.stubGlobal("history", { state: null, replaceState });
  vi.stubGlobal("location", { hash: "#key=rk_link", pathname: "/console/customers", search: "?search=ac" });
  takeKeyFromAddress();
  expect(currentKey()).toBe("rk_link");
  expect(replaceState).toHaveBeenCalledExactlyOnceWith(null, "", "/console/customers?search=ac");
});

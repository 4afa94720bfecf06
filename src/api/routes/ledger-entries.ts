import type { z } from "zod";
import { findCustomer } from "../../db/billing/customers.ts";
import { searchEntries } from "../../db/ledger/entry-search.ts";
import { findEntryById } from "../../db/ledger/ledger.ts";
import type { ApiInstance } from "../api-instance.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { byNumber, listAnswer, listOf, pageQuery, pageRequest } from "../pagination.ts";
import { found, RequestRefusedError } from "../refusals.ts";
import { idInput, idParams, instantInput, textInput } from "../wire.ts";
import { entryAnswer, entrySchema } from "./entries.ts";
import { numericIdParams } from "./ledger-wire.ts";

const tags = ["Ledger"];

export function ledgerEntryRoutes(api: ApiInstance, deps: ApiDependencies): void {
  getEntries(api, deps);
  getEntry(api, deps);
  getCustomerEntries(api, deps);
}

const entriesQuery = pageQuery.extend({
  customer: idInput.optional(),
  account: textInput(1_000).optional().describe("An account's key or id: entries with a posting on it."),
  kind: textInput(100).optional(),
  cause_type: textInput(100).optional().describe("Together with `cause_id`."),
  cause_id: textInput(500).optional().describe("Together with `cause_type`."),
  invoice: idInput.optional(),
  effective_from: instantInput.optional(),
  effective_to: instantInput.optional().describe("Exclusive."),
  recorded_from: instantInput.optional(),
  recorded_to: instantInput.optional().describe("Exclusive."),
});

function getEntries(api: ApiInstance, { db }: ApiDependencies): void {
  api.get(
    "/v1/ledger/entries",
    {
      config: { scope: "read", refusals: ["cursor_invalid", "search_too_broad"] },
      schema: {
        tags,
        summary: "List journal entries with their postings, the newest first",
        description:
          "Newest by recording. Of several filters, all hold. A search that would have to look at too much is refused: " +
          "customer, invoice, account, and kind together with cause lead straight to their entries.",
        querystring: entriesQuery,
        response: { 200: listOf(entrySchema) },
      },
    },
    async ({ query }) => {
      const page = await searchEntries(db, filterOf(query), pageRequest(query, byNumber));
      return listAnswer(page, byNumber, entryAnswer);
    },
  );
}

function filterOf(query: z.output<typeof entriesQuery>) {
  const { customer: customerId, account, kind, invoice: invoiceId } = query;
  return {
    customerId,
    // A key has slashes, an id is a number.
    account: account !== undefined && /^\d{1,18}$/.test(account) ? BigInt(account) : account,
    kind,
    cause: causeOf(query),
    invoiceId,
    range: {
      effectiveFrom: query.effective_from,
      effectiveBefore: query.effective_to,
      recordedFrom: query.recorded_from,
      recordedBefore: query.recorded_to,
    },
  };
}

function causeOf({ cause_type: type, cause_id: id }: z.output<typeof entriesQuery>) {
  if (type === undefined && id === undefined) return undefined;
  if (type !== undefined && id !== undefined) return { type, id };
  const [missing, given] = type === undefined ? ["cause_type", "cause_id"] : ["cause_id", "cause_type"];
  throw new RequestRefusedError("request_invalid", `is required together with ${given}`, missing);
}

function getEntry(api: ApiInstance, { db }: ApiDependencies): void {
  api.get(
    "/v1/ledger/entries/:id",
    {
      config: { scope: "read", refusals: ["journal_entry_not_found"] },
      schema: {
        tags,
        summary: "A journal entry with its postings",
        params: numericIdParams,
        response: { 200: entrySchema },
      },
    },
    async ({ params: { id } }) =>
      entryAnswer(found(await findEntryById(db.orm, id), "journal_entry", id.toString())),
  );
}

function getCustomerEntries(api: ApiInstance, { db }: ApiDependencies): void {
  api.get(
    "/v1/customers/:id/entries",
    {
      config: { scope: "read", refusals: ["customer_not_found", "cursor_invalid", "search_too_broad"] },
      schema: {
        tags,
        summary: "A customer's journal entries, the newest first",
        params: idParams,
        querystring: pageQuery,
        response: { 200: listOf(entrySchema) },
      },
    },
    async ({ params: { id: customerId }, query }) => {
      found(await findCustomer(db.orm, customerId), "customer", customerId);
      const page = await searchEntries(db, { customerId }, pageRequest(query, byNumber));
      return listAnswer(page, byNumber, entryAnswer);
    },
  );
}

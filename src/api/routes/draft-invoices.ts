import { randomUUID } from "node:crypto";
import { z } from "zod";
import { listDrafts } from "../../db/billing/draft-invoices.ts";
import type { ApiInstance } from "../api-instance.ts";
import { timeOfCustomer } from "../customer-time.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { openDraft } from "../draft-of.ts";
import { newId } from "../idempotency.ts";
import { contextOf } from "../observation.ts";
import { type CursorForm, listAnswer, listOf, pageQuery, pageRequest } from "../pagination.ts";
import { idInput, textInput } from "../wire.ts";
import { draftAnswer, draftDetailAnswer, draftDetailSchema, draftSchema } from "./draft-schemas.ts";
import { givenTaxAnswer, givenTaxSchema, quoteInput, taxInput, taxLinesOf } from "./tax-schemas.ts";

const tags = ["Draft invoices"];

const draftParams = z.strictObject({
  id: z.string().regex(/^draft\.[A-Za-z0-9_.:-]{1,120}$/, { error: "must be the id of a draft invoice" }),
});

const refusals = ["draft_invoice_not_found", "draft_invoice_closed", "draft_invoice_in_course"];

/** Invoices of periods that have ended and are not closed: looked at, given their tax, and finalised before their time. */
export function draftInvoiceRoutes(api: ApiInstance, deps: ApiDependencies): void {
  getDrafts(api, deps);
  getDraft(api, deps);
  giveTax(api, deps);
  finaliseDraft(api, deps);
}

const bySubscription: CursorForm<string> = { write: (id) => [id], read: ([id = ""]) => id };

const draftsQuery = pageQuery.extend({ customer: idInput.optional(), subscription: idInput.optional() });

function getDrafts(api: ApiInstance, deps: ApiDependencies): void {
  api.get(
    "/v1/draft-invoices",
    {
      config: { scope: "read", refusals: ["cursor_invalid"] },
      schema: {
        tags,
        summary: "List drafts: of each subscription the first period that has ended and is not closed",
        querystring: draftsQuery,
        response: { 200: listOf(draftSchema) },
      },
    },
    async ({ query }) => {
      const filter = { customerId: query.customer, subscriptionId: query.subscription };
      const page = await listDrafts(deps.db.orm, filter, deps.now(), pageRequest(query, bySubscription));
      const times = new Map<string, Awaited<ReturnType<typeof timeOfCustomer>>>();
      for (const { row } of page.items) times.set(row.customerId, await timeOfCustomer(deps, row.customerId));
      return listAnswer(page, bySubscription, (draft) =>
        draftAnswer(draft, times.get(draft.row.customerId) ?? deps.now()),
      );
    },
  );
}

function getDraft(api: ApiInstance, deps: ApiDependencies): void {
  api.get(
    "/v1/draft-invoices/:id",
    {
      config: { scope: "read", refusals },
      schema: {
        tags,
        summary: "What closing the period would issue now",
        description:
          "By the function that closes periods, from the facts as they are; nothing is stored. With the tax that was given for exactly these lines.",
        params: draftParams,
        response: { 200: draftDetailSchema },
      },
    },
    async ({ params: { id } }) => {
      const { draft, at } = await openDraft(deps, id);
      return draftDetailAnswer(draft, at);
    },
  );
}

function giveTax(api: ApiInstance, deps: ApiDependencies): void {
  api.put(
    "/v1/draft-invoices/:id/tax-lines",
    {
      config: {
        scope: "write",
        refusals: [
          ...refusals,
          "tax_not_external",
          "tax_quote_outdated",
          "tax_line_invalid",
          "tax_sum_differs",
        ],
      },
      schema: {
        tags,
        summary: "Give the tax of a draft, as somebody outside reckoned it",
        description:
          "Passed through untouched. For the lines that `quote` names: when they are others by now, it is refused, and nothing is kept. " +
          "What is given last for a quote counts, until the invoice is issued.",
        params: draftParams,
        body: taxInput.extend({ quote: quoteInput }),
        response: { 200: givenTaxSchema },
      },
    },
    async (request) => {
      const { id } = request.params;
      const { quote, currency } = request.body;
      const requestId = `tax_${randomUUID().replaceAll("-", "")}`;
      const tax = { draftId: id, requestId, quote, currency, lines: taxLinesOf(request.body) };
      return givenTaxAnswer(await deps.taxes.giveTaxOfDraft(tax, contextOf(request)));
    },
  );
}

function finaliseDraft(api: ApiInstance, deps: ApiDependencies): void {
  const finalisedSchema = z
    .object({
      status: z
        .enum(["closed", "closing"])
        .describe("`closing`: its run was told, and is not done yet: ask again."),
      invoice: z
        .string()
        .nullable()
        .describe("Null where there is nothing to invoice, or nothing is known yet."),
    })
    .meta({ id: "FinalisedDraft" });
  api.post(
    "/v1/draft-invoices/:id/finalise",
    {
      config: {
        scope: "write",
        refusals: ["draft_invoice_not_found", "draft_invoice_in_course", "tax_missing"],
      },
      schema: {
        tags,
        summary: "Close a period that has ended, without the rest of its grace",
        description:
          "By its own run, as it would be closed later. What is reported of it afterwards is late usage. Finalised again, it answers with its invoice.",
        params: draftParams,
        body: z.strictObject({ reason: textInput(500).optional().describe("Kept with who asked.") }),
        response: { 200: finalisedSchema, 202: finalisedSchema },
      },
    },
    async (request, reply) => {
      const asked = {
        draftId: request.params.id,
        requestId: newId(request, "fin"),
        reason: request.body.reason ?? null,
      };
      const { status, invoiceId } = await deps.taxes.finalise(asked, contextOf(request));
      return reply.code(status === "closed" ? 200 : 202).send({ status, invoice: invoiceId });
    },
  );
}

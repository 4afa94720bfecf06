import { z } from "zod";
import { findVoid, replacementOf, type StoredVoid } from "../../db/billing/invoice-voids.ts";
import { findInvoice } from "../../db/billing/invoices.ts";
import { findTaxGiven } from "../../db/billing/tax-given.ts";
import { findVoidTaxWanted } from "../../db/billing/void-tax.ts";
import { reasonCodes } from "../../domain/adjustments/index.ts";
import { isoOf } from "../../domain/calendar/index.ts";
import type { ApiInstance } from "../api-instance.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { newId } from "../idempotency.ts";
import { contextOf } from "../observation.ts";
import { found } from "../refusals.ts";
import { currencyText, idParams, instantText } from "../wire.ts";
import { otherIsExplained, reasonFields } from "./adjustment-schemas.ts";
import { actorText } from "./decisions-wire.ts";
import { taxableLineSchema } from "./draft-schemas.ts";
import { lineAnswer } from "./line-fields.ts";

const voidSchema = z
  .object({
    invoice: z.string(),
    replaced_by: z
      .string()
      .nullable()
      .describe("The invoice that bills the period anew; null when none does."),
    reason_code: z.enum(reasonCodes),
    reason: z.string().nullable(),
    voided_by: actorText,
    voided_at: instantText,
  })
  .meta({ id: "InvoiceVoid" });

const tags = ["Invoices"];

/** Open invoices that are withdrawn. */
export function invoiceVoidRoutes(api: ApiInstance, deps: ApiDependencies): void {
  api.post(
    "/v1/invoices/:id/void",
    {
      config: {
        scope: "write",
        refusals: [
          "invoice_not_found",
          "invoice_not_voidable",
          "invoice_has_credit_notes",
          "invoice_is_built_on",
          "invoice_gave_credit_back",
          "credit_grant_ended",
          "tax_missing",
        ],
      },
      schema: {
        tags,
        summary: "Void an open invoice, and bill its period anew",
        description:
          "At Stripe first. Its entries are reversed, and what was drawn goes back to its credit grants. An invoice that closed a period " +
          "is replaced by one that refers to it, with the usage, credit and balance of now; others are not.",
        params: idParams,
        body: z.strictObject(reasonFields).superRefine(otherIsExplained),
        response: { 201: voidSchema },
      },
    },
    async (request, reply) => {
      const { id: invoiceId } = request.params;
      const { reason_code: reasonCode, reason = null } = request.body;
      const requestId = newId(request, "void");
      await deps.invoices.voidInvoice({ requestId, invoiceId, reasonCode, reason }, contextOf(request));
      return reply.code(201).send(await voidAnswer(deps, invoiceId));
    },
  );
  api.get(
    "/v1/invoices/:id/void",
    {
      config: { scope: "read", refusals: ["invoice_not_found", "invoice_void_not_found"] },
      schema: {
        tags,
        summary: "Who voided an invoice, why, and what replaces it",
        params: idParams,
        response: { 200: voidSchema },
      },
    },
    async ({ params: { id } }) => voidAnswer(deps, id),
  );
  taxWantedRoute(api, deps);
}

const taxWantedSchema = z
  .object({
    invoice: z.string(),
    quote: z.string().describe("To give tax for, by `PUT /v1/customers/{id}/tax-lines/{quote}`."),
    is_given: z.boolean(),
    basis: z.enum(["before_credits", "after_credits"]),
    currency: currencyText,
    wanted_at: instantText,
    lines: z.array(taxableLineSchema),
  })
  .meta({ id: "VoidTaxWanted" });

/** For which lines tax is to be given before an invoice can be voided. */
function taxWantedRoute(api: ApiInstance, { db }: ApiDependencies): void {
  api.get(
    "/v1/invoices/:id/void/tax",
    {
      config: { scope: "read", refusals: ["invoice_not_found", "invoice_void_tax_not_found"] },
      schema: {
        tags,
        summary: "Which tax voiding an invoice wants",
        description:
          "The lines of the invoice that would bill its period anew, as they were when voiding was refused with `tax_missing`: give their tax, and ask again.",
        params: idParams,
        response: { 200: taxWantedSchema },
      },
    },
    async ({ params: { id } }) => {
      const { customerId, currency } = found(await findInvoice(db.orm, id), "invoice", id);
      const wanted = found(await findVoidTaxWanted(db.orm, id), "invoice_void_tax", id);
      const { quote, basis, wantedAt, lines } = wanted;
      const given = await findTaxGiven(db.orm, customerId, quote);
      return {
        ...{ invoice: id, quote, is_given: given !== undefined, basis, currency, wanted_at: isoOf(wantedAt) },
        lines: lines.map(({ line, taxableMinor }, place) => ({
          ...{ line: place + 1, ...lineAnswer(line), taxable_minor: taxableMinor },
        })),
      };
    },
  );
}

async function voidAnswer({ db }: ApiDependencies, invoiceId: string): Promise<z.infer<typeof voidSchema>> {
  found(await findInvoice(db.orm, invoiceId), "invoice", invoiceId);
  const stored: StoredVoid = found(await findVoid(db.orm, invoiceId), "invoice_void", invoiceId);
  return {
    invoice: invoiceId,
    replaced_by: (await replacementOf(db.orm, invoiceId))?.id ?? null,
    reason_code: stored.reasonCode,
    reason: stored.reason,
    voided_by: stored.voidedBy,
    voided_at: isoOf(stored.voidedAt),
  };
}

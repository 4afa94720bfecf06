import { z } from "zod";
import { findVoid, replacementOf, type StoredVoid } from "../../db/billing/invoice-voids.ts";
import { findInvoice } from "../../db/billing/invoices.ts";
import { reasonCodes } from "../../domain/adjustments/index.ts";
import { isoOf } from "../../domain/calendar/index.ts";
import type { ApiInstance } from "../api-instance.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { newId } from "../idempotency.ts";
import { contextOf } from "../observation.ts";
import { found } from "../refusals.ts";
import { idParams, instantText } from "../wire.ts";
import { otherIsExplained, reasonFields } from "./adjustment-schemas.ts";
import { actorText } from "./decisions-wire.ts";

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

import { z } from "zod";
import { findCreditNote } from "../../db/billing/credit-notes.ts";
import { findInvoice } from "../../db/billing/invoices.ts";
import { findRefund, listRefunds, refundsOf } from "../../db/billing/refunds.ts";
import { money } from "../../domain/money/index.ts";
import type { ApiInstance } from "../api-instance.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { newId } from "../idempotency.ts";
import { contextOf } from "../observation.ts";
import { listAnswer, listOf, newestFirst, pageQuery, pageRequest } from "../pagination.ts";
import { found } from "../refusals.ts";
import { idInput, idParams, positiveMinorInput } from "../wire.ts";
import { otherIsExplained, reasonFields } from "./adjustment-schemas.ts";
import { creditNoteSchema } from "./credit-note-schemas.ts";
import { answerOf, creditNoteRefusals } from "./credit-notes.ts";
import { refundAnswer, refundSchema, refundStatus } from "./refund-schemas.ts";

const tags = ["Refunds"];

const refundInput = z
  .strictObject({
    amount_minor: positiveMinorInput
      .optional()
      .describe("At most what is left of the payments. All of it when left out."),
    ...reasonFields,
  })
  .superRefine(otherIsExplained);

const requestedSchema = z
  .object({
    credit_note: creditNoteSchema,
    refunds: z
      .array(refundSchema)
      .describe("One for each payment that is returned; none while it waits for approval."),
  })
  .meta({ id: "RequestedRefund" });

/** Money that goes back. Every refund is of a credit note: an invoice that was paid is lowered by what is given back of it. */
export function refundRoutes(api: ApiInstance, deps: ApiDependencies): void {
  requestRefund(api, deps);
  listAll(api, deps);
  getOne(api, deps);
}

function requestRefund(api: ApiInstance, deps: ApiDependencies): void {
  api.post(
    "/v1/invoices/:id/refunds",
    {
      config: {
        scope: "write",
        refusals: ["invoice_not_found", "refund_exceeds_payment", ...creditNoteRefusals],
      },
      schema: {
        tags,
        summary: "Refund a paid invoice, wholly or by part",
        description:
          "Credits its lines in proportion to what is left of each, and sends the money back to the payments, the newest first. To " +
          "refund certain lines, issue a credit note with `refund` as destination. Sent at once (201), or, above the limit, when " +
          "another key approves the credit note (202).",
        params: idParams,
        body: refundInput,
        response: { 201: requestedSchema, 202: requestedSchema },
      },
    },
    async (request, reply) => {
      const { id: invoiceId } = request.params;
      const { amount_minor: amount, reason_code: reasonCode, reason = null } = request.body;
      const { currency } = found(await findInvoice(deps.db.orm, invoiceId), "invoice", invoiceId);
      const id = newId(request, "cn");
      const lines = { all: amount === undefined ? null : money(amount, currency) };
      const wanted = { id, invoiceId, lines, destination: "refund", reasonCode, reason } as const;
      await deps.creditNotes.request(wanted, contextOf(request));
      const note = found(await findCreditNote(deps.db.orm, id), "credit_note", id);
      const refunds = await refundsOf(deps.db.orm, { creditNoteId: id });
      return reply.code(note.status === "issued" ? 201 : 202).send({
        credit_note: await answerOf(deps.db.orm, note),
        refunds: refunds.map(refundAnswer),
      });
    },
  );
}

const refundsQuery = pageQuery.extend({
  customer: idInput.optional(),
  invoice: idInput.optional(),
  status: refundStatus.optional(),
});

function listAll(api: ApiInstance, { db }: ApiDependencies): void {
  api.get(
    "/v1/refunds",
    {
      config: { scope: "read", refusals: ["cursor_invalid"] },
      schema: {
        tags,
        summary: "List refunds, the newest first",
        querystring: refundsQuery,
        response: { 200: listOf(refundSchema) },
      },
    },
    async ({ query }) => {
      const { customer: customerId, invoice: invoiceId, status: state } = query;
      const filter = { customerId, invoiceId, state };
      const page = await listRefunds(db.orm, filter, pageRequest(query, newestFirst));
      return listAnswer(page, newestFirst, refundAnswer);
    },
  );
}

function getOne(api: ApiInstance, { db }: ApiDependencies): void {
  api.get(
    "/v1/refunds/:id",
    {
      config: { scope: "read", refusals: ["refund_not_found"] },
      schema: { tags, summary: "A refund", params: idParams, response: { 200: refundSchema } },
    },
    async ({ params: { id } }) => refundAnswer(found(await findRefund(db.orm, id), "refund", id)),
  );
}

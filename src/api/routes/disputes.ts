import { z } from "zod";
import { findDispute, listDisputes, type StoredDispute } from "../../db/billing/disputes.ts";
import { isoOf } from "../../domain/calendar/index.ts";
import type { ApiInstance } from "../api-instance.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { listAnswer, listOf, newestFirst, pageQuery, pageRequest } from "../pagination.ts";
import { found } from "../refusals.ts";
import { currencyText, idInput, idParams, instantText, isoOrNull, minorText } from "../wire.ts";

const tags = ["Disputes"];

export const disputeSchema = z
  .object({
    id: z.string().describe("Stripe's."),
    status: z
      .string()
      .describe(
        "Stripe's word: `needs_response`, `under_review`, `won`, `lost`; `warning_…` for an inquiry.",
      ),
    is_open: z
      .boolean()
      .describe("Somebody still decides: the invoice is not dunned, and nobody is paid back."),
    is_inquiry: z.boolean().describe("The bank asks, and has taken nothing."),
    invoice: z.string(),
    customer: z.string(),
    stripe_payment_intent: z.string(),
    currency: currencyText,
    amount_minor: minorText,
    withdrawn_minor: minorText.describe("What the bank has taken, and has not given back."),
    reason: z.string(),
    opened_at: instantText,
    answer_by: instantText.nullable(),
  })
  .meta({ id: "Dispute" });

export function disputeAnswer(dispute: StoredDispute): z.infer<typeof disputeSchema> {
  return {
    id: dispute.stripeDisputeId,
    status: dispute.status,
    is_open: dispute.isOpen,
    is_inquiry: dispute.status.startsWith("warning_"),
    invoice: dispute.invoiceId,
    customer: dispute.customerId,
    stripe_payment_intent: dispute.stripePaymentIntentId,
    currency: dispute.currency,
    amount_minor: dispute.amountMinor.toString(),
    withdrawn_minor: dispute.withdrawnMinor.toString(),
    reason: dispute.reason,
    opened_at: isoOf(dispute.openedAt),
    answer_by: isoOrNull(dispute.answerBy),
  };
}

const disputesQuery = pageQuery.extend({
  customer: idInput.optional(),
  invoice: idInput.optional(),
  open: z.enum(["true", "false"]).optional(),
});

/** Disputes and inquiries about payments. They are answered in Stripe. */
export function disputeRoutes(api: ApiInstance, { db }: ApiDependencies): void {
  api.get(
    "/v1/disputes",
    {
      config: { scope: "read", refusals: ["cursor_invalid"] },
      schema: {
        tags,
        summary: "List disputes and inquiries about payments, the newest first",
        querystring: disputesQuery,
        response: { 200: listOf(disputeSchema) },
      },
    },
    async ({ query }) => {
      const { customer: customerId, invoice: invoiceId, open } = query;
      const isOpen = open === undefined ? undefined : open === "true";
      const page = await listDisputes(
        db.orm,
        { customerId, invoiceId, isOpen },
        pageRequest(query, newestFirst),
      );
      return listAnswer(page, newestFirst, disputeAnswer);
    },
  );
  api.get(
    "/v1/disputes/:id",
    {
      config: { scope: "read", refusals: ["dispute_not_found"] },
      schema: { tags, summary: "A dispute", params: idParams, response: { 200: disputeSchema } },
    },
    async ({ params: { id } }) => disputeAnswer(found(await findDispute(db.orm, id), "dispute", id)),
  );
}

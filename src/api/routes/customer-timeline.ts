import { z } from "zod";
import { findCustomer } from "../../db/billing/customers.ts";
import { customerTimeline, type TimelineItem } from "../../db/reports/customer-timeline.ts";
import { timelineAbouts } from "../../db/reports/timeline-sources.ts";
import { isoOf } from "../../domain/calendar/index.ts";
import type { ApiInstance } from "../api-instance.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { listAnswer, listOf, newestFirst, pageQuery, pageRequest } from "../pagination.ts";
import { found } from "../refusals.ts";
import { currencyText, idParams, instantText, minorText } from "../wire.ts";

const timelineItemSchema = z
  .object({
    id: z.string().describe("Unique among what happened to this customer."),
    about: z.enum(timelineAbouts),
    kind: z.string().meta({ example: "invoice_issued" }),
    at: instantText.describe("By the customer's clock."),
    subject: z.object({ type: z.string(), id: z.string() }).describe("What it happened to."),
    invoice: z.string().nullable(),
    amount_minor: minorText.nullable(),
    currency: currencyText.nullable(),
    actor: z.string().nullable().describe("Who did it; null where it happened by itself."),
    note: z.string().nullable().describe("As it was recorded: a reason, a number, a code."),
    workflow: z.string().nullable().describe("The id of the Temporal workflow that did it."),
    stripe: z.string().nullable().describe("The object at Stripe."),
  })
  .meta({ id: "TimelineItem" });

export function customerTimelineRoutes(api: ApiInstance, { db }: Pick<ApiDependencies, "db">): void {
  api.get(
    "/v1/customers/:id/timeline",
    {
      config: { scope: "read", refusals: ["cursor_invalid", "customer_not_found"] },
      schema: {
        tags: ["Customers"],
        summary: "Everything that happened to a customer, the newest first",
        params: idParams,
        querystring: pageQuery.extend({ about: z.enum(timelineAbouts).optional() }),
        response: { 200: listOf(timelineItemSchema) },
      },
    },
    async ({ params: { id }, query: { about, ...paging } }) => {
      found(await findCustomer(db.orm, id), "customer", id);
      const page = await customerTimeline(
        db.orm,
        { customerId: id, about },
        pageRequest(paging, newestFirst),
      );
      return listAnswer(page, newestFirst, itemAnswer);
    },
  );
}

const itemAnswer = (item: TimelineItem): z.infer<typeof timelineItemSchema> => ({
  id: item.id,
  about: item.about,
  kind: item.kind,
  at: isoOf(item.at),
  subject: { type: item.subjectType, id: item.subjectId },
  invoice: item.invoiceId,
  amount_minor: item.amountMinor,
  currency: item.currency,
  actor: item.actor,
  note: item.note,
  workflow: item.workflow,
  stripe: item.stripeId,
});

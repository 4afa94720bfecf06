import { z } from "zod";
import { agrees, compareMeters, type MeterComparison } from "../../db/invariants/stripe-meters.ts";
import type { ApiInstance } from "../api-instance.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { byNumber, listAnswer, listOf, pageQuery, pageRequest } from "../pagination.ts";
import { decimalText, instantInput } from "../wire.ts";

const meterComparisonSchema = z
  .object({
    meter: z.string(),
    version: z.int(),
    event_name: z.string().describe("Stripe's name of the meter's events."),
    customer: z.string(),
    counted: decimalText.describe("What was counted here."),
    told: decimalText.describe("What Stripe was told."),
    counted_by_stripe: decimalText.nullable().describe("Null: Stripe has no such meter."),
    agrees: z.boolean(),
    waiting: z.int().describe("Changes that are not told yet."),
    refused: z.int().describe("Changes that Stripe has refused, or took and did not count."),
    unknown: z.int().describe("Changes of which nobody knows whether Stripe was told."),
  })
  .meta({ id: "StripeMeterComparison" });

const wholeHour = instantInput
  .refine((at) => at % 3_600_000 === 0, { error: "must be a whole hour" })
  .describe("A whole hour.");

/** What Stripe's meters have counted, against what was counted here. */
export function stripeMeterRoutes(api: ApiInstance, { db, stripeMeters }: ApiDependencies): void {
  api.get(
    "/v1/stripe-meters",
    {
      config: { scope: "operate", refusals: ["cursor_invalid"] },
      schema: {
        tags: ["Operations"],
        summary: "Compare usage with what Stripe's meters have counted",
        description:
          "Customer by customer, of whom Stripe was told something in that time. Stripe counts after a while.",
        querystring: pageQuery.extend({
          since: wholeHour,
          until: wholeHour,
          customer: z.string().optional(),
        }),
        response: { 200: listOf(meterComparisonSchema) },
      },
    },
    async ({ query: { since: start, until: end, customer: customerId, ...paging } }) => {
      const page = pageRequest(paging, byNumber);
      const asked = { period: { start, end }, customerId };
      return listAnswer(await compareMeters(db.orm, stripeMeters, asked, page), byNumber, comparisonAnswer);
    },
  );
}

function comparisonAnswer(compared: MeterComparison): z.infer<typeof meterComparisonSchema> {
  const { eventName, customerId, atStripe, ...rest } = compared;
  return {
    ...rest,
    event_name: eventName,
    customer: customerId,
    counted_by_stripe: atStripe,
    agrees: agrees(compared),
  };
}

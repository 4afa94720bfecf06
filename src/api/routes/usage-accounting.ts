import { z } from "zod";
import { findCustomer } from "../../db/billing/customers.ts";
import { usageAccounting } from "../../db/usage/usage-accounting.ts";
import { isoOf } from "../../domain/calendar/index.ts";
import type { ApiInstance } from "../api-instance.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { found } from "../refusals.ts";
import { idInput, instantText } from "../wire.ts";

const accountingSchema = z
  .object({
    customer: z.string(),
    accepted: z.int().describe("Events that count."),
    conflicting: z
      .int()
      .describe("Events with the key of another one and a different content: kept, not counted."),
    quarantined: z.int().describe("Events that wait for their customer or meter."),
    invoiced: z.int().describe("Of the accepted ones: in exactly one closed period's invoice."),
    not_invoiced: z.int().describe("Of the accepted ones: in no closed period yet."),
    invoiced_more_than_once: z.int().describe("Always 0."),
    invoices: z.int().describe("How many invoices the events are in."),
    archived_before: instantText
      .nullable()
      .describe("Accepted events before this instant are archived and not counted here."),
  })
  .meta({ id: "UsageAccounting" });

/** Proof for one customer that no event was lost and none is on two invoices. */
export function usageAccountingRoutes(api: ApiInstance, { db }: Pick<ApiDependencies, "db">): void {
  api.get(
    "/v1/usage/accounting",
    {
      config: { scope: "read", refusals: ["customer_not_found"] },
      schema: {
        tags: ["Usage"],
        summary: "Where a customer's usage events went",
        description: "Looks at every event of the customer; meant for checks, not for every page.",
        querystring: z.strictObject({ customer: idInput }),
        response: { 200: accountingSchema },
      },
    },
    async ({ query: { customer } }) => {
      found(await findCustomer(db.orm, customer), "customer", customer);
      const { notInvoiced, invoicedMoreThanOnce, archivedBefore, ...rest } = await usageAccounting(
        db.orm,
        customer,
      );
      return {
        customer,
        ...rest,
        not_invoiced: notInvoiced,
        invoiced_more_than_once: invoicedMoreThanOnce,
        archived_before: archivedBefore === null ? null : isoOf(archivedBefore),
      };
    },
  );
}

import { z } from "zod";
import { chooseInvoicing, invoicingChoices, type StoredChoice } from "../../db/billing/customer-invoicing.ts";
import { findCustomer } from "../../db/billing/customers.ts";
import { lockCustomer } from "../../db/billing/subscriptions.ts";
import { inTransaction } from "../../db/database.ts";
import { isoOf } from "../../domain/calendar/index.ts";
import type { ApiInstance } from "../api-instance.ts";
import { callerOf } from "../authentication.ts";
import { clockOfCustomer } from "../customer-time.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { found } from "../refusals.ts";
import { idParams, instantText } from "../wire.ts";

const invoicing = z
  .enum(["separate", "consolidated"])
  .describe(
    "`separate`: each subscription has invoices of its own. `consolidated`: subscriptions whose periods end at the same instant are " +
      "closed together, when the last of them can be, and are on one invoice.",
  );

const invoicingSchema = z
  .object({
    invoicing,
    choices: z
      .array(
        z.object({
          invoicing,
          effective_at: instantText.describe("It is for periods that end after this."),
          chosen_by: z.string(),
        }),
      )
      .describe("What was ever chosen, the oldest first."),
  })
  .meta({ id: "CustomerInvoicing" });

const tags = ["Customers"];
const path = "/v1/customers/:id/invoicing";

/** Whether a customer's subscriptions are invoiced each by itself or together. */
export function customerInvoicingRoutes(api: ApiInstance, { db, now }: ApiDependencies): void {
  api.get(
    path,
    {
      config: { scope: "read", refusals: ["customer_not_found"] },
      schema: {
        tags,
        summary: "How a customer's subscriptions are invoiced",
        params: idParams,
        response: { 200: invoicingSchema },
      },
    },
    async ({ params: { id } }) => {
      found(await findCustomer(db.orm, id), "customer", id);
      return invoicingAnswer(await invoicingChoices(db.orm, id));
    },
  );
  api.put(
    path,
    {
      config: { scope: "write", refusals: ["customer_not_found"] },
      schema: {
        tags,
        summary: "Choose how a customer's subscriptions are invoiced",
        description:
          "For periods that end from now on; those that have ended are closed as they would have been.",
        params: idParams,
        body: z.strictObject({ invoicing }),
        response: { 200: invoicingSchema },
      },
    },
    async (request) => {
      const { id } = request.params;
      const chosenBy = callerOf(request).actor;
      return await inTransaction(db, async (tx) => {
        found(await lockCustomer(tx, id), "customer", id);
        const { now: effectiveAt } = await clockOfCustomer(tx, { now }, id);
        await chooseInvoicing(tx, id, { ...request.body, effectiveAt, chosenBy });
        return invoicingAnswer(await invoicingChoices(tx, id));
      });
    },
  );
}

function invoicingAnswer(choices: readonly StoredChoice[]): z.infer<typeof invoicingSchema> {
  return {
    invoicing: choices.at(-1)?.invoicing ?? "separate",
    choices: choices.map(({ invoicing: chosen, effectiveAt, chosenBy }) => ({
      invoicing: chosen,
      effective_at: isoOf(effectiveAt),
      chosen_by: chosenBy,
    })),
  };
}

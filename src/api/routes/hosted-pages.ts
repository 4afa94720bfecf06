import { z } from "zod";
import { findCustomer } from "../../db/billing/customers.ts";
import type { ApiInstance } from "../api-instance.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { newId } from "../idempotency.ts";
import { contextOf } from "../observation.ts";
import { found } from "../refusals.ts";
import { idParams, instantText } from "../wire.ts";

const tags = ["Payment methods"];

const pageInput = z.strictObject({
  return_url: z
    .string()
    .regex(/^https?:\/\/[!-~]+$/, { error: "must be an address that begins with https://, in ASCII" })
    .max(2000)
    .describe("Where the customer is sent back to.")
    .meta({ example: "https://example.com/account" }),
});

const setupSessionSchema = z
  .object({
    id: z.string().describe("Stripe's id of the session."),
    url: z.string().describe("The page; for this customer alone, and not for long."),
    expires_at: instantText,
  })
  .meta({ id: "SetupSession" });

const portalSessionSchema = z
  .object({ url: z.string().describe("The page; for this customer alone, and not for long.") })
  .meta({ id: "PortalSession" });

/** Pages of Stripe's, so that no card ever comes near us. */
export function hostedPageRoutes(api: ApiInstance, deps: ApiDependencies): void {
  setupSessions(api, deps);
  portalSessions(api, deps);
}

function setupSessions(api: ApiInstance, { db, payments }: ApiDependencies): void {
  api.post(
    "/v1/customers/:id/setup-sessions",
    {
      config: { scope: "write", refusals: ["customer_not_found"] },
      schema: {
        tags,
        summary: "Open a page of Stripe's on which a customer gives a card",
        description:
          "The card, once given, is what the customer pays with; invoices in dunning are tried with it at once. Their bank may ask " +
          "them while they are there. Nothing is charged.",
        params: idParams,
        body: pageInput,
        response: { 201: setupSessionSchema },
      },
    },
    async (request, reply) => {
      const { id: customerId } = request.params;
      found(await findCustomer(db.orm, customerId), "customer", customerId);
      const input = { requestId: newId(request, "page"), customerId, returnUrl: request.body.return_url };
      const { stripeSessionId: id, url, expiresAt } = await payments.openSetupPage(input, contextOf(request));
      return reply.code(201).send({ id, url, expires_at: expiresAt });
    },
  );
}

function portalSessions(api: ApiInstance, { db, payments }: ApiDependencies): void {
  api.post(
    "/v1/customers/:id/portal-sessions",
    {
      config: { scope: "write", refusals: ["customer_not_found"] },
      schema: {
        tags,
        summary: "Open the page of Stripe's on which a customer sees to their cards",
        description: "The card that the customer chooses there as default is what they pay with.",
        params: idParams,
        body: pageInput,
        response: { 201: portalSessionSchema },
      },
    },
    async (request, reply) => {
      const { id: customerId } = request.params;
      found(await findCustomer(db.orm, customerId), "customer", customerId);
      const input = { requestId: newId(request, "page"), customerId, returnUrl: request.body.return_url };
      return reply.code(201).send(await payments.openPortalPage(input, contextOf(request)));
    },
  );
}

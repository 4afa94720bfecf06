import { z } from "zod";
import { findCustomer } from "../../db/billing/customers.ts";
import type { ApiInstance } from "../api-instance.ts";
import type { ApiDependencies, PaymentMethod } from "../dependencies.ts";
import { newId } from "../idempotency.ts";
import { contextOf } from "../observation.ts";
import { listOf } from "../pagination.ts";
import { found } from "../refusals.ts";
import { idParams, textInput } from "../wire.ts";

export const paymentMethodSchema = z
  .object({
    id: z.string(),
    brand: z.string().meta({ example: "visa" }),
    last4: z.string().meta({ example: "4242" }),
    exp_month: z.int(),
    exp_year: z.int(),
  })
  .meta({ id: "PaymentMethod" });

const paymentMethodInput = z.strictObject({
  token: textInput(255).describe(
    "What Stripe gave the customer's browser for the card; card numbers never come here.",
  ),
});

const tags = ["Payment methods"];

export function paymentMethodRoutes(api: ApiInstance, deps: ApiDependencies): void {
  attachPaymentMethod(api, deps);
  api.get(
    "/v1/customers/:id/payment-methods",
    {
      config: { scope: "read", refusals: ["customer_not_found"] },
      schema: {
        tags,
        summary: "What a customer pays with",
        params: idParams,
        response: { 200: listOf(paymentMethodSchema) },
      },
    },
    async ({ params: { id } }) => {
      const { paymentMethod } = found(await findCustomer(deps.db.orm, id), "customer", id);
      return { data: paymentMethod === null ? [] : [paymentMethodAnswer(paymentMethod)], next_cursor: null };
    },
  );
}

function attachPaymentMethod(api: ApiInstance, { db, payments }: ApiDependencies): void {
  api.post(
    "/v1/customers/:id/payment-methods",
    {
      config: {
        scope: "write",
        refusals: ["customer_not_found", "payment_method_declined", "payment_method_invalid"],
      },
      schema: {
        tags,
        summary: "Set what a customer pays with",
        description: "It takes the place of the one before. Invoices in dunning are tried with it at once.",
        params: idParams,
        body: paymentMethodInput,
        response: { 201: paymentMethodSchema },
      },
    },
    async (request, reply) => {
      const { id: customerId } = request.params;
      found(await findCustomer(db.orm, customerId), "customer", customerId);
      const input = { requestId: newId(request, "pmr"), customerId, token: request.body.token };
      const method = await payments.attachPaymentMethod(input, contextOf(request));
      return reply.code(201).send(paymentMethodAnswer(method));
    },
  );
}

export function paymentMethodAnswer(method: PaymentMethod): z.infer<typeof paymentMethodSchema> {
  const { id, brand, last4, expMonth, expYear } = method;
  return { id, brand, last4, exp_month: expMonth, exp_year: expYear };
}

import type { FastifyRequest } from "fastify";
import { z } from "zod";
import { listCreditGrants } from "../../db/billing/api-reads.ts";
import { findCustomer } from "../../db/billing/customers.ts";
import type { Instant } from "../../domain/calendar/index.ts";
import { ledgerAmountOfMoney, type Money, money } from "../../domain/money/index.ts";
import type { ApiInstance } from "../api-instance.ts";
import { timeOfCustomer } from "../customer-time.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { newId } from "../idempotency.ts";
import { contextOf } from "../observation.ts";
import { listAnswer, listOf, newestFirst, pageQuery, pageRequest } from "../pagination.ts";
import { found, RequestRefusedError } from "../refusals.ts";
import { idParams, instantInput, positiveMinorInput, textInput } from "../wire.ts";
import {
  adjustmentAnswer,
  adjustmentSchema,
  otherIsExplained,
  reasonFields,
  requestAdjustment,
} from "./adjustment-schemas.ts";
import { answerForGrant, creditGrantAnswer, creditGrantSchema } from "./credit-schemas.ts";

const termsFields = {
  amount_minor: positiveMinorInput,
  priority: z.int().min(0).max(100).default(50).describe("0 to 100; the lowest is spent first."),
  expires_at: instantInput.optional().describe("What is left then is lost; never, when left out."),
};
const grantInput = z
  .strictObject({
    ...termsFields,
    kind: z
      .enum(["promotional", "goodwill"])
      .default("promotional")
      .describe("`promotional` is less revenue when it is spent; `goodwill` is an expense when it is given."),
    ...reasonFields,
  })
  .superRefine(otherIsExplained);
const purchaseInput = z.strictObject({ ...termsFields, reason: textInput(500).default("prepaid credit") });

const tags = ["Credits"];
const refusals = ["customer_not_found", "credit_expiry_invalid"];

export function creditRoutes(api: ApiInstance, deps: ApiDependencies): void {
  grantCredit(api, deps);
  purchaseCredit(api, deps);
  api.get(
    "/v1/customers/:id/credit-grants",
    {
      config: { scope: "read", refusals: ["customer_not_found", "cursor_invalid"] },
      schema: {
        tags,
        summary: "List a customer's credit with what is left of it, the newest first",
        params: idParams,
        querystring: pageQuery,
        response: { 200: listOf(creditGrantSchema) },
      },
    },
    async ({ params: { id }, query }) => {
      found(await findCustomer(deps.db.orm, id), "customer", id);
      const page = await listCreditGrants(deps.db.orm, id, pageRequest(query, newestFirst));
      const now = await timeOfCustomer(deps, id);
      return listAnswer(page, newestFirst, (grant) => creditGrantAnswer(grant, now));
    },
  );
}

function grantCredit(api: ApiInstance, deps: ApiDependencies): void {
  api.post(
    "/v1/customers/:id/credit-grants",
    {
      config: { scope: "write", refusals },
      schema: {
        tags,
        summary: "Give a customer credit that nobody pays for",
        description:
          "At once, answered with the grant; or, above the limit, when another key approves it: then the answer is 202 and " +
          "the adjustment that waits.",
        params: idParams,
        body: grantInput,
        response: { 201: creditGrantSchema, 202: adjustmentSchema },
      },
    },
    async (request, reply) => {
      const { kind: grantKind } = request.body;
      const { customerId, amount, priority, expiresAt } = await termsOf(request, deps, request.body);
      const grantId = newId(request, "crg");
      const adjustment = await requestAdjustment(request, deps, request.body, {
        customerId,
        currency: amount.currency,
        correction: {
          kind: "grant_credit",
          change: ledgerAmountOfMoney(amount),
          grantId,
          grantKind,
          priority,
          expiresAt,
        },
      });
      if (adjustment.status !== "executed") return reply.code(202).send(adjustmentAnswer(adjustment));
      return reply.code(201).send(await answerForGrant(grantId, deps));
    },
  );
}

function purchaseCredit(api: ApiInstance, deps: ApiDependencies): void {
  api.post(
    "/v1/customers/:id/credit-purchases",
    {
      config: { scope: "write", refusals: [...refusals, "credit_purchase_too_small"] },
      schema: {
        tags,
        summary: "Sell a customer prepaid credit",
        description:
          "Issues an invoice and collects it; the credit can be spent as soon as the invoice is paid.",
        params: idParams,
        body: purchaseInput,
        response: { 201: creditGrantSchema },
      },
    },
    async (request, reply) => {
      const id = newId(request, "crg");
      const terms = await termsOf(request, deps, request.body);
      await deps.credits.purchase({ ...terms, id, reason: request.body.reason }, contextOf(request));
      return reply.code(201).send(await answerForGrant(id, deps));
    },
  );
}

interface Terms {
  readonly customerId: string;
  readonly amount: Money;
  readonly priority: number;
  readonly expiresAt: Instant | null;
}

async function termsOf(
  { params: { id: customerId } }: FastifyRequest<{ Params: z.output<typeof idParams> }>,
  deps: ApiDependencies,
  body: { amount_minor: bigint; priority: number; expires_at?: Instant | undefined },
): Promise<Terms> {
  const customer = found(await findCustomer(deps.db.orm, customerId), "customer", customerId);
  const { amount_minor: amountMinor, expires_at: expiresAt = null, priority } = body;
  if (expiresAt !== null && expiresAt <= (await timeOfCustomer(deps, customerId))) {
    throw new RequestRefusedError("credit_expiry_invalid", "must be in the customer's future", "expires_at");
  }
  return { customerId, amount: money(amountMinor, customer.currency), priority, expiresAt };
}

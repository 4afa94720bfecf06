import type { FastifyRequest } from "fastify";
import { z } from "zod";
import { listCreditGrants } from "../../db/billing/api-reads.ts";
import { findCustomer } from "../../db/billing/customers.ts";
import type { Instant } from "../../domain/calendar/index.ts";
import type { GrantScope } from "../../domain/credits/index.ts";
import { ledgerAmountOfMoney, type Money, money } from "../../domain/money/index.ts";
import type { ApiInstance } from "../api-instance.ts";
import { timeOfCustomer } from "../customer-time.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { newId } from "../idempotency.ts";
import { contextOf } from "../observation.ts";
import { listAnswer, listOf, newestFirst, pageQuery, pageRequest } from "../pagination.ts";
import { found } from "../refusals.ts";
import { idParams, textInput } from "../wire.ts";
import {
  adjustmentAnswer,
  adjustmentSchema,
  otherIsExplained,
  reasonFields,
  requestAdjustment,
} from "./adjustment-schemas.ts";
import { answerForGrant, creditGrantAnswer, creditGrantSchema } from "./credit-schemas.ts";
import { scopeOf } from "./credit-scope.ts";
import { creditTermsFields, requireTimes } from "./credit-terms.ts";

const grantInput = z
  .strictObject({
    ...creditTermsFields,
    kind: z
      .enum(["promotional", "goodwill"])
      .default("promotional")
      .describe("`promotional` is less revenue when it is spent; `goodwill` is an expense when it is given."),
    ...reasonFields,
  })
  .superRefine(otherIsExplained);
const purchaseInput = z.strictObject({
  ...creditTermsFields,
  reason: textInput(500).default("prepaid credit"),
});

const tags = ["Credits"];
const refusals = [
  "customer_not_found",
  "credit_effective_invalid",
  "credit_expiry_invalid",
  "credit_scope_unknown",
];

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
      const { customerId, amount, ...terms } = await termsOf(request, deps, request.body);
      const grantId = newId(request, "crg");
      const adjustment = await requestAdjustment(request, deps, request.body, {
        customerId,
        currency: amount.currency,
        correction: {
          kind: "grant_credit",
          change: ledgerAmountOfMoney(amount),
          grantId,
          grantKind,
          ...terms,
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
      config: { scope: "write", refusals: [...refusals, "tax_missing", "credit_purchase_too_small"] },
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
  readonly scope?: GrantScope;
  readonly startsAt?: Instant;
  readonly expiresAt: Instant | null;
}

async function termsOf(
  { params: { id: customerId } }: FastifyRequest<{ Params: z.output<typeof idParams> }>,
  deps: ApiDependencies,
  body: z.output<z.ZodObject<typeof creditTermsFields>>,
): Promise<Terms> {
  const customer = found(await findCustomer(deps.db.orm, customerId), "customer", customerId);
  const { amount_minor: amountMinor, effective_at: startsAt, expires_at: expiresAt = null, priority } = body;
  const now = await timeOfCustomer(deps, customerId);
  requireTimes({ startsAt, expiresAt, now });
  const scope = await scopeOf(deps.db.orm, body.scope);
  return {
    customerId,
    amount: money(amountMinor, customer.currency),
    priority,
    expiresAt,
    ...(scope === undefined ? {} : { scope }),
    ...(startsAt === undefined ? {} : { startsAt }),
  };
}

import type { FastifyRequest } from "fastify";
import { z } from "zod";
import { type CreditGrantStanding, findCreditGrant, listCreditGrants } from "../../db/api-reads.ts";
import { findCustomer } from "../../db/customers.ts";
import { type Instant, isoOf } from "../../domain/calendar/index.ts";
import { exactOfLedgerAmount, money } from "../../domain/money/index.ts";
import type { ApiInstance } from "../api-instance.ts";
import { timeOfCustomer } from "../customer-time.ts";
import type { ApiDependencies, CreditTerms } from "../dependencies.ts";
import { newId } from "../idempotency.ts";
import { contextOf } from "../observation.ts";
import { listAnswer, listOf, newestFirst, pageQuery, pageRequest } from "../pagination.ts";
import { found, RequestRefusedError } from "../refusals.ts";
import {
  currencyText,
  decimalText,
  idParams,
  instantInput,
  instantText,
  isoOrNull,
  minorText,
  positiveMinorInput,
  textInput,
} from "../wire.ts";

const creditGrantSchema = z
  .object({
    id: z.string(),
    customer: z.string(),
    kind: z.enum(["paid", "promotional"]),
    status: z
      .enum(["pending", "active", "used_up", "expired", "canceled"])
      .describe("`pending` until the invoice it was bought with is paid, or until it takes effect."),
    currency: currencyText,
    amount_minor: minorText,
    remaining_minor: decimalText.describe(
      "Minor units that are left; exact, because usage draws fractions of a cent.",
    ),
    priority: z.int(),
    effective_at: instantText,
    expires_at: instantText.nullable(),
    invoice: z.string().nullable().describe("The invoice it was bought with."),
    reason: z.string(),
    created_at: instantText,
  })
  .meta({ id: "CreditGrant" });

const termsFields = {
  amount_minor: positiveMinorInput,
  priority: z.int().min(0).max(100).default(50).describe("0 to 100; the lowest is spent first."),
  expires_at: instantInput.optional().describe("What is left then is lost; never, when left out."),
};
const grantInput = z.strictObject({
  ...termsFields,
  reason: textInput(500).describe("Why it is given, for the record."),
});
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
        summary: "Give a customer promotional credit",
        params: idParams,
        body: grantInput,
        response: { 201: creditGrantSchema },
      },
    },
    async (request, reply) => {
      const terms = await termsOf(request, request.params.id, request.body, deps);
      await deps.credits.grantPromotional(terms, contextOf(request));
      return reply.code(201).send(await answerFor(terms, deps));
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
      const terms = await termsOf(request, request.params.id, request.body, deps);
      await deps.credits.purchase(terms, contextOf(request));
      return reply.code(201).send(await answerFor(terms, deps));
    },
  );
}

async function termsOf(
  request: FastifyRequest,
  customerId: string,
  body: z.output<typeof grantInput>,
  deps: ApiDependencies,
): Promise<CreditTerms> {
  const customer = found(await findCustomer(deps.db.orm, customerId), "customer", customerId);
  const { amount_minor: amountMinor, expires_at: expiresAt = null, priority, reason } = body;
  if (expiresAt !== null && expiresAt <= (await timeOfCustomer(deps, customerId))) {
    throw new RequestRefusedError("credit_expiry_invalid", "must be in the customer's future", "expires_at");
  }
  const amount = money(amountMinor, customer.currency);
  return { id: newId(request, "crg"), customerId, amount, priority, expiresAt, reason };
}

async function answerFor({ id, customerId }: CreditTerms, deps: ApiDependencies) {
  const grant = found(await findCreditGrant(deps.db.orm, id), "credit_grant", id);
  return creditGrantAnswer(grant, await timeOfCustomer(deps, customerId));
}

function creditGrantAnswer(grant: CreditGrantStanding, now: Instant): z.infer<typeof creditGrantSchema> {
  const { id, customerId, kind, currency, amountMinor, remaining, priority, reason, invoiceId } = grant;
  return {
    id,
    customer: customerId,
    kind,
    status: statusOf(grant, now),
    currency,
    amount_minor: amountMinor.toString(),
    remaining_minor: exactOfLedgerAmount(remaining).text,
    priority,
    effective_at: isoOf(grant.effectiveAt),
    expires_at: isoOrNull(grant.expiresAt),
    invoice: invoiceId,
    reason,
    created_at: isoOf(grant.createdAt),
  };
}

function statusOf(grant: CreditGrantStanding, now: Instant): z.infer<typeof creditGrantSchema>["status"] {
  const { invoiceStatus, remaining, effectiveAt, expiresAt } = grant;
  if (invoiceStatus === "void" || invoiceStatus === "uncollectible") return "canceled";
  if (invoiceStatus === "open" || effectiveAt > now) return "pending";
  if (expiresAt !== null && expiresAt <= now) return "expired";
  return remaining === 0n ? "used_up" : "active";
}

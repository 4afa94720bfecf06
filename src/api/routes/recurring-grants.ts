import type { FastifyRequest } from "fastify";
import { z } from "zod";
import { findCustomer } from "../../db/billing/customers.ts";
import { findRecurring } from "../../db/billing/recurring-grants.ts";
import { intervalUnits } from "../../domain/calendar/index.ts";
import { occurrenceCount, type RecurringGrant, requireSoundRollover } from "../../domain/credits/index.ts";
import { currency, ledgerAmountOfMoney, money } from "../../domain/money/index.ts";
import type { ApiInstance } from "../api-instance.ts";
import { timeOfCustomer } from "../customer-time.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { newId } from "../idempotency.ts";
import { contextOf } from "../observation.ts";
import { found, RequestRefusedError } from "../refusals.ts";
import { idParams, instantInput, positiveMinorInput, textInput, timeZoneInput } from "../wire.ts";
import { otherIsExplained, reasonFields } from "./adjustment-schemas.ts";
import { scopeOf } from "./credit-scope.ts";
import { creditTermsFields, requireTimes } from "./credit-terms.ts";
import { recurringGrantDecisionRoutes } from "./recurring-grant-decisions.ts";
import { recurringGrantListRoutes } from "./recurring-grant-lists.ts";
import { recurringGrantAnswer, recurringGrantSchema } from "./recurring-grant-schemas.ts";

const minorInput = z
  .string()
  .regex(/^(0|[1-9]\d{0,15})$/, { error: "must be whole minor units, zero or more, as a text" })
  .transform(BigInt);

const rolloverInput = z.strictObject({
  min_minor: minorInput.prefault("0").describe("At least this goes over, also when less is left."),
  max_minor: positiveMinorInput.describe("At most this goes over."),
  cap_minor: minorInput
    .nullable()
    .default(null)
    .describe("Of all that went over and is not used yet; the oldest gives first. No limit, when left out."),
  lifetime_months: z
    .int()
    .min(1)
    .max(1_200)
    .nullable()
    .default(null)
    .describe("How long it can be spent; for ever, when left out."),
});

const recurringInput = z
  .strictObject({
    ...creditTermsFields,
    interval: z.strictObject({ unit: z.enum(intervalUnits), count: z.int().min(1).max(366).default(1) }),
    anchor: instantInput
      .optional()
      .describe("Where its instants are counted from; when it takes effect, when left out."),
    time_zone: timeZoneInput.optional().describe("Whose calendar it is; the customer's, when left out."),
    first: z
      .enum(["at_once", "at_instant"])
      .default("at_once")
      .describe("Whether it is first given when it takes effect, or at the first instant after that."),
    rollover: rolloverInput.optional().describe("What goes over to the next time; nothing, when left out."),
    ...reasonFields,
  })
  .superRefine(otherIsExplained);

const tags = ["Credits"];
const pathOfOne = "/v1/recurring-credit-grants/:id";

export function recurringGrantRoutes(api: ApiInstance, deps: ApiDependencies): void {
  createRecurring(api, deps);
  recurringGrantListRoutes(api, deps);
  getOne(api, deps);
  endOne(api, deps);
  recurringGrantDecisionRoutes(api, deps);
}

function createRecurring(api: ApiInstance, deps: ApiDependencies): void {
  api.post(
    "/v1/customers/:id/recurring-credit-grants",
    {
      config: {
        scope: "write",
        refusals: [
          "customer_not_found",
          "credit_effective_invalid",
          "credit_expiry_invalid",
          "credit_rollover_invalid",
          "credit_scope_unknown",
          "recurring_grant_never_given",
        ],
      },
      schema: {
        tags,
        summary: "Give a customer credit again and again",
        description:
          "Each time is a grant of its own, promotional, that ends when the next begins; what is left goes over as `rollover` " +
          "says. Agreed to at once (201), or, when all that it can come to is above the limit or it has no end, when another " +
          "key approves it (202).",
        params: idParams,
        body: recurringInput,
        response: { 201: recurringGrantSchema, 202: recurringGrantSchema },
      },
    },
    async (request, reply) => {
      const { id: customerId } = request.params;
      const customer = found(await findCustomer(deps.db.orm, customerId), "customer", customerId);
      const grant = await recurringOf(request, deps, customer);
      const { reason_code: reasonCode, reason = null } = request.body;
      const asked = { customerId, currency: currency(customer.currency), grant, reasonCode, reason };
      await deps.recurringGrants.request(asked, contextOf(request));
      const answer = await answerFor(grant.id, deps);
      return reply.code(answer.status === "pending_approval" ? 202 : 201).send(answer);
    },
  );
}

async function recurringOf(
  request: FastifyRequest<{ Params: z.output<typeof idParams>; Body: z.output<typeof recurringInput> }>,
  deps: ApiDependencies,
  customer: { readonly id: string; readonly currency: string; readonly timeZone: string },
): Promise<RecurringGrant> {
  const { body } = request;
  const now = await timeOfCustomer(deps, customer.id);
  const { expires_at: expiresAt = null, effective_at: startsAt } = body;
  requireTimes({ startsAt, expiresAt, now });
  const effectiveAt = startsAt ?? now;
  const { anchor: at = effectiveAt, time_zone: timeZone = customer.timeZone, interval, first } = body;
  const recurrence = { anchor: { at, interval, timeZone }, effectiveAt, expiresAt, first };
  if (occurrenceCount(recurrence) === 0) {
    const message = "no instant falls into its time: it would never be given";
    throw new RequestRefusedError("recurring_grant_never_given", message, "expires_at");
  }
  const exact = (amountMinor: bigint) => ledgerAmountOfMoney(money(amountMinor, customer.currency));
  const scope = await scopeOf(deps.db.orm, body.scope);
  const rollover = body.rollover && {
    min: exact(body.rollover.min_minor),
    max: exact(body.rollover.max_minor),
    cap: body.rollover.cap_minor === null ? null : exact(body.rollover.cap_minor),
    lifetimeMonths: body.rollover.lifetime_months,
  };
  if (rollover !== undefined) requireSoundRollover(rollover);
  return {
    id: newId(request, "crr"),
    amount: exact(body.amount_minor),
    priority: body.priority,
    ...(scope === undefined ? {} : { scope }),
    recurrence,
    rollover: rollover ?? null,
  };
}

function getOne(api: ApiInstance, deps: ApiDependencies): void {
  api.get(
    pathOfOne,
    {
      config: { scope: "read", refusals: ["recurring_grant_not_found"] },
      schema: {
        tags,
        summary: "Credit that is given again and again",
        params: idParams,
        response: { 200: recurringGrantSchema },
      },
    },
    async ({ params: { id } }) => await answerFor(id, deps),
  );
}

function endOne(api: ApiInstance, deps: ApiDependencies): void {
  api.post(
    `${pathOfOne}/end`,
    {
      config: { scope: "write", refusals: ["recurring_grant_not_found", "recurring_grant_not_active"] },
      schema: {
        tags,
        summary: "Give no more of it",
        description:
          "What was given stays, until its own time is over; what is left of it then goes nowhere. To take that back too, void it.",
        params: idParams,
        body: z.strictObject({ reason: textInput(500).optional() }),
        response: { 200: recurringGrantSchema },
      },
    },
    async (request) => {
      const { id } = request.params;
      const { reason = null } = request.body;
      await deps.recurringGrants.end({ recurringGrantId: id, reason }, contextOf(request));
      return await answerFor(id, deps);
    },
  );
}

async function answerFor(id: string, deps: ApiDependencies) {
  const stored = found(await findRecurring(deps.db.orm, id), "recurring_grant", id);
  return recurringGrantAnswer(stored, await timeOfCustomer(deps, stored.customerId));
}

import { z } from "zod";
import { findCreditGrant } from "../../db/billing/api-reads.ts";
import { correctedMoney } from "../../db/billing/corrected-money.ts";
import { findCustomer } from "../../db/billing/customers.ts";
import {
  adjustmentOf,
  adjustmentStatuses,
  entriesOfAdjustment,
  findAdjustment,
  listAdjustments,
  type StoredAdjustment,
} from "../../db/ledger/adjustments.ts";
import { adjustmentKinds, obstacleTo } from "../../domain/adjustments/index.ts";
import { currency, ledgerAmountOfMoney, money } from "../../domain/money/index.ts";
import type { ApiInstance } from "../api-instance.ts";
import { timeOfCustomer } from "../customer-time.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { listAnswer, listOf, newestFirst, pageQuery, pageRequest } from "../pagination.ts";
import { found, RequestRefusedError } from "../refusals.ts";
import { idInput, idParams, textInput } from "../wire.ts";
import {
  adjustmentAnswer,
  adjustmentSchema,
  changeMinorInput,
  otherIsExplained,
  reasonFields,
  requestAdjustment,
} from "./adjustment-schemas.ts";
import { creditGrantAnswer, creditGrantSchema } from "./credit-schemas.ts";
import { entryAnswer, entrySchema } from "./entries.ts";

const detailSchema = adjustmentSchema
  .extend({
    obstacle: z
      .object({ code: z.string(), detail: z.string() })
      .nullable()
      .describe(
        "What an approval would be refused with now; null when nothing is in the way or it is decided.",
      ),
    entries: z.array(entrySchema).describe("What was booked; nothing before it is executed."),
    grant: creditGrantSchema.nullable().describe("The grant as it is now; null as long as there is none."),
  })
  .meta({ id: "AdjustmentDetail" });

const adjustmentsQuery = pageQuery.extend({
  status: z.enum(adjustmentStatuses).optional(),
  customer: idInput.optional(),
  kind: z.enum(adjustmentKinds).optional(),
  actor: textInput(200).optional().describe("Who asked for it, as `requested_by` says."),
});

const voidInput = z.strictObject(reasonFields).superRefine(otherIsExplained);
const changeInput = z
  .strictObject({ change_minor: changeMinorInput, ...reasonFields })
  .superRefine(otherIsExplained);

const tags = ["Adjustments"];
const answers = { 201: adjustmentSchema, 202: adjustmentSchema };
const waits = "Executed at once (201), or, above the limit, when another key approves it (202).";

const grantRefusals = [
  "credit_grant_not_found",
  "credit_grant_expired",
  "credit_grant_unpaid",
  "credit_grant_voided",
];

/** 202 for what waits for somebody else. */
const httpStatusOf = ({ status }: StoredAdjustment) => (status === "executed" ? 201 : 202);

export function adjustmentRoutes(api: ApiInstance, deps: ApiDependencies): void {
  voidGrant(api, deps);
  adjustGrant(api, deps);
  adjustBalance(api, deps);
  listAll(api, deps);
  getOne(api, deps);
}

function voidGrant(api: ApiInstance, deps: ApiDependencies): void {
  api.post(
    "/v1/credit-grants/:id/void",
    {
      config: {
        scope: "write",
        refusals: [...grantRefusals, "credit_grant_used_up", "credit_grant_reserved"],
      },
      schema: {
        tags,
        summary: "Take back all that is left of a grant, for good",
        description: `What was paid for goes to the customer's balance. ${waits}`,
        params: idParams,
        body: voidInput,
        response: answers,
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const grant = found(await findCreditGrant(deps.db.orm, id), "credit_grant", id);
      const stored = await requestAdjustment(request, deps, request.body, {
        customerId: grant.customerId,
        currency: currency(grant.currency),
        correction: { kind: "void_grant", grantId: id, grantKind: grant.kind },
      });
      return reply.code(httpStatusOf(stored)).send(adjustmentAnswer(stored));
    },
  );
}

function adjustGrant(api: ApiInstance, deps: ApiDependencies): void {
  api.post(
    "/v1/credit-grants/:id/adjustments",
    {
      config: {
        scope: "write",
        refusals: [...grantRefusals, "credit_grant_insufficient", "credit_grant_not_raisable"],
      },
      schema: {
        tags,
        summary: "Make a grant larger or smaller",
        description: `Smaller by what is left of it at most. One that was paid for gets only smaller, and what is taken goes to the customer's balance. ${waits}`,
        params: idParams,
        body: changeInput,
        response: answers,
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const { change_minor: changeMinor } = request.body;
      const grant = found(await findCreditGrant(deps.db.orm, id), "credit_grant", id);
      if (grant.kind === "paid" && changeMinor > 0n) {
        const message =
          "what was paid for cannot get larger: sell more, or give promotional or goodwill credit";
        throw new RequestRefusedError("credit_grant_not_raisable", message, "change_minor");
      }
      const change = ledgerAmountOfMoney(money(changeMinor, grant.currency));
      const stored = await requestAdjustment(request, deps, request.body, {
        customerId: grant.customerId,
        currency: currency(grant.currency),
        correction: { kind: "adjust_grant", grantId: id, grantKind: grant.kind, change },
      });
      return reply.code(httpStatusOf(stored)).send(adjustmentAnswer(stored));
    },
  );
}

function adjustBalance(api: ApiInstance, deps: ApiDependencies): void {
  api.post(
    "/v1/customers/:id/balance-adjustments",
    {
      config: { scope: "write", refusals: ["customer_not_found", "customer_balance_insufficient"] },
      schema: {
        tags,
        summary: "Credit a customer's balance, or debit it",
        description: `Goodwill that pays coming invoices, or takes back what is there. ${waits}`,
        params: idParams,
        body: changeInput,
        response: answers,
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const customer = found(await findCustomer(deps.db.orm, id), "customer", id);
      const change = ledgerAmountOfMoney(money(request.body.change_minor, customer.currency));
      const stored = await requestAdjustment(request, deps, request.body, {
        customerId: id,
        currency: currency(customer.currency),
        correction: { kind: change > 0n ? "credit_balance" : "debit_balance", change },
      });
      return reply.code(httpStatusOf(stored)).send(adjustmentAnswer(stored));
    },
  );
}

function listAll(api: ApiInstance, { db }: ApiDependencies): void {
  api.get(
    "/v1/adjustments",
    {
      config: { scope: "read", refusals: ["cursor_invalid"] },
      schema: {
        tags,
        summary: "List adjustments, the newest first",
        querystring: adjustmentsQuery,
        response: { 200: listOf(adjustmentSchema) },
      },
    },
    async ({ query }) => {
      const { status, kind, customer: customerId, actor: requestedBy } = query;
      const filter = { status, kind, customerId, requestedBy };
      const page = await listAdjustments(db.orm, filter, pageRequest(query, newestFirst));
      return listAnswer(page, newestFirst, adjustmentAnswer);
    },
  );
}

function getOne(api: ApiInstance, deps: ApiDependencies): void {
  api.get(
    "/v1/adjustments/:id",
    {
      config: { scope: "read", refusals: ["adjustment_not_found"] },
      schema: {
        tags,
        summary: "An adjustment with its decision, what was booked, and the grant it is about",
        params: idParams,
        response: { 200: detailSchema },
      },
    },
    async ({ params: { id } }) => {
      const { db } = deps;
      const stored = found(await findAdjustment(db.orm, id), "adjustment", id);
      const grant = stored.grantId === null ? undefined : await findCreditGrant(db.orm, stored.grantId);
      const entries = await entriesOfAdjustment(db.orm, stored);
      return {
        ...adjustmentAnswer(stored),
        obstacle: await obstacleAnswer(stored, deps),
        entries: entries.map(entryAnswer),
        grant: grant ? creditGrantAnswer(grant, await timeOfCustomer(deps, stored.customerId)) : null,
      };
    },
  );
}

async function obstacleAnswer(stored: StoredAdjustment, deps: ApiDependencies) {
  if (stored.status !== "pending_approval") return null;
  const { customerId } = stored;
  const adjustment = adjustmentOf(stored);
  const { currency, correction } = adjustment;
  const looksLike = await correctedMoney(deps.db.orm, customerId, currency, correction);
  const obstacle = obstacleTo(adjustment, looksLike, await timeOfCustomer(deps, customerId));
  return obstacle && { code: obstacle.code, detail: obstacle.message };
}

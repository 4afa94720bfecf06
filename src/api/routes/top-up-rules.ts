import type { z } from "zod";
import { findCustomer } from "../../db/billing/customers.ts";
import { lockCustomer } from "../../db/billing/subscriptions.ts";
import {
  endTopUpRule,
  findTopUpRule,
  listTopUpRules,
  type StoredTopUp,
  type StoredTopUpRule,
  setTopUpRule,
  topUpsOf,
} from "../../db/billing/top-ups.ts";
import { inTransaction } from "../../db/database.ts";
import { isoOf } from "../../domain/calendar/index.ts";
import { chargeMinimum } from "../../domain/invoicing/index.ts";
import { exactOfLedgerAmount, formatMoney, type Money, money } from "../../domain/money/index.ts";
import type { ApiInstance } from "../api-instance.ts";
import { callerOf } from "../authentication.ts";
import { timeOfCustomer } from "../customer-time.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { newId } from "../idempotency.ts";
import { listAnswer, listOf, newestFirst, pageQuery, pageRequest } from "../pagination.ts";
import { found, RequestRefusedError } from "../refusals.ts";
import { idParams } from "../wire.ts";
import { detailSchema, type purchaseSchema, ruleInput, ruleSchema } from "./top-up-rule-schemas.ts";

type RuleDependencies = Pick<ApiDependencies, "db" | "now">;

const tags = ["Credits"];

/** Credit that is bought by itself when it runs low. */
export function topUpRuleRoutes(api: ApiInstance, deps: RuleDependencies): void {
  setRule(api, deps);
  listRules(api, deps);
  getRule(api, deps);
  endRule(api, deps);
}

function setRule(api: ApiInstance, deps: RuleDependencies): void {
  api.post(
    "/v1/customers/:id/top-up-rules",
    {
      config: {
        scope: "write",
        refusals: ["customer_not_found", "credit_purchase_too_small", "top_up_limit_invalid"],
      },
      schema: {
        tags,
        summary: "Have credit bought by itself when it runs low",
        description:
          "In place of the rule before. A purchase is begun once for each time that the threshold is crossed, and what it buys can be " +
          "spent once it is paid. A charge that is declined ends the rule, and the customer is told.",
        params: idParams,
        body: ruleInput,
        response: { 201: detailSchema },
      },
    },
    async (request, reply) => {
      const { id: customerId } = request.params;
      const { amount_minor: amountMinor, monthly_limit_minor: limit, ...rest } = request.body;
      const { currency } = found(await findCustomer(deps.db.orm, customerId), "customer", customerId);
      requireSound(money(amountMinor, currency), limit);
      const id = newId(request, "tur");
      const setAt = await timeOfCustomer(deps, customerId);
      const setBy = callerOf(request).actor;
      await inTransaction(deps.db, async (tx) => {
        await lockCustomer(tx, customerId);
        await setTopUpRule(tx, {
          ...{ id, customerId, currency, amountMinor, setBy, setAt, priority: rest.priority },
          thresholdMinor: rest.threshold_minor,
          monthlyLimitMinor: limit ?? null,
          coolDownSeconds: rest.cool_down_seconds,
          expiresAfterDays: rest.expires_after_days ?? null,
        });
      });
      return reply.code(201).send(await detailOf(id, deps));
    },
  );
}

/** Each purchase is charged at once, so it cannot be smaller than what can be charged, nor larger than the limit. */
function requireSound(amount: Money, limitMinor: bigint | undefined): void {
  const minimum = chargeMinimum(amount.currency);
  if (amount.amountMinor < minimum.amountMinor) {
    const message = `at least ${formatMoney(minimum)} can be charged`;
    throw new RequestRefusedError("credit_purchase_too_small", message, "amount_minor");
  }
  if (limitMinor !== undefined && limitMinor < amount.amountMinor) {
    const message = "is less than one purchase: nothing would ever be bought";
    throw new RequestRefusedError("top_up_limit_invalid", message, "monthly_limit_minor");
  }
}

function listRules(api: ApiInstance, deps: RuleDependencies): void {
  api.get(
    "/v1/customers/:id/top-up-rules",
    {
      config: { scope: "read", refusals: ["customer_not_found", "cursor_invalid"] },
      schema: {
        tags,
        summary: "List what has bought a customer credit by itself, the newest first",
        params: idParams,
        querystring: pageQuery,
        response: { 200: listOf(ruleSchema) },
      },
    },
    async ({ params: { id }, query }) => {
      found(await findCustomer(deps.db.orm, id), "customer", id);
      const page = await listTopUpRules(deps.db.orm, id, pageRequest(query, newestFirst));
      return listAnswer(page, newestFirst, ruleAnswer);
    },
  );
}

function getRule(api: ApiInstance, deps: RuleDependencies): void {
  api.get(
    "/v1/top-up-rules/:id",
    {
      config: { scope: "read", refusals: ["top_up_rule_not_found"] },
      schema: {
        tags,
        summary: "What buys credit by itself, with what it has bought",
        params: idParams,
        response: { 200: detailSchema },
      },
    },
    async ({ params: { id } }) => await detailOf(id, deps),
  );
}

function endRule(api: ApiInstance, deps: RuleDependencies): void {
  api.post(
    "/v1/top-up-rules/:id/end",
    {
      config: { scope: "write", refusals: ["top_up_rule_not_found"] },
      schema: {
        tags,
        summary: "Have no more credit bought by itself",
        description: "What was begun goes on. Of a rule that has ended already the first end stands.",
        params: idParams,
        response: { 200: detailSchema },
      },
    },
    async (request) => {
      const { id } = request.params;
      const { customerId } = found(await findTopUpRule(deps.db.orm, id), "top_up_rule", id);
      const endedAt = await timeOfCustomer(deps, customerId);
      const endedBy = callerOf(request).actor;
      await endTopUpRule(deps.db.orm, { ruleId: id, cause: "requested", endedBy, endedAt });
      return await detailOf(id, deps);
    },
  );
}

async function detailOf(id: string, { db }: RuleDependencies): Promise<z.infer<typeof detailSchema>> {
  const rule = found(await findTopUpRule(db.orm, id), "top_up_rule", id);
  const bought = (await topUpsOf(db.orm, rule.customerId)).filter(({ ruleId }) => ruleId === id);
  return { ...ruleAnswer(rule), purchases: bought.map(purchaseAnswer) };
}

function ruleAnswer(rule: StoredTopUpRule): z.infer<typeof ruleSchema> {
  const { end, monthlyLimitMinor: limit } = rule;
  return {
    id: rule.id,
    customer: rule.customerId,
    currency: rule.currency,
    threshold_minor: rule.thresholdMinor.toString(),
    amount_minor: rule.amountMinor.toString(),
    monthly_limit_minor: limit === null ? null : limit.toString(),
    cool_down_seconds: rule.coolDownSeconds,
    expires_after_days: rule.expiresAfterDays,
    priority: rule.priority,
    set_by: rule.setBy,
    set_at: isoOf(rule.setAt),
    end: end && {
      ...{ cause: end.cause, code: end.detail },
      ...{ ended_by: end.endedBy, ended_at: isoOf(end.endedAt) },
    },
  };
}

const purchaseAnswer = (bought: StoredTopUp): z.infer<typeof purchaseSchema> => ({
  credit_grant: bought.grantId,
  invoice: bought.invoiceId,
  state: bought.state,
  amount_minor: bought.amountMinor.toString(),
  credit_left_minor: exactOfLedgerAmount(bought.creditLeft).text,
  begun_at: isoOf(bought.begunAt),
});

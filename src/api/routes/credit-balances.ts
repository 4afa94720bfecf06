import { z } from "zod";
import {
  type CreditGrantStanding,
  findCreditGrant,
  openGrantsOfCustomer,
} from "../../db/billing/api-reads.ts";
import { drawsOfGrant, type StoredDraw } from "../../db/billing/credit-draws.ts";
import { findCustomer } from "../../db/billing/customers.ts";
import { type SpendingPolicy, spendingPolicyOf } from "../../db/billing/spending-policy.ts";
import { inTransaction } from "../../db/database.ts";
import { type Instant, isoOf } from "../../domain/calendar/index.ts";
import { type BurnOrder, burnOrders, type CreditGrant, inBurnOrder } from "../../domain/credits/index.ts";
import { currency, exactOfLedgerAmount, ledgerAmount } from "../../domain/money/index.ts";
import type { ApiInstance } from "../api-instance.ts";
import { timeOfCustomer } from "../customer-time.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { found } from "../refusals.ts";
import { currencyText, decimalText, idParams, instantText } from "../wire.ts";
import { creditGrantAnswer, creditGrantSchema } from "./credit-schemas.ts";

const drawSchema = z.object({
  invoice: z.string(),
  line: z.int().describe("The line that it paid for."),
  product: z.string(),
  plan: z.string().nullable(),
  price: z.string().nullable(),
  drawn_at: instantText,
  amount_minor: decimalText,
  returned_minor: decimalText.describe("What went back since, because less was owed."),
});

const detailSchema = creditGrantSchema
  .extend({ draws: z.array(drawSchema).describe("What it paid for, the oldest first.") })
  .meta({ id: "CreditGrantDetail" });

const balanceSchema = z
  .object({
    customer: z.string(),
    currency: currencyText,
    as_of: instantText,
    remaining_minor: decimalText.describe("Of all grants that can be spent now."),
    available_minor: decimalText.describe("Of that, what no running request has reserved."),
    next_expiry: z
      .object({ at: instantText, credit_grant: z.string(), amount_minor: decimalText })
      .nullable()
      .describe("What is lost next if it is not used; null when nothing is."),
    burn_order: z
      .enum(Object.keys(burnOrders) as [BurnOrder])
      .describe("Of the plan of the subscription that is billed next; the usual one where there is none."),
    burn_order_of: z
      .string()
      .nullable()
      .describe("That subscription. One that is billed later may spend in another order, as its plan says."),
    grants: z
      .array(creditGrantSchema)
      .describe("Those that can be spent now, in that order: the first one next."),
    upcoming: z.array(creditGrantSchema).describe("Those that will take effect, the soonest first."),
  })
  .meta({ id: "CreditBalance" });

const tags = ["Credits"];

export function creditBalanceRoutes(api: ApiInstance, deps: ApiDependencies): void {
  getGrant(api, deps);
  getBalance(api, deps);
}

function getGrant(api: ApiInstance, deps: ApiDependencies): void {
  api.get(
    "/v1/credit-grants/:id",
    {
      config: { scope: "read", refusals: ["credit_grant_not_found"] },
      schema: {
        tags,
        summary: "A credit grant with what is left of it and what it paid for",
        params: idParams,
        response: { 200: detailSchema },
      },
    },
    async ({ params: { id } }) =>
      await inTransaction(
        deps.db,
        async (tx) => {
          const grant = found(await findCreditGrant(tx, id), "credit_grant", id);
          const now = await timeOfCustomer(deps, grant.customerId);
          const draws = await drawsOfGrant(tx, id, now);
          return { ...creditGrantAnswer(grant, now), draws: draws.map(drawAnswer) };
        },
        { isolation: "repeatable read" },
      ),
  );
}

function drawAnswer(draw: StoredDraw): z.infer<typeof drawSchema> {
  const { invoiceId, line, product, planKey, priceKey, drawnAt, drawn, amount } = draw;
  return {
    invoice: invoiceId,
    line,
    product,
    plan: planKey,
    price: priceKey,
    drawn_at: isoOf(drawnAt),
    amount_minor: exactOfLedgerAmount(drawn).text,
    returned_minor: exactOfLedgerAmount(ledgerAmount(drawn - amount)).text,
  };
}

function getBalance(api: ApiInstance, deps: ApiDependencies): void {
  api.get(
    "/v1/customers/:id/credit-balance",
    {
      config: { scope: "read", refusals: ["customer_not_found"] },
      schema: {
        tags,
        summary: "What a customer can spend of credit, in the order in which it is spent",
        description:
          "As the ledger has it. What the open period has used is taken off when it is billed: see what it costs so far.",
        params: idParams,
        response: { 200: balanceSchema },
      },
    },
    async ({ params: { id } }) => {
      const customer = found(await findCustomer(deps.db.orm, id), "customer", id);
      const now = await timeOfCustomer(deps, id);
      const [open, spending] = await Promise.all([
        openGrantsOfCustomer(deps.db.orm, id),
        spendingPolicyOf(deps.db.orm, id),
      ]);
      return balanceAnswer(customer, open, spending, now);
    },
  );
}

function balanceAnswer(
  customer: { readonly id: string; readonly currency: string },
  open: readonly CreditGrantStanding[],
  { policy: { burnOrder }, subscriptionId }: SpendingPolicy,
  now: Instant,
): z.infer<typeof balanceSchema> {
  const answers = new Map(open.map((grant) => [grant.id, creditGrantAnswer(grant, now)]));
  const active = inBurnOrder(
    open.filter(({ id }) => answers.get(id)?.status === "active").map(asGrant),
    burnOrder,
  );
  const upcoming = open
    .filter(({ id, effectiveAt }) => answers.get(id)?.status === "pending" && effectiveAt > now)
    .sort((one, other) => one.effectiveAt - other.effectiveAt || (one.id < other.id ? -1 : 1));
  const sumOf = (amountOf: (grant: CreditGrantStanding) => bigint) =>
    exactOfLedgerAmount(
      ledgerAmount(
        open.reduce(
          (sum, grant) => (answers.get(grant.id)?.status === "active" ? sum + amountOf(grant) : sum),
          0n,
        ),
      ),
    ).text;
  const answersOf = (grants: readonly { readonly id: string }[]) =>
    grants.flatMap(({ id }) => answers.get(id) ?? []);
  return {
    customer: customer.id,
    currency: customer.currency,
    as_of: isoOf(now),
    remaining_minor: sumOf(({ remaining }) => remaining),
    available_minor: sumOf(({ available }) => available),
    next_expiry: nextExpiry(active),
    burn_order: burnOrder,
    burn_order_of: subscriptionId,
    grants: answersOf(active),
    upcoming: answersOf(upcoming),
  };
}

function asGrant(stored: CreditGrantStanding): CreditGrant {
  const { id, kind, priority, remaining, effectiveAt, expiresAt, createdAt, scope } = stored;
  return {
    ...{ id, kind, priority, remaining, effectiveAt, expiresAt, createdAt },
    currency: currency(stored.currency),
    ...(scope === null ? {} : { scope }),
    ...(stored.rolledOverFrom === null ? {} : { isRollover: true }),
  };
}

function nextExpiry(active: readonly CreditGrant[]): z.infer<typeof balanceSchema>["next_expiry"] {
  const expiring = active.flatMap(({ id, expiresAt, remaining }) =>
    expiresAt === null ? [] : [{ id, expiresAt, remaining }],
  );
  const [soonest] = expiring.sort((one, other) => one.expiresAt - other.expiresAt);
  if (soonest === undefined) return null;
  const { id, expiresAt, remaining } = soonest;
  return { at: isoOf(expiresAt), credit_grant: id, amount_minor: exactOfLedgerAmount(remaining).text };
}

import { z } from "zod";
import { accessOfSubscription } from "../../db/billing/access.ts";
import { findCustomer } from "../../db/billing/customers.ts";
import { type ShownSubscription, shownSubscription } from "../../db/billing/shown-subscription.ts";
import { listSubscriptions } from "../../db/billing/subscription-reads.ts";
import { anchoredPeriodAt, type StoredSubscription } from "../../db/billing/subscriptions.ts";
import type { SubscriptionItem } from "../../db/schema/billing.ts";
import { type Instant, isoOf } from "../../domain/calendar/index.ts";
import { isTerminal, subscriptionStatuses } from "../../domain/lifecycle/index.ts";
import { accessAnswer } from "../access-answer.ts";
import type { ApiInstance } from "../api-instance.ts";
import { timeOfCustomer } from "../customer-time.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { newId } from "../idempotency.ts";
import { contextOf } from "../observation.ts";
import { listAnswer, listOf, newestFirst, pageQuery, pageRequest } from "../pagination.ts";
import { found } from "../refusals.ts";
import { idInput, idParams, instantText, isoOrNull } from "../wire.ts";
import { accessSchema } from "./dunning-schemas.ts";
import { agreementOn, overridesAnswer, overridesInput, overridesOnWire } from "./price-overrides.ts";
import { startInputs, startOf, startRefusals } from "./subscription-start.ts";

const itemSchema = z.object({
  plan: z.string(),
  plan_version: z.int(),
  seats: z.int(),
  overrides: overridesAnswer,
});

export const subscriptionSchema = z
  .object({
    id: z.string(),
    customer: z.string(),
    status: z.enum(subscriptionStatuses),
    items: z.array(itemSchema).describe("What is agreed now: the plan first, then add-ons."),
    started_at: instantText,
    current_period: z
      .object({ start: instantText, end: instantText })
      .nullable()
      .describe("The period in course by the customer's clock; null once canceled."),
    billed_through: instantText.describe("Everything before this instant is closed and invoiced."),
    cancel_at: instantText.nullable().describe("When an agreed cancellation takes effect."),
    canceled_at: instantText.nullable(),
    trial_ends_at: instantText.nullable().describe("When its trial ends by itself, as agreed."),
    expires_at: instantText
      .nullable()
      .describe("Until when its first invoice has to be paid, where it begins with that."),
    reactivates: z
      .string()
      .nullable()
      .describe("The subscription that ended and that this one goes on from."),
    access: accessSchema,
    workflow: z.string().describe("The id of its run in Temporal."),
  })
  .meta({ id: "Subscription" });

const seatsInput = z.int().min(1).max(1_000_000);
const planInput = idInput.describe("The key of a plan of the catalog.");
const itemInput = z.strictObject({
  plan: planInput,
  seats: seatsInput.default(1),
  overrides: overridesInput,
});
const subscriptionInput = z.strictObject({
  id: idInput.optional().describe("Your own id for this subscription; one is made when it is left out."),
  customer: idInput,
  items: z.array(itemInput).min(1).max(20).describe("The plan first, then add-ons."),
  ...startInputs,
});

const tags = ["Subscriptions"];

const ruleRefusals = [
  "plan_not_found",
  "plan_currency_differs",
  "plan_interval_differs",
  "plan_already_subscribed",
  "meter_already_billed",
  "price_override_invalid",
  "plan_required",
];

/** Where a subscription stands may rule out a change. */
const standingRefusals = [
  "subscription_not_found",
  "subscription_canceled",
  "subscription_paused",
  "subscription_not_paused",
  "subscription_trialing",
  "subscription_not_trialing",
  "subscription_incomplete",
  "subscription_incomplete_expired",
];

/** What a customer has agreed to, from opening to the end. Changes are commands to the subscription's workflow. */
export function subscriptionRoutes(api: ApiInstance, deps: ApiDependencies): void {
  openSubscription(api, deps);
  api.get(
    "/v1/subscriptions/:id",
    {
      config: { scope: "read", refusals: ["subscription_not_found"] },
      schema: { tags, summary: "A subscription", params: idParams, response: { 200: subscriptionSchema } },
    },
    async ({ params: { id } }) => await answerFor(deps, id),
  );
  api.get(
    "/v1/subscriptions",
    {
      config: { scope: "read", refusals: ["cursor_invalid"] },
      schema: {
        tags,
        summary: "List subscriptions, the newest first",
        querystring: pageQuery.extend({
          customer: idInput.optional(),
          status: z.enum(subscriptionStatuses).optional(),
        }),
        response: { 200: listOf(subscriptionSchema) },
      },
    },
    async ({ query }) => {
      const { customer: customerId, status } = query;
      const page = await listSubscriptions(
        deps.db.orm,
        { customerId, status },
        pageRequest(query, newestFirst),
      );
      const answers = new Map<string, z.infer<typeof subscriptionSchema>>();
      for (const { id } of page.items) answers.set(id, await answerFor(deps, id));
      return listAnswer(page, newestFirst, (row) => found(answers.get(row.id), "subscription", row.id));
    },
  );
}

function openSubscription(api: ApiInstance, deps: ApiDependencies): void {
  api.post(
    "/v1/subscriptions",
    {
      config: {
        scope: "write",
        refusals: ["customer_not_found", "subscription_exists", ...startRefusals, ...ruleRefusals],
      },
      schema: {
        tags,
        summary: "Subscribe a customer",
        description:
          "It starts now by the customer's clock, with the newest versions of its plans and the trial of the first. What is charged in advance is invoiced at once and collected in the background, or waited for.",
        body: subscriptionInput,
        response: { 201: subscriptionSchema },
      },
    },
    async (request, reply) => {
      const { id = newId(request, "sub"), customer: customerId, items } = request.body;
      const start = startOf(request.body);
      found(await findCustomer(deps.db.orm, customerId), "customer", customerId);
      await deps.subscriptions.activate(
        {
          subscriptionId: id,
          requestId: newId(request, "req"),
          customerId,
          ...(start === undefined ? {} : { start }),
          at: await timeOfCustomer(deps, customerId),
          items: await Promise.all(
            items.map(async ({ plan, seats, overrides }, index) => ({
              planKey: plan,
              seats,
              ...(await agreementOn(deps, overrides, `items[${index}].`)),
            })),
          ),
        },
        contextOf(request),
      );
      return reply.code(201).send(await answerFor(deps, id));
    },
  );
}

/** Reads a subscription for an answer. */
export async function answerFor(
  deps: ApiDependencies,
  id: string,
): Promise<z.infer<typeof subscriptionSchema>> {
  return await answerOf(deps, await shownFor(deps, id));
}

/** Reads a subscription, and what a change of it came to. */
export async function shownFor(
  { db, now }: Pick<ApiDependencies, "db" | "now">,
  id: string,
  changeId?: string,
): Promise<ShownSubscription> {
  const shown = await shownSubscription(db.orm, id, { wallNow: now(), changeId });
  return found(shown, "subscription", id);
}

export async function answerOf(
  deps: Pick<ApiDependencies, "db">,
  { row, now, items, isDunned }: ShownSubscription,
): Promise<z.infer<typeof subscriptionSchema>> {
  return {
    id: row.id,
    customer: row.customerId,
    status: row.status,
    items: items.map(itemAnswer),
    started_at: isoOf(row.startedAt),
    current_period: isTerminal(row.status) ? null : periodAnswer(row, now),
    billed_through: isoOf(row.billedThrough),
    cancel_at: isoOrNull(row.cancelAt),
    canceled_at: isoOrNull(row.canceledAt),
    trial_ends_at: isoOrNull(row.trialEndsAt),
    expires_at: isoOrNull(row.expiresAt),
    reactivates: row.reactivates,
    access: accessAnswer(await accessOfSubscription(deps.db.orm, row, now, isDunned)),
    workflow: `subscription/${row.id}`,
  };
}

function itemAnswer(item: SubscriptionItem): z.infer<typeof itemSchema> {
  const { planKey, planVersion, seats, overrides } = item;
  return { plan: planKey, plan_version: planVersion, seats, ...overridesOnWire(overrides) };
}

function periodAnswer(row: StoredSubscription, now: Instant): { start: string; end: string } {
  const { period } = anchoredPeriodAt(row, now);
  return { start: isoOf(period.start), end: isoOf(period.end) };
}

export { planInput, ruleRefusals, seatsInput, standingRefusals, tags };

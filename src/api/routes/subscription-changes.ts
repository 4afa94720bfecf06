import { z } from "zod";
import { findSubscription } from "../../db/billing/subscriptions.ts";
import { RefundUnavailableError } from "../../domain/invoicing/index.ts";
import type { ApiInstance } from "../api-instance.ts";
import { timeOfCustomer } from "../customer-time.ts";
import type {
  ApiDependencies,
  CommandContext,
  SubscriptionChangeCommand,
  SubscriptionChanged,
} from "../dependencies.ts";
import { newId } from "../idempotency.ts";
import { contextOf } from "../observation.ts";
import { found } from "../refusals.ts";
import { idParams, instantText } from "../wire.ts";
import { type ChangeOptionsBody, changeOptions, instantOf, optionsOf, unusedInput } from "./change-inputs.ts";
import { changePreviewRoute } from "./change-preview.ts";
import { agreementOn, overridesInput } from "./price-overrides.ts";
import { answerFor, planInput, ruleRefusals, seatsInput, subscriptionSchema, tags } from "./subscriptions.ts";

const changedSchema = z
  .object({
    subscription: subscriptionSchema,
    effective_at: instantText.describe("When the change takes effect."),
    invoice: z
      .string()
      .nullable()
      .describe(
        "Issued for it; null when nothing is owed or it goes on the invoice of the period about to close.",
      ),
  })
  .meta({ id: "SubscriptionChanged" });

const stateRefusals = [
  "subscription_not_found",
  "subscription_canceled",
  "subscription_paused",
  "change_quote_outdated",
  "subscription_canceling",
];

/** Commands that change a subscription. Each is validated before it is accepted, and done once. */
export function subscriptionChangeRoutes(api: ApiInstance, deps: ApiDependencies): void {
  const { subscriptions } = deps;
  change(api, deps, {
    path: "change-plan",
    summary: "Change the plan now",
    description:
      "The unused part of what was paid in advance is credited, the rest of the period is charged at the new plan, as that plan prorates. A plan of another interval begins a new period, or keeps the anchor.",
    refusals: [...stateRefusals, ...ruleRefusals],
    body: z.strictObject({
      plan: planInput,
      seats: seatsInput.optional(),
      overrides: overridesInput,
      ...changeOptions,
    }),
    send: async (command, { plan, seats, overrides }, context) => {
      const wanted = { planKey: plan, ...(await agreementOn(deps, overrides)) };
      return await subscriptions.changePlan({ ...command, ...wanted, seats }, context);
    },
  });
  change(api, deps, {
    path: "change-quantity",
    summary: "Change the number of seats now",
    description: "Prorated as a change of plan is; the plan's version stays.",
    refusals: stateRefusals,
    body: z.strictObject({ seats: seatsInput, ...changeOptions }),
    send: (command, { seats }, context) => subscriptions.changeQuantity({ ...command, seats }, context),
  });
  change(api, deps, {
    path: "add-ons",
    summary: "Add an add-on now",
    description: "Another plan beside the one subscribed to, with the same interval and currency.",
    refusals: [...stateRefusals, ...ruleRefusals],
    body: z.strictObject({
      plan: planInput,
      seats: seatsInput.default(1),
      overrides: overridesInput,
      ...changeOptions,
    }),
    send: async (command, { plan, seats, overrides }, context) => {
      const wanted = { planKey: plan, ...(await agreementOn(deps, overrides)) };
      return await subscriptions.addAddOn({ ...command, ...wanted, seats }, context);
    },
  });
  endingRoutes(api, deps);
  changePreviewRoute(api, deps);
}

/** The commands after which less is charged, or nothing. */
function endingRoutes(api: ApiInstance, deps: ApiDependencies): void {
  const { subscriptions } = deps;
  change(api, deps, {
    path: "cancel",
    summary: "Cancel",
    description:
      "At the end of the period in course, or now: then the unused part of what was paid in advance is credited, or not. Either way a last invoice bills the usage.",
    refusals: [
      "subscription_not_found",
      "subscription_canceled",
      "subscription_already_canceling",
      "change_quote_outdated",
      "refund_unavailable",
    ],
    body: z.strictObject({
      when: z.enum(["now", "period_end"]),
      unused: unusedInput.default("credit"),
      preview: changeOptions.preview,
    }),
    send: async (command, { when, unused }, context) => {
      if (unused === "refund") throw new RefundUnavailableError();
      return await subscriptions.cancel({ ...command, when, unused }, context);
    },
  });
  change(api, deps, {
    path: "pause",
    summary: "Pause now",
    description:
      "The unused part of what was charged in advance is credited, and nothing is charged in advance until it is resumed. Usage goes on being billed.",
    refusals: stateRefusals,
    body: z.strictObject(changeOptions),
    send: (command, _body, context) => subscriptions.pause(command, context),
  });
  change(api, deps, {
    path: "resume",
    summary: "Resume now",
    description: "The rest of the period in course is charged.",
    refusals: [
      "subscription_not_found",
      "subscription_canceled",
      "subscription_not_paused",
      "change_quote_outdated",
    ],
    body: z.strictObject(changeOptions),
    send: (command, _body, context) => subscriptions.resume(command, context),
  });
}

interface Change<Body extends z.ZodObject> {
  readonly path: string;
  readonly summary: string;
  readonly description: string;
  readonly refusals: readonly string[];
  readonly body: Body;
  send(
    command: SubscriptionChangeCommand,
    body: z.output<Body>,
    context: CommandContext,
  ): Promise<SubscriptionChanged>;
}

function change<Body extends z.ZodObject>(
  api: ApiInstance,
  deps: ApiDependencies,
  { path, refusals, body, send, ...texts }: Change<Body>,
): void {
  api.post(
    `/v1/subscriptions/:id/${path}`,
    {
      config: { scope: "write", refusals },
      schema: { tags, ...texts, params: idParams, body, response: { 200: changedSchema } },
    },
    async (request, reply) => {
      const { id } = request.params as z.output<typeof idParams>;
      const { customerId } = found(await findSubscription(deps.db.orm, id), "subscription", id);
      const body = request.body as z.output<Body> & ChangeOptionsBody;
      const at = instantOf(body, await timeOfCustomer(deps, customerId));
      const options = optionsOf(body);
      const command = { subscriptionId: id, requestId: newId(request, "chg"), at, options };
      const changed = await send(command, body, contextOf(request));
      const subscription = await answerFor(deps, id);
      return reply.send({ subscription, effective_at: changed.effectiveAt, invoice: changed.invoiceId });
    },
  );
}

import { z } from "zod";
import type { ApiInstance } from "../api-instance.ts";
import { timeOfSubscriber } from "../customer-time.ts";
import type {
  ApiDependencies,
  CommandContext,
  SubscriptionChangeCommand,
  SubscriptionChanged,
} from "../dependencies.ts";
import { newId } from "../idempotency.ts";
import { contextOf } from "../observation.ts";
import { idParams, instantText } from "../wire.ts";
import {
  type ChangeOptionsBody,
  changeOptions,
  instantOf,
  optionsOf,
  unusedInput,
  whenInput,
  whenOf,
} from "./change-inputs.ts";
import { outcomeAnswer, outcomeSchema } from "./change-outcome.ts";
import { changePreviewRoute } from "./change-preview.ts";
import { pauseInputs, pauseOf } from "./pause-inputs.ts";
import { agreementOn, overridesInput } from "./price-overrides.ts";
import { scheduledChangeRoutes } from "./scheduled-changes.ts";
import {
  answerOf,
  planInput,
  ruleRefusals,
  seatsInput,
  shownFor,
  subscriptionSchema,
  tags,
} from "./subscriptions.ts";

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
    scheduled: z
      .string()
      .nullable()
      .describe("The id of a change that is made later: it is listed under it, and withdrawn by it."),
    outcome: outcomeSchema.nullable().describe("Null of what is made later."),
  })
  .meta({ id: "SubscriptionChanged" });

const stateRefusals = [
  "subscription_not_found",
  "subscription_canceled",
  "subscription_paused",
  "change_quote_outdated",
  "subscription_canceling",
  "subscription_incomplete",
  "subscription_incomplete_expired",
  "subscription_change_backdated",
  "scheduled_change_not_ahead",
  "scheduled_change_too_far_ahead",
  "scheduled_change_after_end",
  "too_many_scheduled_changes",
];

/** Commands that change a subscription. Each is validated before it is accepted, and done once. */
export function subscriptionChangeRoutes(api: ApiInstance, deps: ApiDependencies): void {
  const { subscriptions } = deps;
  change(api, deps, {
    path: "change-plan",
    summary: "Change the plan, now or later",
    description:
      "The unused part of what was paid in advance is credited, the rest of the period is charged at the new plan, as that plan prorates. A plan of another interval begins a new period, or keeps the anchor.",
    refusals: [...stateRefusals, ...ruleRefusals],
    body: z.strictObject({
      plan: planInput,
      seats: seatsInput.optional(),
      overrides: overridesInput,
      when: whenInput.optional(),
      ...changeOptions,
    }),
    send: async (command, { plan, seats, overrides }, context) => {
      const wanted = { planKey: plan, ...(await agreementOn(deps, overrides)) };
      return await subscriptions.changePlan({ ...command, ...wanted, seats }, context);
    },
  });
  change(api, deps, {
    path: "change-quantity",
    summary: "Change the number of seats, now or later",
    description: "Prorated as a change of plan is; the plan's version stays.",
    refusals: stateRefusals,
    body: z.strictObject({ seats: seatsInput, when: whenInput.optional(), ...changeOptions }),
    send: (command, { seats }, context) => subscriptions.changeQuantity({ ...command, seats }, context),
  });
  change(api, deps, {
    path: "add-ons",
    summary: "Add an add-on, now or later",
    description: "Another plan beside the one subscribed to, with the same interval and currency.",
    refusals: [...stateRefusals, ...ruleRefusals],
    body: z.strictObject({
      plan: planInput,
      seats: seatsInput.default(1),
      overrides: overridesInput,
      when: whenInput.optional(),
      ...changeOptions,
    }),
    send: async (command, { plan, seats, overrides }, context) => {
      const wanted = { planKey: plan, ...(await agreementOn(deps, overrides)) };
      return await subscriptions.addAddOn({ ...command, ...wanted, seats }, context);
    },
  });
  change(api, deps, {
    path: "remove-add-on",
    summary: "Remove an add-on, now or later",
    description: "The unused part of what was paid for it in advance is credited, as its plan prorates.",
    refusals: [...stateRefusals, "add_on_not_found", "plan_required"],
    body: z.strictObject({ plan: planInput, when: whenInput.optional(), ...changeOptions }),
    send: (command, { plan }, context) => subscriptions.removeAddOn({ ...command, planKey: plan }, context),
  });
  change(api, deps, {
    path: "end-trial",
    summary: "End the trial now",
    description: "What is paid begins at once, with a period of its own, charged in full.",
    refusals: [...stateRefusals, "subscription_not_trialing"],
    body: z.strictObject({ preview: changeOptions.preview }),
    send: (command, _body, context) => subscriptions.endTrial(command, context),
  });
  endingRoutes(api, deps);
  pauseRoutes(api, deps);
  scheduledChangeRoutes(api, deps);
  changePreviewRoute(api, deps);
}

function endingRoutes(api: ApiInstance, deps: ApiDependencies): void {
  const { subscriptions } = deps;
  change(api, deps, {
    path: "cancel",
    summary: "Cancel",
    description:
      "At the end of the period in course, at a date, or now: inside a period the unused part of what was paid in advance is credited, paid back, or kept. Either way a last invoice bills the usage. Until an agreed end has come it can be taken back.",
    refusals: [
      "subscription_not_found",
      "subscription_canceled",
      "subscription_already_canceling",
      "change_quote_outdated",
    ],
    body: z.strictObject({
      when: whenInput,
      unused: unusedInput.default("credit"),
      preview: changeOptions.preview,
    }),
    send: (command, { when, unused }, context) =>
      subscriptions.cancel({ ...command, when: "now", ...whenOf(when), unused }, context),
  });
}

function pauseRoutes(api: ApiInstance, deps: ApiDependencies): void {
  const { subscriptions } = deps;
  change(api, deps, {
    path: "pause",
    summary: "Pause, now or later",
    description:
      "The unused part of what was charged in advance is credited, and nothing is charged in advance until it is resumed, which may have a date. Usage goes on being billed, or is refused: then it is metered and not charged.",
    refusals: [...stateRefusals, "subscription_trialing"],
    body: z.strictObject({ ...pauseInputs, when: whenInput.optional(), ...changeOptions }),
    send: (command, body, context) =>
      subscriptions.pause({ ...command, pause: pauseOf(body, command) }, context),
  });
  change(api, deps, {
    path: "resume",
    summary: "Resume, now or later",
    description: "The rest of the period in course is charged.",
    refusals: [
      "subscription_not_found",
      "subscription_canceled",
      "subscription_not_paused",
      "change_quote_outdated",
    ],
    body: z.strictObject({ when: whenInput.optional(), ...changeOptions }),
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
      const body = request.body as z.output<Body> & ChangeOptionsBody;
      const at = instantOf(body, await timeOfSubscriber(deps, id));
      const options = optionsOf(body);
      const requestId = newId(request, "chg");
      const command = { subscriptionId: id, requestId, at, options, ...whenOf(body.when) };
      const changed = await send(command, body, contextOf(request));
      const { effectiveAt, invoiceId, scheduled = null } = changed;
      const shown = await shownFor(deps, id, scheduled === null ? requestId : undefined);
      return reply.send({
        subscription: await answerOf(deps, shown),
        effective_at: effectiveAt,
        invoice: invoiceId,
        scheduled,
        outcome: outcomeAnswer(shown),
      });
    },
  );
}

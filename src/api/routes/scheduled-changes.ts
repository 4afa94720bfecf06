import { z } from "zod";
import { type ListedChange, listScheduled } from "../../db/billing/scheduled-changes.ts";
import { findSubscription } from "../../db/billing/subscriptions.ts";
import { isoOf } from "../../domain/calendar/index.ts";
import type { ApiInstance } from "../api-instance.ts";
import { timeOfSubscriber } from "../customer-time.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { newId } from "../idempotency.ts";
import { contextOf } from "../observation.ts";
import { found } from "../refusals.ts";
import { idParams, instantText } from "../wire.ts";
import { answerFor, subscriptionSchema, tags } from "./subscriptions.ts";

const scheduledSchema = z
  .object({
    id: z.string(),
    kind: z.string(),
    effective_at: instantText.describe("When it is made, in order with the ends of periods."),
    request: z.record(z.string(), z.unknown()).describe("What was asked for."),
    cause: z
      .enum(["requested", "trial", "pause"])
      .describe("Asked for, or agreed with a trial, which ends, or with a pause that has an end."),
    requested_at: instantText,
    status: z
      .enum(["pending", "applied", "withdrawn", "superseded", "refused"])
      .describe(
        "superseded: something came first. refused: the rules did not allow it when its time had come; the reason says why.",
      ),
    resolved_at: instantText.nullable(),
    reason: z.object({ code: z.string(), message: z.string() }).nullable(),
  })
  .meta({ id: "ScheduledChange" });

const changeParams = z.object({
  id: idParams.shape.id,
  change: z
    .string()
    .min(1)
    .max(200)
    .describe("As it was told when the change was asked for; slashes encoded."),
});

/** What was agreed for later: seen, and taken back. */
export function scheduledChangeRoutes(api: ApiInstance, deps: ApiDependencies): void {
  api.get(
    "/v1/subscriptions/:id/scheduled-changes",
    {
      config: { scope: "read", refusals: ["subscription_not_found"] },
      schema: {
        tags,
        summary: "What was agreed for later, and what became of it",
        params: idParams,
        response: { 200: z.object({ data: z.array(scheduledSchema) }) },
      },
    },
    async ({ params: { id } }) => {
      found(await findSubscription(deps.db.orm, id), "subscription", id);
      return { data: (await listScheduled(deps.db.orm, id)).map(scheduledAnswer) };
    },
  );
  api.delete(
    "/v1/subscriptions/:id/scheduled-changes/:change",
    {
      config: {
        scope: "write",
        refusals: [
          "subscription_not_found",
          "scheduled_change_not_found",
          "scheduled_change_resolved",
          "scheduled_change_fixed",
          "subscription_canceled",
        ],
      },
      schema: {
        tags,
        summary: "Withdraw what was agreed for later",
        description: "An agreed end among it: then the subscription goes on.",
        params: changeParams,
        response: { 200: subscriptionSchema },
      },
    },
    async (request) => {
      const { id, change: changeId } = request.params;
      // Withdrawn once it stays so: the request needs no key of its own.
      const command = { ...(await commandNow(deps, id)), requestId: `withdraw/${changeId}`, changeId };
      await deps.subscriptions.withdrawScheduled(command, contextOf(request));
      return await answerFor(deps, id);
    },
  );
  api.post(
    "/v1/subscriptions/:id/uncancel",
    {
      config: {
        scope: "write",
        refusals: ["subscription_not_found", "subscription_canceled", "subscription_not_canceling"],
      },
      schema: {
        tags,
        summary: "Take back an agreed end",
        params: idParams,
        body: z.strictObject({}),
        response: { 200: subscriptionSchema },
      },
    },
    async (request) => {
      const { id } = request.params;
      const command = { ...(await commandNow(deps, id)), requestId: newId(request, "chg") };
      await deps.subscriptions.uncancel(command, contextOf(request));
      return await answerFor(deps, id);
    },
  );
}

async function commandNow(deps: ApiDependencies, id: string) {
  return { subscriptionId: id, at: await timeOfSubscriber(deps, id) };
}

function scheduledAnswer(change: ListedChange): z.infer<typeof scheduledSchema> {
  const { resolution } = change;
  return {
    id: change.changeId,
    kind: change.kind,
    effective_at: isoOf(change.effectiveAt),
    request: change.request as Record<string, unknown>,
    cause: change.cause,
    requested_at: isoOf(change.requestedAt),
    status: resolution?.outcome ?? "pending",
    resolved_at: resolution === null ? null : isoOf(resolution.resolvedAt),
    reason: resolution?.code == null ? null : { code: resolution.code, message: resolution.message ?? "" },
  };
}

import { z } from "zod";
import { findAdjustment } from "../../db/ledger/adjustments.ts";
import type { ApiInstance } from "../api-instance.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { contextOf } from "../observation.ts";
import { found } from "../refusals.ts";
import { idParams, textInput } from "../wire.ts";
import { adjustmentAnswer, adjustmentSchema } from "./adjustment-schemas.ts";
import type { DecisionRoute } from "./decisions-wire.ts";

const note = textInput(500).describe("For the record.");

const tags = ["Adjustments"];
const refusals = ["adjustment_not_found", "adjustment_not_pending"];

/** Decisions about adjustments that wait. The first one counts, for good. */
export function approvalRoutes(api: ApiInstance, deps: ApiDependencies): void {
  decision(api, deps, {
    path: "approve",
    outcome: "approved",
    scope: "approve",
    summary: "Agree to an adjustment, which executes it",
    description:
      "By another key than the one that asked for it. When the money is not there any more it is refused, and the adjustment goes on waiting.",
    refusals: [
      ...refusals,
      "approver_is_requester",
      "credit_grant_changed",
      "credit_grant_expired",
      "credit_grant_insufficient",
      "credit_grant_reserved",
      "credit_grant_used_up",
      "credit_grant_voided",
      "customer_balance_insufficient",
    ],
    body: z.strictObject({ note: note.optional() }),
  });
  decision(api, deps, {
    path: "reject",
    outcome: "rejected",
    scope: "approve",
    summary: "Refuse an adjustment",
    description: "By another key than the one that asked for it. Nothing is ever booked for it.",
    refusals: [...refusals, "approver_is_requester"],
    body: z.strictObject({ note }),
  });
  decision(api, deps, {
    path: "withdraw",
    outcome: "withdrawn",
    scope: "write",
    summary: "Take back one's own request for an adjustment",
    description: "By the key that asked for it, as long as nobody has decided.",
    refusals: [...refusals, "requester_only"],
    body: z.strictObject({ note: note.optional() }),
  });
}

function decision(
  api: ApiInstance,
  deps: ApiDependencies,
  { path, outcome, scope, refusals, body, ...texts }: DecisionRoute,
): void {
  api.post(
    `/v1/adjustments/:id/${path}`,
    {
      config: { scope, refusals },
      schema: { tags, ...texts, params: idParams, body, response: { 200: adjustmentSchema } },
    },
    async (request) => {
      const { id } = request.params;
      const { note = null } = request.body;
      await deps.adjustments.decide({ adjustmentId: id, outcome, note }, contextOf(request));
      return adjustmentAnswer(found(await findAdjustment(deps.db.orm, id), "adjustment", id));
    },
  );
}

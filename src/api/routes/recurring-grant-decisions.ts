import { z } from "zod";
import { findRecurring } from "../../db/billing/recurring-grants.ts";
import type { ApiInstance } from "../api-instance.ts";
import { timeOfCustomer } from "../customer-time.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { contextOf } from "../observation.ts";
import { found } from "../refusals.ts";
import { idParams, textInput } from "../wire.ts";
import type { DecisionRoute } from "./decisions-wire.ts";
import { recurringGrantAnswer, recurringGrantSchema } from "./recurring-grant-schemas.ts";

const note = textInput(500).describe("For the record.");
const refusals = ["recurring_grant_not_found", "recurring_grant_not_pending"];

const decisions: readonly DecisionRoute[] = [
  {
    path: "approve",
    outcome: "approved",
    scope: "approve",
    summary: "Agree to credit that is given again and again",
    description:
      "By another key than the one that asked for it. A time that is over by then is not given any more; the one that has begun is.",
    refusals: [...refusals, "approver_is_requester"],
    body: z.strictObject({ note: note.optional() }),
  },
  {
    path: "reject",
    outcome: "rejected",
    scope: "approve",
    summary: "Refuse credit that would be given again and again",
    description: "By another key than the one that asked for it. It is never given.",
    refusals: [...refusals, "approver_is_requester"],
    body: z.strictObject({ note }),
  },
  {
    path: "withdraw",
    outcome: "withdrawn",
    scope: "write",
    summary: "Take back one's own request for credit again and again",
    description: "By the key that asked for it, as long as nobody has decided.",
    refusals: [...refusals, "requester_only"],
    body: z.strictObject({ note: note.optional() }),
  },
];

/** Decisions about recurring grants that wait. The first one counts, for good. */
export function recurringGrantDecisionRoutes(api: ApiInstance, deps: ApiDependencies): void {
  for (const { path, outcome, scope, refusals: refused, body, ...texts } of decisions) {
    api.post(
      `/v1/recurring-credit-grants/:id/${path}`,
      {
        config: { scope, refusals: refused },
        schema: {
          tags: ["Credits"],
          ...texts,
          params: idParams,
          body,
          response: { 200: recurringGrantSchema },
        },
      },
      async (request) => {
        const { id } = request.params;
        const { note: said = null } = request.body;
        await deps.recurringGrants.decide({ recurringGrantId: id, outcome, note: said }, contextOf(request));
        const stored = found(await findRecurring(deps.db.orm, id), "recurring_grant", id);
        return recurringGrantAnswer(stored, await timeOfCustomer(deps, stored.customerId));
      },
    );
  }
}

import { findRecurring } from "../../db/billing/recurring-grants.ts";
import type { ApiInstance } from "../api-instance.ts";
import { timeOfCustomer } from "../customer-time.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { found } from "../refusals.ts";
import { decisionRoutes } from "./decision-routes.ts";
import { recurringGrantAnswer, recurringGrantSchema } from "./recurring-grant-schemas.ts";

/** Decisions about recurring grants that wait. */
export function recurringGrantDecisionRoutes(api: ApiInstance, deps: ApiDependencies): void {
  decisionRoutes(api, {
    path: "/v1/recurring-credit-grants",
    tags: ["Credits"],
    resource: "recurring_grant",
    approve: {
      summary: "Agree to credit that is given again and again",
      description:
        "By another key than the one that asked for it. A time that is over by then is not given any more; the one that has begun is.",
    },
    reject: {
      summary: "Refuse credit that would be given again and again",
      description: "By another key than the one that asked for it. It is never given.",
    },
    withdraw: { summary: "Take back one's own request for credit again and again" },
    response: recurringGrantSchema,
    decide: ({ id: recurringGrantId, ...decision }, context) =>
      deps.recurringGrants.decide({ recurringGrantId, ...decision }, context),
    async answer(id) {
      const stored = found(await findRecurring(deps.db.orm, id), "recurring_grant", id);
      return recurringGrantAnswer(stored, await timeOfCustomer(deps, stored.customerId));
    },
  });
}

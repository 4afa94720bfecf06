import { findAdjustment } from "../../db/ledger/adjustments.ts";
import type { ApiInstance } from "../api-instance.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { found } from "../refusals.ts";
import { adjustmentAnswer, adjustmentSchema } from "./adjustment-schemas.ts";
import { decisionRoutes } from "./decision-routes.ts";

/** Decisions about adjustments that wait. */
export function approvalRoutes(api: ApiInstance, { db, adjustments }: ApiDependencies): void {
  decisionRoutes(api, {
    path: "/v1/adjustments",
    tags: ["Adjustments"],
    resource: "adjustment",
    approve: {
      summary: "Agree to an adjustment, which executes it",
      description:
        "By another key than the one that asked for it. When the money is not there any more it is refused, and the adjustment goes on waiting.",
      refusals: [
        "credit_grant_changed",
        "credit_grant_expired",
        "credit_grant_insufficient",
        "credit_grant_reserved",
        "credit_grant_used_up",
        "credit_grant_voided",
        "customer_balance_insufficient",
      ],
    },
    reject: {
      summary: "Refuse an adjustment",
      description: "By another key than the one that asked for it. Nothing is ever booked for it.",
    },
    withdraw: { summary: "Take back one's own request for an adjustment" },
    response: adjustmentSchema,
    decide: ({ id: adjustmentId, ...decision }, context) =>
      adjustments.decide({ adjustmentId, ...decision }, context),
    answer: async (id) => adjustmentAnswer(found(await findAdjustment(db.orm, id), "adjustment", id)),
  });
}

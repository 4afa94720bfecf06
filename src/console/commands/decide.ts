import type { ReckonerClient } from "../../sdk/index.ts";
import type { CommandHeader } from "./use-command.ts";

/** What waits for a second person. */
export type WaitingKind = "adjustment" | "recurring_grant" | "credit_note" | "usage_correction";

export type Decision = "approve" | "reject" | "withdraw";

interface DecisionRequest {
  readonly params: { readonly path: { readonly id: string }; readonly header: CommandHeader };
  readonly body: { readonly note?: string };
}

type Decide = (reckoner: ReckonerClient, request: DecisionRequest) => Promise<unknown>;

/** Refusing takes words; the API says so where they are missing. */
const refusing = (request: DecisionRequest) => ({ ...request, body: { note: request.body.note ?? "" } });

/** How the API is asked, by what waits and what is decided. */
export const deciders: Readonly<Record<WaitingKind, Readonly<Record<Decision, Decide>>>> = {
  adjustment: {
    approve: (reckoner, request) => reckoner.post("/v1/adjustments/{id}/approve", request),
    reject: (reckoner, request) => reckoner.post("/v1/adjustments/{id}/reject", refusing(request)),
    withdraw: (reckoner, request) => reckoner.post("/v1/adjustments/{id}/withdraw", request),
  },
  recurring_grant: {
    approve: (reckoner, request) => reckoner.post("/v1/recurring-credit-grants/{id}/approve", request),
    reject: (reckoner, request) =>
      reckoner.post("/v1/recurring-credit-grants/{id}/reject", refusing(request)),
    withdraw: (reckoner, request) => reckoner.post("/v1/recurring-credit-grants/{id}/withdraw", request),
  },
  credit_note: {
    approve: (reckoner, request) => reckoner.post("/v1/credit-notes/{id}/approve", request),
    reject: (reckoner, request) => reckoner.post("/v1/credit-notes/{id}/reject", refusing(request)),
    withdraw: (reckoner, request) => reckoner.post("/v1/credit-notes/{id}/withdraw", request),
  },
  usage_correction: {
    approve: (reckoner, request) => reckoner.post("/v1/usage/corrections/{id}/approve", request),
    reject: (reckoner, request) => reckoner.post("/v1/usage/corrections/{id}/reject", refusing(request)),
    withdraw: (reckoner, request) => reckoner.post("/v1/usage/corrections/{id}/withdraw", request),
  },
};

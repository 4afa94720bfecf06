import { findCreditNote } from "../../db/billing/credit-notes.ts";
import type { ApiInstance } from "../api-instance.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { found } from "../refusals.ts";
import { creditNoteSchema } from "./credit-note-schemas.ts";
import { answerOf, creditNoteRefusals } from "./credit-notes.ts";
import { decisionRoutes } from "./decision-routes.ts";

/** Decisions about credit notes that wait. */
export function creditNoteApprovalRoutes(api: ApiInstance, { db, creditNotes }: ApiDependencies): void {
  decisionRoutes(api, {
    path: "/v1/credit-notes",
    tags: ["Credit notes"],
    resource: "credit_note",
    approve: {
      summary: "Agree to a credit note, which issues it",
      description:
        "By another key than the one that asked for it. When less is left by now it is refused, and the note goes on waiting.",
      refusals: creditNoteRefusals,
    },
    reject: {
      summary: "Refuse a credit note",
      description:
        "By another key than the one that asked for it. It never gets a number, and nothing is booked.",
    },
    withdraw: { summary: "Take back one's own request for a credit note" },
    response: creditNoteSchema,
    decide: ({ id: creditNoteId, ...decision }, context) =>
      creditNotes.decide({ creditNoteId, ...decision }, context),
    answer: async (id) => answerOf(db.orm, found(await findCreditNote(db.orm, id), "credit_note", id)),
  });
}

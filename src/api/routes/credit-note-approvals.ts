import { z } from "zod";
import { findCreditNote } from "../../db/billing/credit-notes.ts";
import type { ApiInstance } from "../api-instance.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { contextOf } from "../observation.ts";
import { found } from "../refusals.ts";
import { idParams, textInput } from "../wire.ts";
import { creditNoteSchema } from "./credit-note-schemas.ts";
import { answerOf, creditNoteRefusals } from "./credit-notes.ts";
import type { DecisionRoute } from "./decisions-wire.ts";

const note = textInput(500).describe("For the record.");
const refusals = ["credit_note_not_found", "credit_note_not_pending"];

/** Decisions about credit notes that wait. The first one counts, for good. */
export function creditNoteApprovalRoutes(api: ApiInstance, deps: ApiDependencies): void {
  decision(api, deps, {
    path: "approve",
    outcome: "approved",
    scope: "approve",
    summary: "Agree to a credit note, which issues it",
    description:
      "By another key than the one that asked for it. When less is left by now it is refused, and the note goes on waiting.",
    refusals: [...refusals, "approver_is_requester", ...creditNoteRefusals],
    body: z.strictObject({ note: note.optional() }),
  });
  decision(api, deps, {
    path: "reject",
    outcome: "rejected",
    scope: "approve",
    summary: "Refuse a credit note",
    description:
      "By another key than the one that asked for it. It never gets a number, and nothing is booked.",
    refusals: [...refusals, "approver_is_requester"],
    body: z.strictObject({ note }),
  });
  decision(api, deps, {
    path: "withdraw",
    outcome: "withdrawn",
    scope: "write",
    summary: "Take back one's own request for a credit note",
    description: "By the key that asked for it, as long as nobody has decided.",
    refusals: [...refusals, "requester_only"],
    body: z.strictObject({ note: note.optional() }),
  });
}

function decision(
  api: ApiInstance,
  deps: ApiDependencies,
  { path, outcome, scope, refusals: codes, body, ...texts }: DecisionRoute,
): void {
  api.post(
    `/v1/credit-notes/:id/${path}`,
    {
      config: { scope, refusals: codes },
      schema: {
        tags: ["Credit notes"],
        ...texts,
        params: idParams,
        body,
        response: { 200: creditNoteSchema },
      },
    },
    async (request) => {
      const { id } = request.params;
      const { note: said = null } = request.body;
      await deps.creditNotes.decide({ creditNoteId: id, outcome, note: said }, contextOf(request));
      return await answerOf(deps.db.orm, found(await findCreditNote(deps.db.orm, id), "credit_note", id));
    },
  );
}

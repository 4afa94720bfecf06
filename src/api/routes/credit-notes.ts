import { z } from "zod";
import {
  findCreditNote,
  linesOfCreditNote,
  listCreditNotes,
  type StoredCreditNote,
} from "../../db/billing/credit-notes.ts";
import { findInvoice } from "../../db/billing/invoices.ts";
import type { Tx } from "../../db/database.ts";
import { money } from "../../domain/money/index.ts";
import type { ApiInstance } from "../api-instance.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { newId } from "../idempotency.ts";
import { contextOf } from "../observation.ts";
import { listAnswer, listOf, newestFirst, pageQuery, pageRequest } from "../pagination.ts";
import { found } from "../refusals.ts";
import { idInput, idParams, positiveMinorInput } from "../wire.ts";
import { otherIsExplained, reasonFields } from "./adjustment-schemas.ts";
import { creditNoteAnswer, creditNoteSchema, creditNoteStatus } from "./credit-note-schemas.ts";

const tags = ["Credit notes"];

const creditNoteInput = z
  .strictObject({
    lines: z
      .array(z.strictObject({ line: z.int().min(1), amount_minor: positiveMinorInput }))
      .min(1)
      .max(250)
      .refine((lines) => new Set(lines.map(({ line }) => line)).size === lines.length, {
        error: "must name each line once",
      }),
    destination: z
      .enum(["balance", "refund"])
      .default("balance")
      .describe(
        "Where what is paid already goes. `refund`: back to where it came from; what was paid from the customer's balance, or " +
          "cannot be sent back, goes there.",
      ),
    ...reasonFields,
  })
  .superRefine(otherIsExplained);

export const creditNoteRefusals = [
  "invoice_not_creditable",
  "credit_purchase_not_creditable",
  "credit_grant_insufficient",
  "invoice_line_not_found",
  "credit_note_exceeds_line",
  "credit_note_exceeds_invoice",
  "nothing_to_refund",
  "payment_disputed",
];

/** An invoice that turned out too high is lowered by notes that refer to it; it stays as it was issued. */
export function creditNoteRoutes(api: ApiInstance, deps: ApiDependencies): void {
  requestNote(api, deps);
  listNotes(api, deps);
  getNote(api, deps);
}

function requestNote(api: ApiInstance, deps: ApiDependencies): void {
  api.post(
    "/v1/invoices/:id/credit-notes",
    {
      config: { scope: "write", refusals: ["invoice_not_found", ...creditNoteRefusals] },
      schema: {
        tags,
        summary: "Credit lines of an invoice, by parts or wholly",
        description:
          "Of an open invoice it lowers what is due; of a paid one it goes to the customer's balance, or back to the card. Never more than is left of a " +
          "line. Tax that the lines bear goes back with them, by its share, unless its own line is named. Issued at once (201), or, above the limit, when another key approves it (202).",
        params: idParams,
        body: creditNoteInput,
        response: { 201: creditNoteSchema, 202: creditNoteSchema },
      },
    },
    async (request, reply) => {
      const { id: invoiceId } = request.params;
      const { lines, destination, reason_code: reasonCode, reason = null } = request.body;
      const { currency } = found(await findInvoice(deps.db.orm, invoiceId), "invoice", invoiceId);
      const id = newId(request, "cn");
      const asked = lines.map(({ line, amount_minor: amount }) => ({
        line,
        amount: money(amount, currency),
      }));
      const wanted = { id, invoiceId, lines: asked, destination, reasonCode, reason };
      await deps.creditNotes.request(wanted, contextOf(request));
      const note = found(await findCreditNote(deps.db.orm, id), "credit_note", id);
      return reply.code(note.status === "issued" ? 201 : 202).send(await answerOf(deps.db.orm, note));
    },
  );
}

const notesQuery = pageQuery.extend({
  invoice: idInput.optional(),
  customer: idInput.optional(),
  status: creditNoteStatus.optional(),
});

function listNotes(api: ApiInstance, { db }: ApiDependencies): void {
  api.get(
    "/v1/credit-notes",
    {
      config: { scope: "read", refusals: ["cursor_invalid"] },
      schema: {
        tags,
        summary: "List credit notes, the newest first",
        querystring: notesQuery,
        response: { 200: listOf(creditNoteSchema) },
      },
    },
    async ({ query }) => {
      const { invoice: invoiceId, customer: customerId, status } = query;
      const filter = { invoiceId, customerId, status };
      const page = await listCreditNotes(db.orm, filter, pageRequest(query, newestFirst));
      const answers = new Map<string, Awaited<ReturnType<typeof answerOf>>>();
      for (const note of page.items) answers.set(note.id, await answerOf(db.orm, note));
      return listAnswer(page, newestFirst, (note) => answers.get(note.id) ?? creditNoteAnswer(note, []));
    },
  );
}

function getNote(api: ApiInstance, { db }: ApiDependencies): void {
  api.get(
    "/v1/credit-notes/:id",
    {
      config: { scope: "read", refusals: ["credit_note_not_found"] },
      schema: {
        tags,
        summary: "A credit note with its lines and its decision",
        params: idParams,
        response: { 200: creditNoteSchema },
      },
    },
    async ({ params: { id } }) =>
      answerOf(db.orm, found(await findCreditNote(db.orm, id), "credit_note", id)),
  );
}

export async function answerOf(tx: Tx, note: StoredCreditNote): Promise<z.infer<typeof creditNoteSchema>> {
  return creditNoteAnswer(note, await linesOfCreditNote(tx, note.id));
}

import {
  creditableInvoice,
  findCreditNote,
  insertCreditNote,
  insertCreditNoteDecision,
  insertCreditNoteRequest,
  linesOfCreditNote,
  type StoredCreditNote,
} from "../../db/billing/credit-notes.ts";
import { findInvoice, type StoredInvoice, updateInvoice } from "../../db/billing/invoices.ts";
import { lockCustomer } from "../../db/billing/subscriptions.ts";
import { inTransaction, type Tx } from "../../db/database.ts";
import { postEntries } from "../../db/ledger/ledger.ts";
import type { ApprovalLimits } from "../../domain/adjustments/index.ts";
import type { Instant } from "../../domain/calendar/index.ts";
import { invariant } from "../../domain/errors.ts";
import { type PlannedCreditNote, planCreditNote } from "../../domain/invoicing/index.ts";
import { creditNoteIssued } from "../../domain/ledger/index.ts";
import { currency, money } from "../../domain/money/index.ts";
import { actorOf } from "../authentication.ts";
import { timeOfCustomer } from "../customer-time.ts";
import type { ApiDependencies } from "../dependencies.ts";
import type { CreditNoteCommands } from "../invoice-dependencies.ts";
import { found } from "../refusals.ts";
import { requireDecidable } from "./require-decidable.ts";

/** Credit notes: issued at once where one person may decide, else when a second one agrees. */
export function creditNoteCommands(
  deps: Pick<ApiDependencies, "db" | "now"> & { readonly approvalLimits: ApprovalLimits },
): CreditNoteCommands {
  const { db, approvalLimits } = deps;
  return {
    async request({ id, invoiceId, lines, destination, ...reasons }, { apiKeyId }) {
      const { customerId } = found(await findInvoice(db.orm, invoiceId), "invoice", invoiceId);
      const at = await timeOfCustomer(deps, customerId);
      const actor = actorOf(apiKeyId);
      await inTransaction(db, async (tx) => {
        await lockCustomer(tx, customerId);
        // This very request again, from a process that died before it could answer.
        if ((await findCreditNote(tx, id)) !== undefined) return;
        const invoice = await lockedInvoice(tx, invoiceId);
        const planned = planCreditNote(await creditableInvoice(tx, invoice), lines, { destination });
        const approvalLimit = approvalLimits.get(currency(invoice.currency)) ?? null;
        const asked = { id, invoice, lines, total: planned.total, approvalLimit, ...reasons };
        const stored = await insertCreditNoteRequest(tx, { ...asked, requestedBy: actor, requestedAt: at });
        if (!stored.needsApproval) await issue(tx, stored, invoice, planned, { actor, at });
      });
    },

    async decide(decision, { apiKeyId }) {
      const decidedBy = actorOf(apiKeyId);
      const { creditNoteId: id } = decision;
      const { customerId } = found(await findCreditNote(db.orm, id), "credit_note", id);
      const at = await timeOfCustomer(deps, customerId);
      await inTransaction(db, async (tx) => {
        await lockCustomer(tx, customerId);
        const stored = found(await findCreditNote(tx, id), "credit_note", id);
        if (stored.outcome === decision.outcome && stored.decidedBy === decidedBy) return;
        requireDecidable("credit_note", stored, decision, decidedBy);
        const decided = { ...decision, decidedBy, decidedAt: at };
        if (decision.outcome !== "approved") return await insertCreditNoteDecision(tx, decided);
        const invoice = await lockedInvoice(tx, stored.invoiceId);
        const lines = (await linesOfCreditNote(tx, id)).map(({ line, amountMinor }) => ({
          line,
          amount: money(amountMinor, stored.currency),
        }));
        const planned = planCreditNote(await creditableInvoice(tx, invoice), lines, { isAsked: true });
        await insertCreditNoteDecision(tx, decided);
        await issue(tx, stored, invoice, planned, { actor: decidedBy, at });
      });
    },
  };
}

/** Read after its customer's lock was taken. */
async function lockedInvoice(tx: Tx, id: string): Promise<StoredInvoice> {
  return found(await findInvoice(tx, id), "invoice", id);
}

/** Numbers the note, lowers what is due, and books both, in the caller's transaction, which holds the customer's lock. */
async function issue(
  tx: Tx,
  note: StoredCreditNote,
  invoice: StoredInvoice,
  planned: PlannedCreditNote,
  { actor, at }: { readonly actor: string; readonly at: Instant },
): Promise<void> {
  const { total, lowersDue, toBalance } = planned;
  await insertCreditNote(tx, note, planned, { issuedBy: actor, issuedAt: at });
  const creditedMinor = invoice.creditedMinor + lowersDue.amountMinor;
  const isSettled =
    invoice.status === "open" && creditedMinor + invoice.amountPaidMinor >= invoice.totalMinor;
  await updateInvoice(tx, invoice.id, {
    creditedMinor,
    ...(isSettled ? { status: "paid" as const, paidAt: at } : {}),
  });
  const entry = creditNoteIssued({
    sourceKey: `credit-note/${note.id}/issued`,
    customerId: note.customerId,
    currency: total.currency,
    occurredAt: at,
    effectiveAt: at,
    creditNoteId: note.id,
    invoiceId: invoice.id,
    // Deferred revenue is recognised in full as its time passes: the allowance stands against it from now on.
    used: total,
    lowersDue,
    toBalance,
  });
  const [result] = await postEntries(tx, [entry], actor);
  invariant(result?.status === "created", `a credit note is booked once, but was: ${result?.status}`);
}

import { issueCreditNote } from "../../db/billing/credit-note-issue.ts";
import {
  creditableInvoice,
  findCreditNote,
  insertCreditNoteDecision,
  insertCreditNoteRequest,
  linesOfCreditNote,
} from "../../db/billing/credit-notes.ts";
import { findInvoice, type StoredInvoice } from "../../db/billing/invoices.ts";
import { refundsOf } from "../../db/billing/refunds.ts";
import { lockCustomer } from "../../db/billing/subscriptions.ts";
import { inTransaction, type Tx } from "../../db/database.ts";
import type { ApprovalLimits } from "../../domain/adjustments/index.ts";
import { linesOfRefund, planCreditNote, withTaxGivenBack } from "../../domain/invoicing/index.ts";
import { currency, money } from "../../domain/money/index.ts";
import type { TemporalGateway } from "../../temporal/gateway.ts";
import { timeOfCustomer } from "../customer-time.ts";
import type { ApiDependencies } from "../dependencies.ts";
import type { CreditNoteCommands } from "../invoice-dependencies.ts";
import { found } from "../refusals.ts";
import { clockReadingOf } from "./clock-reading.ts";
import { requireDecidable } from "./require-decidable.ts";

/** Credit notes: issued at once where one person may decide, else when a second one agrees. Their refunds are sent by runs. */
export function creditNoteCommands(
  deps: Pick<ApiDependencies, "db" | "now"> & { readonly approvalLimits: ApprovalLimits },
  gateway: Pick<TemporalGateway, "startRefund">,
): CreditNoteCommands {
  const { db, approvalLimits } = deps;
  /** Whoever dies before this, or cannot reach Temporal, leaves it to the worker that looks for refunds that were never sent. */
  const sendRefunds = async (creditNoteId: string, customerId: string) => {
    const clock = await clockReadingOf(db, customerId);
    for (const { id: refundId, invoiceId, state } of await refundsOf(db.orm, { creditNoteId })) {
      if (state === "requested") await gateway.startRefund({ refundId, customerId, invoiceId, clock });
    }
  };
  return {
    async request({ id, invoiceId, lines, destination, ...reasons }, { actor }) {
      const { customerId } = found(await findInvoice(db.orm, invoiceId), "invoice", invoiceId);
      const at = await timeOfCustomer(deps, customerId);
      await inTransaction(db, async (tx) => {
        await lockCustomer(tx, customerId);
        // This very request again, from a process that died before it could answer.
        if ((await findCreditNote(tx, id)) !== undefined) return;
        const invoice = await lockedInvoice(tx, invoiceId);
        const creditable = await creditableInvoice(tx, invoice);
        const named =
          "all" in lines ? linesOfRefund(creditable, lines.all) : withTaxGivenBack(creditable.lines, lines);
        const planned = planCreditNote(creditable, named, { destination });
        const approvalLimit = approvalLimits.get(currency(invoice.currency)) ?? null;
        const asked = {
          id,
          invoice,
          lines: named,
          total: planned.total,
          destination,
          approvalLimit,
          ...reasons,
        };
        const stored = await insertCreditNoteRequest(tx, { ...asked, requestedBy: actor, requestedAt: at });
        const issued = { actor, at };
        if (!stored.needsApproval) await issueCreditNote(tx, stored, invoice, planned, issued);
      });
      await sendRefunds(id, customerId);
    },

    async decide(decision, { actor: decidedBy }) {
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
        const { destination } = stored;
        const planned = planCreditNote(await creditableInvoice(tx, invoice), lines, {
          destination,
          isAsked: true,
        });
        await insertCreditNoteDecision(tx, decided);
        const issued = { actor: decidedBy, at };
        await issueCreditNote(tx, stored, invoice, planned, issued);
      });
      await sendRefunds(id, customerId);
    },
  };
}

/** Read after its customer's lock was taken. */
async function lockedInvoice(tx: Tx, id: string): Promise<StoredInvoice> {
  return found(await findInvoice(tx, id), "invoice", id);
}

import { z } from "zod";
import type { StoredCreditNote, StoredCreditNoteLine } from "../../db/billing/credit-notes.ts";
import { reasonCodes } from "../../domain/adjustments/index.ts";
import { isoOf } from "../../domain/calendar/index.ts";
import { exactOfLedgerAmount, ledgerAmount, ledgerAmountOfMoney, money } from "../../domain/money/index.ts";
import { currencyText, decimalText, instantText, isoOrNull, minorText } from "../wire.ts";
import { actorText, decisionSchema } from "./decisions-wire.ts";

export const creditNoteStatus = z.enum(["issued", "pending_approval", "approved", "rejected", "withdrawn"]);

export const creditNoteSchema = z
  .object({
    id: z.string(),
    number: z.string().nullable().describe("Without gaps in its series; null as long as it is not issued."),
    status: creditNoteStatus,
    invoice: z.string(),
    customer: z.string(),
    currency: currencyText,
    total_minor: minorText,
    lowers_due_minor: minorText
      .nullable()
      .describe("What was still due on the invoice, and is not any more."),
    to_balance_minor: minorText.nullable().describe("What was paid, and is in the customer's balance now."),
    to_refund_minor: minorText.nullable().describe("What was paid, and goes back: see its refunds."),
    destination: z.enum(["balance", "refund"]),
    lines: z.array(z.object({ line: z.int(), amount_minor: minorText })),
    reason_code: z.enum(reasonCodes),
    reason: z.string().nullable(),
    subscription: z
      .string()
      .nullable()
      .describe("Whose end it is for, where it gives unused time back: then nobody has to agree."),
    requested_by: actorText,
    requested_at: instantText,
    issued_by: actorText.nullable(),
    issued_at: instantText.nullable(),
    approval: z.object({
      limit_minor: minorText.nullable().describe("Null: in this currency somebody else must always agree."),
      counted_minor: decimalText.describe(
        "The total, with what the same key gave to the customer or took from him in the 24 hours before, by itself, of any kind.",
      ),
      needed: z.boolean(),
    }),
    decision: decisionSchema,
  })
  .meta({ id: "CreditNote" });

export function creditNoteAnswer(
  note: StoredCreditNote,
  lines: readonly StoredCreditNoteLine[],
): z.infer<typeof creditNoteSchema> {
  const { outcome, decidedBy, decidedAt } = note;
  const counted = ledgerAmount(
    ledgerAmountOfMoney(money(note.totalMinor, note.currency)) + note.unapprovedBefore,
  );
  return {
    id: note.id,
    number: note.number,
    status: note.status,
    invoice: note.invoiceId,
    customer: note.customerId,
    currency: note.currency,
    total_minor: note.totalMinor.toString(),
    lowers_due_minor: note.lowersDueMinor?.toString() ?? null,
    to_balance_minor: note.toBalanceMinor?.toString() ?? null,
    to_refund_minor: note.toRefundMinor?.toString() ?? null,
    destination: note.destination,
    lines: lines.map(({ line, amountMinor }) => ({ line, amount_minor: amountMinor.toString() })),
    reason_code: note.reasonCode,
    reason: note.reason,
    subscription: note.subscriptionId,
    requested_by: note.requestedBy,
    requested_at: isoOf(note.requestedAt),
    issued_by: note.issuedBy,
    issued_at: isoOrNull(note.issuedAt),
    approval: {
      limit_minor: note.approvalLimitMinor?.toString() ?? null,
      counted_minor: exactOfLedgerAmount(counted).text,
      needed: note.needsApproval,
    },
    decision:
      outcome === null || decidedBy === null || decidedAt === null
        ? null
        : { outcome, decided_by: decidedBy, decided_at: isoOf(decidedAt), note: note.note },
  };
}

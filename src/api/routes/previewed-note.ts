import { z } from "zod";
import type { UnusedTimeNote } from "../../domain/invoicing/index.ts";
import { minorText } from "../wire.ts";

/** A credit note by which an end will give money back. */
export const previewedNoteSchema = z
  .object({
    invoice: z.string().describe("That charged the time; `foreseen_…` where it is not issued yet."),
    lines: z.array(z.object({ line: z.int(), amount_minor: minorText })),
    total_minor: minorText.describe("With the tax that goes back."),
    lowers_due_minor: minorText,
    to_balance_minor: minorText,
    to_refund_minor: minorText,
  })
  .meta({ id: "PreviewedCreditNote" });

export function noteAnswer({
  invoiceId,
  lines,
  planned,
}: UnusedTimeNote): z.infer<typeof previewedNoteSchema> {
  const { total, lowersDue, toBalance, toRefund } = planned;
  return {
    invoice: invoiceId,
    lines: lines.map(({ line, amount }) => ({ line, amount_minor: amount.amountMinor.toString() })),
    total_minor: total.amountMinor.toString(),
    lowers_due_minor: lowersDue.amountMinor.toString(),
    to_balance_minor: toBalance.amountMinor.toString(),
    to_refund_minor: toRefund.amountMinor.toString(),
  };
}

import { z } from "zod";
import type { ShownSubscription } from "../../db/billing/shown-subscription.ts";
import { settlements } from "../../domain/catalog/index.ts";
import { currency, sumMoney } from "../../domain/money/index.ts";
import { currencyText, minorText } from "../wire.ts";
import { lineAnswer, previewLineSchema } from "./line-fields.ts";

export const outcomeSchema = z
  .object({
    currency: currencyText,
    lines: z.array(previewLineSchema),
    net_minor: minorText.describe("What the lines sum to; negative is for the customer."),
    settle: z.enum(settlements).describe("When the lines are invoiced; `none`: there are none."),
    invoiced_minor: minorText
      .nullable()
      .describe("What is to be paid of its own invoice, after balance and tax; null without one."),
  })
  .describe("What the change came to: the figures of its preview, which was not needed for that.")
  .meta({ id: "ChangeOutcome" });

/** What its preview would have said, or has: of what was done, read from what was written down. */
export function outcomeAnswer({ row, change }: ShownSubscription): z.infer<typeof outcomeSchema> | null {
  if (change === null) return null;
  const { lines, invoice } = change;
  const net = sumMoney(
    lines.map(({ amount }) => amount),
    currency(row.currency),
  );
  const settle = lines.length === 0 ? "none" : invoice?.isOwn ? "now" : "next_invoice";
  return {
    currency: row.currency,
    lines: lines.map(lineAnswer),
    net_minor: net.amountMinor.toString(),
    settle,
    invoiced_minor: invoice?.isOwn ? invoice.totalMinor.toString() : null,
  };
}

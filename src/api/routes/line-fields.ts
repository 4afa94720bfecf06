import { z } from "zod";
import { isoOf } from "../../domain/calendar/index.ts";
import type { InvoiceLine } from "../../domain/invoicing/index.ts";
import { decimalText, instantText, minorText } from "../wire.ts";

/** What a line of an invoice says, issued or not. */
export const lineFields = {
  kind: z.string(),
  description: z.string(),
  product: z.string(),
  plan: z.string().nullable(),
  plan_version: z.int().nullable(),
  price: z.string().nullable(),
  period_start: instantText,
  period_end: instantText,
  quantity: decimalText.nullable(),
  amount_minor: minorText,
};

/** A line that a change makes. */
export const previewLineSchema = z.object(lineFields).meta({ id: "PreviewedLine" });

/** The same of a line that is not issued. */
export const lineAnswer = ({
  kind,
  description,
  product,
  source,
  period,
  quantity,
  amount,
}: InvoiceLine) => ({
  kind,
  description,
  product,
  plan: source?.planKey ?? null,
  plan_version: source?.planVersion ?? null,
  price: source?.priceKey ?? null,
  period_start: isoOf(period.start),
  period_end: isoOf(period.end),
  quantity: quantity?.text ?? null,
  amount_minor: amount.amountMinor.toString(),
});

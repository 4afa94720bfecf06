import { z } from "zod";
import type { DraftInvoice, DraftPeriod } from "../../db/billing/draft-invoices.ts";
import { type Instant, isoOf } from "../../domain/calendar/index.ts";
import { taxBases, taxHandlings } from "../../domain/invoicing/index.ts";
import { currencyText, instantText, minorText } from "../wire.ts";
import { lineAnswer, lineFields } from "./line-fields.ts";
import { givenTaxAnswer, givenTaxSchema } from "./tax-schemas.ts";

const waitsFor = z
  .enum(["grace", "usage", "tax"])
  .nullable()
  .describe(
    "The end of its grace, sources of usage that are behind, or tax; null when it is closed any moment.",
  );

export const draftSchema = z
  .object({
    id: z.string(),
    customer: z.string(),
    subscription: z.string(),
    currency: currencyText,
    period_start: instantText,
    period_end: instantText,
    grace_ends_at: instantText.describe(
      "Until then late usage is still taken; the invoice is issued then at the earliest.",
    ),
    waits_for: waitsFor,
  })
  .meta({ id: "DraftInvoice" });

export const taxableLineSchema = z
  .object({
    line: z.int().describe("As tax lines refer to it."),
    ...lineFields,
    taxable_minor: minorText
      .nullable()
      .describe("What tax is to be reckoned on; negative where it goes back. Null: none is."),
  })
  .meta({ id: "DraftInvoiceLine" });

export const draftDetailSchema = draftSchema
  .extend({
    as_of: instantText,
    usage_complete_until: instantText,
    usage_known_by: z.enum(["none", "reported", "estimated"]),
    usage_held_back_by: z.string().nullable(),
    lines: z.array(taxableLineSchema),
    subtotal_minor: minorText.describe("The sum of the lines, tax not among them."),
    credits_applied_minor: minorText,
    tax_minor: minorText.describe("As it was given; `0` while it is missing."),
    balance_applied_minor: minorText,
    total_minor: minorText,
    tax: z.object({
      handling: z.enum(taxHandlings),
      basis: z.enum(taxBases),
      quote: z
        .string()
        .nullable()
        .describe(
          "Names the taxable lines: send it back with their tax. Null when there is nothing to be taxed.",
        ),
      given: givenTaxSchema.nullable().describe("For exactly these lines; null as long as it is missing."),
    }),
  })
  .meta({ id: "DraftInvoiceDetail" });

export function draftAnswer(draft: DraftPeriod, now: Instant): z.infer<typeof draftSchema> {
  const { id, row, period, graceEndsAt } = draft;
  return {
    id,
    customer: row.customerId,
    subscription: row.id,
    currency: row.currency,
    period_start: isoOf(period.start),
    period_end: isoOf(period.end),
    grace_ends_at: isoOf(graceEndsAt),
    waits_for: now < graceEndsAt ? "grace" : row.closeWaitsFor,
  };
}

export function draftDetailAnswer(draft: DraftInvoice, now: Instant): z.infer<typeof draftDetailSchema> {
  const { closed, usage, standing, taxable, quote, tax } = draft;
  const { totals } = closed;
  const answer = draftAnswer(draft, now);
  const isTaxMissing = quote !== null && tax === undefined;
  const waits = answer.waits_for === "tax" ? null : answer.waits_for;
  return {
    ...answer,
    waits_for: waits ?? (isTaxMissing ? "tax" : null),
    as_of: isoOf(now),
    usage_complete_until: isoOf(usage.completeUntil),
    usage_known_by: usage.knownBy,
    usage_held_back_by: usage.heldBackBy?.source ?? null,
    lines: closed.parts
      .flatMap(({ lines }) => lines)
      .map((line, place) => {
        const on = taxable.find(({ number }) => number === place + 1)?.taxable;
        return { line: place + 1, ...lineAnswer(line), taxable_minor: on?.amountMinor.toString() ?? null };
      }),
    subtotal_minor: totals.subtotal.amountMinor.toString(),
    credits_applied_minor: totals.creditsApplied.amountMinor.toString(),
    tax_minor: totals.tax.amountMinor.toString(),
    balance_applied_minor: totals.balanceApplied.amountMinor.toString(),
    total_minor: totals.total.amountMinor.toString(),
    tax: {
      handling: standing.handling,
      basis: standing.basis,
      quote,
      given: tax === undefined ? null : givenTaxAnswer(tax),
    },
  };
}

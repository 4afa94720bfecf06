import { z } from "zod";
import type { DraftInvoice, DraftPeriod } from "../../db/billing/draft-invoices.ts";
import { type Instant, isoOf } from "../../domain/calendar/index.ts";
import { type InvoiceLine, taxBases, taxHandlings } from "../../domain/invoicing/index.ts";
import { currencyText, decimalText, instantText, minorText } from "../wire.ts";
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

const draftLineSchema = z
  .object({
    line: z.int().describe("As tax lines refer to it."),
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
    lines: z.array(draftLineSchema),
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
      .map((line, place) =>
        lineAnswer(
          line,
          place + 1,
          taxable.find(({ number }) => number === place + 1)?.taxable.amountMinor ?? null,
        ),
      ),
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

const lineAnswer = (
  { kind, description, product, source, period, quantity, amount }: InvoiceLine,
  line: number,
  taxable: bigint | null,
): z.infer<typeof draftLineSchema> => ({
  line,
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
  taxable_minor: taxable?.toString() ?? null,
});

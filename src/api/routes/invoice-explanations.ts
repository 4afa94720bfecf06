import { z } from "zod";
import { explainedInvoice } from "../../db/billing/explained-invoice.ts";
import { findInvoice } from "../../db/billing/invoices.ts";
import { inSnapshot } from "../../db/database.ts";
import type { ExplanationStep } from "../../domain/invoicing/explanation/index.ts";
import type { ApiInstance } from "../api-instance.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { found } from "../refusals.ts";
import { currencyText, decimalText, idParams, minorText } from "../wire.ts";

const stepSchema = z
  .object({
    kind: z.enum([
      "usage",
      "price",
      "included",
      "tier",
      "exact",
      "billed_before",
      "tax",
      "share",
      "other",
      "rounding",
      "credits",
      "balance",
      "sum",
    ]),
    text: z.string().describe("In words, for people."),
    figures: z.record(z.string(), z.string()).describe("The numbers it was done with, exact, as texts."),
  })
  .meta({ id: "ExplanationStep" });

const explanationSchema = z
  .object({
    invoice: z.string(),
    number: z.string(),
    currency: currencyText,
    lines: z.array(
      z.object({
        line: z.int(),
        description: z.string(),
        amount_minor: minorText,
        exact_minor: decimalText,
        steps: z.array(stepSchema),
      }),
    ),
    sum: z.array(stepSchema).describe("From the lines to what is left to be paid."),
  })
  .meta({ id: "InvoiceExplanation" });

/** How an invoice came about. */
export function invoiceExplanationRoutes(api: ApiInstance, { db }: Pick<ApiDependencies, "db">): void {
  api.get(
    "/v1/invoices/:id/explain",
    {
      config: { scope: "read", refusals: ["invoice_not_found"] },
      schema: {
        tags: ["Invoices"],
        summary: "How each line of an invoice came about, step by step",
        description:
          "Usage with its window, meter and fingerprint; the version of the price; what was included; each tier; the exact amount; the " +
          "rounding; what credit paid. The numbers are those that were kept with the invoice: `npm run invoices:verify` derives them again.",
        params: idParams,
        response: { 200: explanationSchema },
      },
    },
    async ({ params: { id } }) =>
      inSnapshot(db, async (tx) => {
        const invoice = found(await findInvoice(tx, id), "invoice", id);
        const { lines, sum } = await explainedInvoice(tx, invoice);
        return {
          invoice: id,
          number: invoice.number,
          currency: invoice.currency,
          lines: lines.map(({ line, said, steps }) => ({
            line,
            description: said.description,
            amount_minor: said.amount.amountMinor.toString(),
            exact_minor: said.exactMinor.text,
            steps: steps.map(stepAnswer),
          })),
          sum: sum.map(stepAnswer),
        };
      }),
  );
}

const stepAnswer = ({ kind, text, figures }: ExplanationStep) => ({ kind, text, figures: { ...figures } });

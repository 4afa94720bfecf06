import { z } from "zod";
import type { StoredTax } from "../../db/billing/tax-given.ts";
import { isoOf } from "../../domain/calendar/index.ts";
import type { GivenTaxLine } from "../../domain/invoicing/index.ts";
import { type Currency, decimal, money } from "../../domain/money/index.ts";
import { RequestRefusedError } from "../refusals.ts";
import { currencyInput, currencyText, decimalText, instantText, minorText, textInput } from "../wire.ts";
import { signedMinorInput } from "./calculate-wire.ts";
import { actorText } from "./decisions-wire.ts";

const taxLinesMax = 100;

export const quoteInput = z
  .string()
  .regex(/^[0-9a-f]{24}$/, { error: "must be the quote of a draft, as it was read" });

const taxLineInput = z.strictObject({
  description: textInput(200).describe("As it is printed, such as `VAT 19 %, Germany`."),
  jurisdiction: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,59}$/, {
      error: "must be lower-case letters, digits and hyphens, such as us-ny",
    })
    .describe("Whose tax it is: the ledger owes it to them by this name."),
  rate: z
    .string()
    .regex(/^(0(\.\d{1,12})?|1(\.0{1,12})?)$/, {
      error: 'must be a fraction of at most 1 as text, such as "0.19" for 19 %',
    })
    .describe("A fraction: `0.19` is 19 %. Nothing is reckoned with it."),
  taxable_minor: signedMinorInput.describe("What the tax is on, of the lines that it is on."),
  amount_minor: signedMinorInput.describe("The tax; negative where it goes back with what it was on."),
  lines: z
    .array(z.int().min(1))
    .min(1)
    .max(1_000)
    .refine((lines) => new Set(lines).size === lines.length, { error: "must name each line once" })
    .optional()
    .describe("The numbers of the taxable lines that it is on; all of them when left out."),
});

export const taxInput = z.strictObject({
  currency: currencyInput,
  tax_minor: signedMinorInput.describe(
    "What the lines sum to: given twice, so that none is lost on the way.",
  ),
  lines: z
    .array(taxLineInput)
    .max(taxLinesMax)
    .describe("Passed through as they are. None: there is no tax on it."),
});

/** The lines as the domain has them. @throws RequestRefusedError unless they sum to what was said */
export function taxLinesOf({ currency, tax_minor: sum, lines }: z.output<typeof taxInput>): GivenTaxLine[] {
  const total = lines.reduce((all, { amount_minor: amount }) => all + amount, 0n);
  if (total !== sum) {
    const message = `the lines sum to ${total} minor units, and ${sum} are said: one of them is wrong`;
    throw new RequestRefusedError("tax_sum_differs", message, "tax_minor");
  }
  return lines.map(({ taxable_minor: taxable, amount_minor: amount, rate, lines: on, ...line }) => ({
    ...line,
    rate: decimal(rate),
    taxable: money(taxable, currency),
    amount: money(amount, currency),
    lines: on ?? null,
  }));
}

export const givenTaxSchema = z
  .object({
    quote: z.string(),
    currency: currencyText,
    tax_minor: minorText,
    lines: z.array(
      z.object({
        description: z.string(),
        jurisdiction: z.string(),
        rate: decimalText,
        taxable_minor: minorText,
        amount_minor: minorText,
        lines: z.array(z.int()).nullable(),
      }),
    ),
    given_by: actorText,
    given_at: instantText,
  })
  .meta({ id: "GivenTax" });

export const givenTaxAnswer = (tax: StoredTax): z.infer<typeof givenTaxSchema> => ({
  quote: tax.quote,
  currency: tax.currency as Currency,
  tax_minor: tax.taxMinor.toString(),
  lines: tax.lines.map(({ taxableMinor, amountMinor, lines, ...line }) => ({
    ...line,
    taxable_minor: taxableMinor,
    amount_minor: amountMinor,
    lines: lines === null ? null : [...lines],
  })),
  given_by: tax.givenBy,
  given_at: isoOf(tax.givenAt),
});

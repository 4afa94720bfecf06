import { z } from "zod";
import { type Instant, instant, isoOf, timeZone } from "../domain/calendar/index.ts";
import { BillingError } from "../domain/errors.ts";
import { accountingMonth } from "../domain/ledger/accounting-month.ts";
import { currency } from "../domain/money/index.ts";

/** How values look in requests and answers. Requests are parsed into domain values; answers are written as plain text. */

/** A parser of the domain as a schema: its refusal becomes the field's fault. */
function parsedBy<Value>(text: z.ZodString | z.ZodISODateTime, parse: (text: string) => Value) {
  return text.transform((value, context) => {
    try {
      return parse(value);
    } catch (error) {
      if (!(error instanceof BillingError)) throw error;
      context.addIssue(error.message);
      return z.NEVER;
    }
  });
}

const isStorable = (text: string) => text.isWellFormed() && !text.includes("\0");

/** A text that people read: stored as it is, so only what a database can store is taken. */
export const textInput = (lengthMax: number) =>
  z
    .string()
    .min(1, { error: "must not be empty" })
    .max(lengthMax, { error: `must be at most ${lengthMax} characters long` })
    .refine(isStorable, { error: "must be well-formed Unicode without NUL" });

export const idPattern = /^[A-Za-z0-9][A-Za-z0-9_.:-]{0,99}$/;
export const idInput = z.string().regex(idPattern, {
  error: "must be 1 to 100 letters, digits, _ . : or -, and start with a letter or digit",
});

export const instantInput = parsedBy(z.string().meta({ format: "date-time" }), (text) =>
  instant(text),
).describe('ISO 8601 with a zone, such as "2026-01-31T00:00:00Z".');
export const currencyInput = parsedBy(z.string().meta({ pattern: "^[a-z]{3}$" }), (text) =>
  currency(text),
).describe("Lower-case ISO 4217 code, such as `usd`.");
export const timeZoneInput = parsedBy(z.string(), (text) => timeZone(text)).describe(
  "IANA name, such as `Europe/Berlin`.",
);
export const monthInput = parsedBy(z.string().meta({ pattern: "^[0-9]{4}-(0[1-9]|1[0-2])$" }), (text) =>
  accountingMonth(text),
)
  .describe("A calendar month in UTC.")
  .meta({ example: "2026-01" });
export const positiveMinorInput = z
  .string()
  .regex(/^[1-9]\d{0,15}$/, {
    error: 'must be a whole, positive number of minor units as a text, such as "1250" for 12.50 USD',
  })
  .transform(BigInt)
  .describe("Whole minor units of the currency (cents, for USD).");

export const idParams = z.strictObject({ id: idInput });

/** In answers. */
export const instantText = z.string().meta({ format: "date-time", example: "2026-01-31T00:00:00.000Z" });
export const monthText = z.string().describe("A calendar month in UTC.").meta({ example: "2026-01" });
export const minorText = z
  .string()
  .describe("Whole minor units of the currency (cents, for USD).")
  .meta({ example: "1250" });
export const decimalText = z.string().describe("An exact decimal.").meta({ example: "0.0003" });
export const currencyText = z.string().meta({ example: "usd" });

export const isoOrNull = (at: Instant | null): string | null => (at === null ? null : isoOf(at));

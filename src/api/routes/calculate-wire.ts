import { z } from "zod";
import { BillingError } from "../../domain/errors.ts";
import { type Decimal, decimal, type RoundingMode } from "../../domain/money/index.ts";
import { RequestRefusedError } from "../refusals.ts";

/** What the questions to the calculators have in common. */

/** Exact decimals as text; what else a value must be is said beside it. */
export const decimalInput = z
  .string()
  .max(60, { error: "must be at most 60 characters long" })
  .transform((text, context): Decimal => {
    try {
      return decimal(text);
    } catch (error) {
      if (!(error instanceof BillingError)) throw error;
      context.addIssue(error.message);
      return z.NEVER;
    }
  })
  .meta({ example: "12.5" });

/** Zero or more, and no more than any period uses. */
export const quantityInput = z
  .string()
  .regex(/^\d{1,18}(\.\d{1,12})?$/, { error: 'must be a quantity as text, zero or more, such as "1000000"' })
  .transform((text) => decimal(text))
  .meta({ example: "1000000" });

/** Whole minor units, zero or more. */
export const minorInput = z
  .string()
  .regex(/^\d{1,16}$/, { error: 'must be whole minor units as text, zero or more, such as "1250"' })
  .transform(BigInt)
  .meta({ example: "1250" });

/** Whole minor units of either sign. */
export const signedMinorInput = z
  .string()
  .regex(/^-?\d{1,16}$/, { error: 'must be whole minor units as text, such as "1250" for 12.50 USD' })
  .transform(BigInt)
  .describe("Whole minor units of the currency (cents, for USD).")
  .meta({ example: "1250" });

const roundings = ["half_even", "half_up", "down", "up"] as const;

const modes: Readonly<Record<(typeof roundings)[number], RoundingMode>> = {
  half_even: "half-even",
  half_up: "half-up",
  down: "down",
  up: "up",
};

export const roundingInput = z
  .enum(roundings)
  .default("half_even")
  .transform((rounding) => modes[rounding])
  .describe("`down` is towards zero, `up` away from it.");

/** A list of which a question may hold so many: documented here, refused by {@link requireSize}. */
export const listInput = <Item extends z.ZodType>(item: Item, itemsMax: number) =>
  z.array(item).meta({ maxItems: itemsMax });

/** @throws RequestRefusedError `calculation_too_large` with the field: such a question would hold up others */
export function requireSize(field: string, size: number, sizeMax: number): void {
  if (size <= sizeMax) return;
  const message = `${field} may hold ${sizeMax} at most, not ${size}: ask in parts`;
  throw new RequestRefusedError("calculation_too_large", message, field);
}

/** A calculator's options: it reads nothing, stores nothing, and may be asked again without an Idempotency-Key. */
export function calculator<Question extends z.ZodType, Answer extends z.ZodType>(
  question: Question,
  answer: Answer,
  text: { readonly summary: string; readonly description: string; readonly refusals: readonly string[] },
) {
  const { summary, description, refusals } = text;
  return {
    config: { scope: "read" as const, repeatable: true, refusals: ["calculation_too_large", ...refusals] },
    schema: { tags: ["Calculators"], summary, description, body: question, response: { 200: answer } },
  };
}

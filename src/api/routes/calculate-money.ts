import { z } from "zod";
import { calculateMoney } from "../../domain/calculators/index.ts";
import { invariant } from "../../domain/errors.ts";
import { minorUnitConventions, negativeRules, remainderRules } from "../../domain/money/index.ts";
import type { ApiInstance } from "../api-instance.ts";
import { currencyInput, currencyText, decimalText, minorText } from "../wire.ts";
import { calculator, decimalInput, listInput, requireSize, roundingInput } from "./calculate-wire.ts";

const weightsMax = 1_000;

const weight = z
  .string()
  .regex(/^\d{1,18}$/, { error: 'must be a whole number as text, zero or more, such as "3"' })
  .transform(BigInt);

const question = z
  .strictObject({
    currency: currencyInput,
    amount: decimalInput.optional().describe("In major units: `12.5` dollars. This or `amount_minor`."),
    amount_minor: decimalInput
      .optional()
      .describe("In minor units, with decimals before rounding: `1250.5` cents."),
    minor_units: z
      .enum(minorUnitConventions)
      .default("iso")
      .describe("Whose minor unit: Stripe sends ISK and UGX as hundredths, MGA whole, and dinars in tens."),
    rounding: roundingInput,
    allocate: z
      .strictObject({
        weights: listInput(weight, weightsMax).refine((weights) => weights.some((each) => each > 0n), {
          error: "one weight must be above zero",
        }),
        remainder: z
          .enum(remainderRules)
          .default("largest_remainder")
          .describe("Where the minor units go that are left over."),
        negative: z
          .enum(negativeRules)
          .default("mirrored")
          .describe("Whether the parts of a negative amount mirror those of the positive one."),
      })
      .optional()
      .describe("Divides the rounded amount."),
  })
  .refine(({ amount, amount_minor }) => (amount === undefined) !== (amount_minor === undefined), {
    error: "write amount (in major units) or amount_minor, one of the two",
    path: ["amount"],
  })
  .meta({ id: "MoneyQuestion" });

const answer = z
  .object({
    currency: currencyText,
    decimals: z.int().describe("Of the major unit, in one minor unit."),
    step_minor: minorText.describe("Amounts are multiples of it."),
    exact_minor: decimalText.describe("Before rounding."),
    amount_minor: minorText,
    amount: decimalText.describe("The rounded amount in major units."),
    rounding_minor: decimalText.describe("What rounding has added; below zero, what it has taken."),
    parts_minor: z.array(minorText).describe("They sum to `amount_minor`."),
  })
  .meta({ id: "MoneyAnswer" });

export function calculateMoneyRoute(api: ApiInstance): void {
  const options = calculator(question, answer, {
    summary: "Minor units, rounding and allocation of an amount",
    description:
      "Turns an exact amount into whole minor units, rounded once, and divides it so that the parts sum to it.",
    refusals: ["amount_invalid"],
  });
  api.post("/v1/calculate/money", options, async ({ body }) => {
    const { currency, amount, amount_minor, minor_units: minorUnits, rounding, allocate } = body;
    requireSize("allocate.weights", allocate?.weights.length ?? 0, weightsMax);
    const exact = amount ?? amount_minor;
    invariant(exact !== undefined, "one of the two amounts is given");
    const given = { in: amount === undefined ? "minor" : "major", exact } as const;
    const result = calculateMoney({
      currency,
      minorUnits,
      rounding,
      amount: given,
      allocation: allocate ?? null,
    });
    return {
      currency,
      decimals: result.minorUnit.decimals,
      step_minor: result.minorUnit.step.toString(),
      exact_minor: result.exactMinor.text,
      amount_minor: result.amount.amountMinor.toString(),
      amount: result.major.text,
      rounding_minor: result.roundingMinor.text,
      parts_minor: result.parts.map(({ amountMinor }) => amountMinor.toString()),
    };
  });
}

import { z } from "zod";
import { keepAgreement } from "../../db/billing/price-agreements.ts";
import { CatalogInvalidError, type PriceOverride, parseContract } from "../../domain/catalog/index.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { camelCase, renameFields, snakeCase } from "../field-names.ts";
import { RequestRefusedError } from "../refusals.ts";
import { namedByCaller, toWire } from "./catalog.ts";
import { priceOverrideSchema } from "./plan-terms-schemas.ts";

/** What is agreed with one customer instead of a plan's prices, as a phase's overrides are written. */
export const overridesInput = z
  .array(priceOverrideSchema)
  .max(100)
  .optional()
  .describe("Agreed with this customer instead of the plan's prices; they hold from then on.");

export const overridesAnswer = z
  .array(priceOverrideSchema)
  .optional()
  .describe("What is agreed with this customer instead of the plan's prices; left out where nothing is.");

/**
 * Reads overrides as the domain knows them.
 * @param path of the item in the request, such as `items[0].`
 * @throws RequestRefusedError `price_override_invalid`
 */
export function overridesOf(
  input: z.output<typeof overridesInput>,
  path = "",
): { readonly overrides?: readonly PriceOverride[] } {
  if (input === undefined || input.length === 0) return {};
  try {
    return { overrides: parseContract({ overrides: renameFields(input, camelCase, namedByCaller) }) };
  } catch (error) {
    if (!(error instanceof CatalogInvalidError)) throw error;
    const [issue] = error.issues;
    const field = `${path}${snakeCase(issue?.path ?? "overrides")}`;
    throw new RequestRefusedError("price_override_invalid", issue?.message ?? error.message, field);
  }
}

/** Writes overrides down, so that a command can name them without saying a price. */
export async function agreementOn(
  { db }: ApiDependencies,
  input: z.output<typeof overridesInput>,
  path = "",
): Promise<{ readonly agreement?: string }> {
  const { overrides } = overridesOf(input, path);
  return overrides === undefined ? {} : { agreement: await keepAgreement(db.orm, overrides) };
}

export function overridesOnWire(overrides: readonly PriceOverride[] | undefined) {
  return overrides === undefined ? {} : { overrides: z.array(priceOverrideSchema).parse(toWire(overrides)) };
}

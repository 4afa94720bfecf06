import { type Givable, givenIssues } from "./entitlement-checks.ts";
import type { Entitlement } from "./feature.ts";
import { entitlement } from "./feature-schema.ts";
import { CatalogInvalidError, parsedBy } from "./parse.ts";

/**
 * Parses what is given of one feature, in the shape in which a plan says it.
 * @throws CatalogInvalidError
 */
export function parseEntitlement(input: unknown, givable: Givable): Entitlement {
  const given = parsedBy(entitlement, input);
  const issues = givenIssues(given, givable, "");
  if (issues.length > 0) throw new CatalogInvalidError(issues);
  return given;
}

export type { Givable } from "./entitlement-checks.ts";

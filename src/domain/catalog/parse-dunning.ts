import type { DunningTerms } from "../lifecycle/index.ts";
import { dunningIssues } from "./dunning-checks.ts";
import { dunningTerms } from "./dunning-schema.ts";
import { CatalogInvalidError, parsedBy } from "./parse.ts";

/** Terms of dunning outside a catalog, with their defaults. @throws CatalogInvalidError whose paths begin with a dot */
export function parseDunningTerms(input: unknown): DunningTerms {
  const terms = parsedBy(dunningTerms, input);
  const issues = dunningIssues(terms, "");
  if (issues.length > 0) throw new CatalogInvalidError(issues);
  return terms;
}

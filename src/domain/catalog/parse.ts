import type { z } from "zod";
import { BillingError } from "../errors.ts";
import type { CatalogIssue } from "./catalog-issue.ts";
import { catalogIssues } from "./checks.ts";
import { expandCatalog } from "./expand.ts";
import type { Catalog } from "./plan.ts";
import { catalogSchema } from "./schema.ts";

/** A catalog that cannot be sold from; `issues` lists everything found, `field` is the first of it. */
export class CatalogInvalidError extends BillingError {
  readonly code = "catalog_invalid";
  readonly issues: readonly CatalogIssue[];

  constructor(issues: readonly CatalogIssue[]) {
    super(issues.map(({ path, message }) => `${path}: ${message}`).join("\n"), issues[0]?.path);
    this.issues = issues;
  }
}

/**
 * Parses a catalog written as JSON or in code: unknown fields refused, defaults filled in, decimals in
 * canonical text, rate cards as usage prices.
 * @throws CatalogInvalidError
 */
export function parseCatalog(input: unknown): Catalog {
  const written = parsedBy(catalogSchema, input);
  const issues = catalogIssues(written);
  if (issues.length > 0) throw new CatalogInvalidError(issues);
  return expandCatalog(written);
}

/** The shape alone. @throws CatalogInvalidError */
export function parsedBy<Schema extends z.ZodType>(schema: Schema, input: unknown): z.output<Schema> {
  const parsed = schema.safeParse(input, { error: whatToDo });
  if (!parsed.success) throw new CatalogInvalidError(parsed.error.issues.flatMap(toCatalogIssues));
  return parsed.data;
}

// What the schema's own messages leave open: wrong types, missing and unknown fields, bounds.
function whatToDo(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case "invalid_type":
      return issue.input === undefined
        ? `is missing: write ${aValueOf(issue.expected)}`
        : `write ${aValueOf(issue.expected)}`;
    case "invalid_value":
      return `write ${issue.values.map((value) => JSON.stringify(value)).join(" or ")}`;
    case "too_small":
      return `must be at least ${issue.minimum}`;
    case "too_big":
      return `must be at most ${issue.maximum}`;
    default:
      return undefined;
  }
}

function toCatalogIssues(issue: z.core.$ZodIssue): CatalogIssue[] {
  if (issue.code !== "unrecognized_keys") return [{ path: pathText(issue.path), message: issue.message }];
  return issue.keys.map((key) => ({
    path: pathText([...issue.path, key]),
    message: "is not a known field: correct or remove it",
  }));
}

/** `["plans", 1, "key"]` is `plans[1].key`; the catalog itself is `catalog`. */
function pathText(path: readonly PropertyKey[]): string {
  const text = path.map((step) => (typeof step === "number" ? `[${step}]` : `.${String(step)}`)).join("");
  return text.replace(/^\./, "") || "catalog";
}

function aValueOf(type: string): string {
  const names: Record<string, string> = {
    string: "text",
    int: "a whole number",
    array: "a list",
    record: "an object",
    object: "an object",
    boolean: "true or false",
  };
  return names[type] ?? `a ${type}`;
}

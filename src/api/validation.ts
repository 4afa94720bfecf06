import type { FastifySchemaCompiler } from "fastify";
import type { z } from "zod";
import { type Fault, RequestRefusedError } from "./refusals.ts";

const partNames: Readonly<Record<string, string>> = {
  querystring: "query parameters",
  params: "path",
  headers: "headers",
};

const faultsMax = 100;

/** Checks a part of the request against its zod schema; what does not fit is refused with the path of the first fault. */
export const validatorCompiler: FastifySchemaCompiler<z.ZodType> = ({ schema, httpPart }) => {
  const part = partNames[httpPart ?? ""] ?? "body";
  return (value: unknown) => {
    const result = schema.safeParse(value, { error: explain });
    return result.success ? { value: result.data } : { error: refusal(part, result.error.issues) };
  };
};

function refusal(part: string, issues: readonly z.core.$ZodIssue[]): RequestRefusedError {
  const faults = issues.flatMap(faultsOf).slice(0, faultsMax);
  const shown = faults.slice(0, 5).map(({ field, detail }) => (field ? `${field}: ${detail}` : detail));
  const more = faults.length > shown.length ? [`and ${faults.length - shown.length} more`] : [];
  const field = faults[0]?.field || undefined;
  return new RequestRefusedError(
    "request_invalid",
    `${part}: ${[...shown, ...more].join("; ")}`,
    field,
    faults,
  );
}

function faultsOf(issue: z.core.$ZodIssue): Fault[] {
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({
      field: pathText([...issue.path, key]),
      detail: "is not a known field: remove it or check its spelling",
    }));
  }
  return [{ field: pathText(issue.path), detail: issue.message }];
}

/** `["items", 0, "seats"]` is `items[0].seats`; the body itself has no name. */
function pathText(path: readonly PropertyKey[]): string {
  return path
    .map((step) => (typeof step === "number" ? `[${step}]` : `.${String(step)}`))
    .join("")
    .replace(/^\./, "");
}

/** Our words where zod's are about types; undefined leaves zod's. */
function explain(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code !== "invalid_type") return undefined;
  if (issue.input === undefined) return "is required";
  return `must be ${nameOfType(issue.expected)}, not ${nameOfValue(issue.input)}`;
}

const typeNames: Readonly<Record<string, string>> = {
  object: "an object",
  record: "an object",
  array: "a list",
  tuple: "a list",
  int: "a whole number",
  boolean: "true or false",
  string: "a text",
  number: "a number",
};
const nameOfType = (type: string) => typeNames[type] ?? type;

function nameOfValue(value: unknown): string {
  if (value === null) return "null";
  if (Number.isNaN(value)) return "something else";
  return nameOfType(Array.isArray(value) ? "array" : typeof value);
}

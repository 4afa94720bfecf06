import { readFileSync } from "node:fs";
import { join } from "node:path";

type Schema = {
  readonly $ref?: string;
  readonly type?: string;
  readonly nullable?: boolean;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
};

const specPath = join(
  import.meta.dirname,
  "..",
  "..",
  "..",
  "src",
  "sandbox",
  "stripe",
  "spec",
  "replies.json",
);
const spec: { operations: Record<string, Schema>; schemas: Record<string, Schema> } = JSON.parse(
  readFileSync(specPath, "utf8"),
);
const operations = Object.entries(spec.operations).map(([operation, schema]) => ({
  pattern: new RegExp(`^${operation.replaceAll(/\{\w+\}/g, "[^/]+")}$`),
  schema,
}));

/** What in a reply contradicts Stripe's specification: required fields, types, enumerations. */
export function replyViolations(method: string, path: string, reply: unknown): string[] {
  const operation = operations.find(({ pattern }) => pattern.test(`${method} ${path}`));
  return operation ? violations(operation.schema, reply, "reply") : [`${method} ${path} is not specified`];
}

function violations(schema: Schema, value: unknown, at: string): string[] {
  if (schema.$ref !== undefined) return violations(schemaNamed(schema.$ref), value, at);
  if (value === null) return schema.nullable ? [] : [`${at} is null`];
  if (schema.anyOf !== undefined) {
    const complaints = schema.anyOf.map((each) => violations(each, value, at));
    return complaints.find((none) => none.length === 0) ?? complaints.at(0) ?? [];
  }
  if (schema.enum !== undefined && !schema.enum.includes(value)) return [`${at} is ${JSON.stringify(value)}`];
  if (Array.isArray(value)) {
    const items = schema.items ?? {};
    return schema.type === "array"
      ? value.flatMap((item, n) => violations(items, item, `${at}[${n}]`))
      : [`${at} is a list`];
  }
  if (typeof value === "object") return objectViolations(schema, { ...value }, at);
  return fitsType(schema.type, value) ? [] : [`${at} is not of type ${schema.type}`];
}

function objectViolations(schema: Schema, value: Record<string, unknown>, at: string): string[] {
  if (schema.type !== undefined && schema.type !== "object") return [`${at} is an object`];
  const missing = (schema.required ?? [])
    .filter((name) => !(name in value))
    .map((name) => `${at}.${name} is missing`);
  const wrong = Object.entries(schema.properties ?? {})
    .filter(([name]) => value[name] !== undefined)
    .flatMap(([name, property]) => violations(property, value[name], `${at}.${name}`));
  return [...missing, ...wrong];
}

function fitsType(type: string | undefined, value: unknown): boolean {
  if (type === undefined) return true;
  if (type === "integer") return Number.isInteger(value);
  return typeof value === type;
}

function schemaNamed(reference: string): Schema {
  return spec.schemas[reference.split("/").at(-1) ?? ""] ?? {};
}

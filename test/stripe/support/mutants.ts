import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { OperationSchemas } from "../../../src/sandbox/stripe/schema/operations.ts";
import type { RequestSchema } from "../../../src/sandbox/stripe/schema/reader.ts";

/*
 * Requests that are nearly right: each operation with what it must have, and then one thing of the specification at a time as it
 * may be and as it may not. The same ones whenever they are asked for, so that verdicts can be kept.
 */

export type Mutants = { readonly operation: string; readonly forms: readonly string[] };

const specPath = join(
  import.meta.dirname,
  ...["..", "..", "..", "src", "sandbox", "stripe", "spec", "requests.json"],
);

type Field = { readonly name: string; readonly value: string };

/** Of every operation that takes parameters. */
export function allMutants(): Mutants[] {
  const spec: { operations: Record<string, OperationSchemas> } = JSON.parse(readFileSync(specPath, "utf8"));
  return Object.entries(spec.operations)
    .filter(([operation]) => !operation.startsWith("DELETE "))
    .map(([operation, { query, body }]) => {
      const schema = operation.startsWith("GET ") ? query : body;
      return { operation, forms: [...new Set(formsOf(schema))] };
    });
}

function formsOf(schema: RequestSchema): string[] {
  const base = requiredOf(schema, "");
  const properties = Object.entries(schema.properties ?? {});
  const without = (schema.required ?? []).map((name) => base.filter((field) => rootOf(field.name) !== name));
  const changed = properties.flatMap(([name, property]) => {
    const others = base.filter((field) => rootOf(field.name) !== name);
    return variantsOf(property, name, 0).map((fields) => [...others, ...fields]);
  });
  const unknown = [...base, { name: "no_such_parameter", value: "1" }];
  return [base, unknown, ...without, ...changed].map(encoded);
}

const rootOf = (name: string) => name.split("[")[0] ?? "";

const encoded = (fields: readonly Field[]) =>
  fields.map(({ name, value }) => `${name}=${encodeURIComponent(value)}`).join("&");

/** What has to be there, with values that may be there. */
function requiredOf(schema: RequestSchema, prefix: string): Field[] {
  return (schema.required ?? []).flatMap((name) => {
    const property = schema.properties?.[name];
    return property === undefined ? [] : exampleOf(property, nested(prefix, name));
  });
}

const nested = (prefix: string, name: string) => (prefix === "" ? name : `${prefix}[${name}]`);

function exampleOf(schema: RequestSchema, name: string): Field[] {
  if (schema.anyOf !== undefined) {
    const [first = {}] = schema.anyOf.filter((each) => each.enum?.[0] !== "");
    return exampleOf(first, name);
  }
  switch (schema.type) {
    case "object": {
      const required = requiredOf(schema, name);
      if (required.length > 0) return required;
      const [some] = Object.entries(schema.properties ?? {});
      return some === undefined
        ? [{ name: `${name}[key]`, value: "text" }]
        : exampleOf(some[1], nested(name, some[0]));
    }
    case "array":
      return exampleOf(schema.items ?? {}, `${name}[0]`);
    default:
      return [{ name, value: textOf(schema) }];
  }
}

function textOf({ type, enum: allowed, format }: RequestSchema): string {
  if (allowed !== undefined) return allowed.find((each) => each !== "") ?? "";
  if (type === "integer") return "7";
  if (type === "number") return "7.5";
  if (type === "boolean") return "true";
  return format === "decimal" ? "7.25" : "text";
}

const wrongTexts: Readonly<Record<string, readonly string[]>> = {
  integer: ["text", "7.5", "true"],
  number: ["text", "true"],
  boolean: ["maybe", "7"],
};

const depthMax = 2;

/** One parameter, as it may be and as it may not. */
function variantsOf(schema: RequestSchema, name: string, depth: number): Field[][] {
  if (schema.anyOf !== undefined) return schema.anyOf.flatMap((each) => variantsOf(each, name, depth));
  const asText = (value: string) => [{ name, value }];
  if (schema.type === "object") {
    const inner = Object.entries(schema.properties ?? {});
    const goesOn = depth < depthMax ? inner : [];
    return [
      exampleOf(schema, name),
      asText("text"),
      [...exampleOf(schema, name), { name: `${name}[no_such_parameter]`, value: "1" }],
      ...goesOn.flatMap(([key, property]) => {
        const others = requiredOf(schema, name).filter((field) => !field.name.startsWith(nested(name, key)));
        return variantsOf(property, nested(name, key), depth + 1).map((fields) => [...others, ...fields]);
      }),
    ];
  }
  if (schema.type === "array") {
    return [
      exampleOf(schema, name),
      asText("text"),
      ...variantsOf(schema.items ?? {}, `${name}[0]`, depth + 1),
    ];
  }
  const wrong = schema.enum === undefined ? (wrongTexts[schema.type ?? ""] ?? []) : ["no_such_value"];
  return [asText(textOf(schema)), ...wrong.map(asText), [{ name: `${name}[inner]`, value: "text" }]];
}

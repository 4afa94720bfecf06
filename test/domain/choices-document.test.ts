import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { tableRows } from "../support/markdown-tables.ts";

/** docs/choices.md names options as the API's document has them: the same values, with the same default first. */

type Schema = {
  readonly $ref?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly type?: string;
  readonly default?: unknown;
};

const url = (path: string) => new URL(`../../${path}`, import.meta.url);
const { schemas } = JSON.parse(readFileSync(url("docs/openapi.json"), "utf8")).components as {
  schemas: Readonly<Record<string, Schema>>;
};

const questions: Readonly<Record<string, string>> = {
  price: "PriceQuestionInput",
  "invoice-total": "InvoiceTotalQuestionInput",
  proration: "ProrationQuestionInput",
  periods: "PeriodsQuestionInput",
  "credit-burn-down": "CreditBurnDownQuestionInput",
  aggregation: "AggregationQuestionInput",
  "dunning-schedule": "DunningQuestionInput",
  money: "MoneyQuestionInput",
};

const rows = tableRows("choices.md", ["choice", "values", "in the catalog", "in a calculator", "shown by"]);

/** All schemas that a schema can mean, references and alternatives followed. */
function meanings(schema: Schema): Schema[] {
  if (schema.$ref !== undefined) return meanings(schemas[schema.$ref.split("/").at(-1) ?? ""] ?? {});
  const alternatives = [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])];
  return [...(alternatives.length > 0 ? alternatives.flatMap(meanings) : [schema])];
}

/** The schemas of a field, down a path; lists are gone into. */
function fieldsAt(from: readonly Schema[], path: string): Schema[] {
  return path.split(".").reduce<Schema[]>(
    (found, name) =>
      found
        .flatMap(meanings)
        .flatMap((schema) => (schema.items === undefined ? [schema] : meanings(schema.items)))
        .flatMap((schema) => schema.properties?.[name] ?? []),
    [...from],
  );
}

function valuesOf(fields: readonly Schema[]): string[] {
  const all = fields.flatMap(meanings).flatMap(({ enum: values, const: only, type }) => {
    if (values !== undefined) return values;
    if (only !== undefined) return [only];
    return type === "boolean" ? [false, true] : [];
  });
  return [...new Set(all.map(String))].toSorted();
}

/** In the place of what there is not. */
const none = "–";

const codesIn = (cell: string) => [...cell.matchAll(/`([^`]+)`/g)].map(([, code = ""]) => code);

test("there are choices", () => expect(rows.length).toBeGreaterThan(25));

describe.each(rows)("%s: %s", (_choice = "", listed = "", catalog = "", calculator = "", shownBy = "") => {
  const values = codesIn(listed);

  test("has a test", () => {
    const path = /\(\.\.\/(test\/[^)]+)\)/.exec(shownBy)?.[1];
    expect(path !== undefined && existsSync(url(path)), shownBy).toBe(true);
  });

  test.runIf(catalog !== none)("is in the catalog", () => {
    const [path = ""] = codesIn(catalog);
    const plan = schemas.Plan ?? {};
    const root = path.startsWith("meters.") ? { properties: { meters: schemas.Meter ?? {} } } : plan;
    expect(valuesOf(fieldsAt([root], path)), path).toEqual(values.toSorted());
  });

  test.runIf(calculator !== none)("is in the calculator, with that default", () => {
    const [name = ""] = calculator.split(":");
    const [path = ""] = codesIn(calculator);
    const fields = fieldsAt([schemas[questions[name] ?? ""] ?? {}], path);
    expect(valuesOf(fields), path).toEqual(values.toSorted());
    for (const { default: usual } of fields) if (usual !== undefined) expect(String(usual)).toBe(values[0]);
  });
});

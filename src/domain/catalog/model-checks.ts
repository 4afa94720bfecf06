import { dimensionsKey, type Meter } from "../metering/index.ts";
import { decimal } from "../money/index.ts";
import { type CatalogIssue, duplicateTexts } from "./catalog-issue.ts";
import type { CostTable } from "./cost-table.ts";
import { followingIssues } from "./following-bands.ts";
import type { CostPlusModel, MatrixModel, PercentageModel, UsageModel } from "./usage-model.ts";

/** Meters whose quantity is the sum of the quantities of its parts. */
const additive: readonly string[] = ["count", "sum", "time_weighted_sum"];

/** What the parts of a price model owe to each other, to the meter it prices, and to the table it reads. */
export function modelIssues(
  model: UsageModel,
  meter: Meter,
  costTables: ReadonlyMap<string, CostTable>,
  path: string,
): CatalogIssue[] {
  switch (model.type) {
    case "graduated":
    case "volume":
      return followingIssues(model.tiers, `${path}.tiers`, "tier");
    case "stairstep":
      return followingIssues(model.steps, `${path}.steps`, "step");
    case "percentage":
      return percentageIssues(model, meter, path);
    case "matrix":
      return [...cellsIssues(model.dimensions, meter, path), ...matrixIssues(model, path)];
    case "cost_plus":
      return [
        ...cellsIssues(model.dimensions, meter, path),
        ...costPlusIssues(model, costTables.get(model.costTable), path),
      ];
    default:
      return [];
  }
}

/** Whether events must be looked at one by one; what is said of the total needs only that. */
export function looksAtEvents(model: PercentageModel): boolean {
  return (
    model.feePerEventMinor !== undefined ||
    model.freeEvents !== undefined ||
    model.perEventMinMinor !== undefined ||
    model.perEventMaxMinor !== undefined
  );
}

function percentageIssues(model: PercentageModel, meter: Meter, path: string): CatalogIssue[] {
  const { perEventMinMinor: least, perEventMaxMinor: most } = model;
  const issues: CatalogIssue[] = [];
  if (least !== undefined && most !== undefined && decimal(least).isGreaterThan(decimal(most))) {
    issues.push({
      path: `${path}.perEventMaxMinor`,
      message: `must be at least ${least}, the minimum of an event`,
    });
  }
  if (!looksAtEvents(model)) return issues;
  const isPlainSum =
    meter.aggregation === "sum" && meter.unit?.factor === undefined && meter.unit?.decimals === undefined;
  if (isPlainSum) return issues;
  const message =
    meter.aggregation === "sum"
      ? `events are judged one by one: meter "${meter.key}" must not convert or round what they come to together`
      : `events are judged one by one: meter "${meter.key}" must sum their amounts`;
  return [...issues, { path, message }];
}

/** What both kinds of models with cells ask of the meter. */
function cellsIssues(dimensions: readonly string[], meter: Meter, path: string): CatalogIssue[] {
  const issues = [
    ...duplicateTexts(dimensions, `${path}.dimensions`),
    ...undeclared(dimensions, meter, path),
  ];
  if (additive.includes(meter.aggregation)) return issues;
  const message = `meter "${meter.key}" has one ${meter.aggregation} for all its dimensions: cells need a count, sum or time_weighted_sum`;
  return [...issues, { path, message }];
}

function undeclared(dimensions: readonly string[], meter: Meter, path: string): CatalogIssue[] {
  return dimensions.flatMap((name, index) =>
    meter.dimensions.includes(name)
      ? []
      : [
          {
            path: `${path}.dimensions[${index}]`,
            message: `meter "${meter.key}" has no dimension "${name}": declare it there or remove it here`,
          },
        ],
  );
}

function matrixIssues(
  { dimensions, cells, defaultUnitPriceMinor }: MatrixModel,
  path: string,
): CatalogIssue[] {
  if (cells.length === 0 && defaultUnitPriceMinor === null) {
    return [{ path: `${path}.cells`, message: "write at least one cell, or a default price" }];
  }
  return valuesIssues(cells, dimensions, `${path}.cells`);
}

/** Each row has one value for each dimension, and no two rows the same ones. */
export function valuesIssues(
  rows: readonly { readonly values: Readonly<Record<string, string>> }[],
  dimensions: readonly string[],
  path: string,
): CatalogIssue[] {
  const seen = new Map<string, number>();
  return rows.flatMap(({ values }, index) => {
    const where = `${path}[${index}].values`;
    const missing = dimensions.filter((name) => !Object.hasOwn(values, name));
    const unknown = Object.keys(values).filter((name) => !dimensions.includes(name));
    const key = dimensionsKey(values);
    const twin = seen.get(key);
    seen.set(key, twin ?? index);
    return [
      ...missing.map((name) => ({
        path: `${where}.${name}`,
        message: "is missing: name a value of every dimension",
      })),
      ...unknown.map((name) => ({
        path: `${where}.${name}`,
        message: `is none of the dimensions ${dimensions.join(", ")}: add it there or remove it here`,
      })),
      ...(twin === undefined
        ? []
        : [{ path: where, message: `are the same as in [${twin}]: remove one of them` }]),
    ];
  });
}

export function costPlusIssues(
  { costTable, tokenClass, dimensions }: Pick<CostPlusModel, "costTable" | "tokenClass" | "dimensions">,
  table: CostTable | undefined,
  path: string,
): CatalogIssue[] {
  if (table === undefined) {
    const message = `there is no cost table "${costTable}": declare it under the cost tables`;
    return [{ path: `${path}.costTable`, message }];
  }
  const isSame = dimensionText(table.dimensions) === dimensionText(dimensions);
  const isKnown = table.versions.some(({ rows }) =>
    rows.some(({ costs }) => Object.hasOwn(costs, tokenClass)),
  );
  return [
    ...(isSame
      ? []
      : [
          {
            path: `${path}.dimensions`,
            message: `must be those of cost table "${costTable}": ${table.dimensions.join(", ")}`,
          },
        ]),
    ...(isKnown
      ? []
      : [
          {
            path: `${path}.tokenClass`,
            message: `cost table "${costTable}" has no costs of class "${tokenClass}": add them there or name another`,
          },
        ]),
  ];
}

const dimensionText = (dimensions: readonly string[]): string => dimensions.toSorted().join(" ");

import { BillingError } from "../errors.ts";
import { type BandedDimension, type Condition, type Meter, parseExpression } from "../metering/index.ts";
import type { CatalogIssue } from "./catalog-issue.ts";
import { followingIssues } from "./following-bands.ts";

/** What the parts of a meter owe to each other. */
export function meterIssues(meter: Meter, path: string): CatalogIssue[] {
  return [
    ...measuredIssues(meter, path),
    ...(meter.value === undefined ? [] : expressionIssues(meter.value, `${path}.value`)),
    ...(meter.filter ?? []).flatMap((condition, index) =>
      conditionIssues(condition, `${path}.filter[${index}]`),
    ),
    ...meter.dimensions.flatMap((dimension, index) =>
      meter.dimensions.indexOf(dimension) < index
        ? [{ path: `${path}.dimensions[${index}]`, message: `"${dimension}" is declared twice` }]
        : [],
    ),
    ...(meter.bands ?? []).flatMap((banded, index) => bandedIssues(meter, banded, `${path}.bands[${index}]`)),
    ...unitIssues(meter, `${path}.unit`),
    ...negativeIssues(meter, `${path}.negative`),
  ];
}

/** Events are counted as such, values of one property, and all else is measured one way. */
function measuredIssues({ aggregation, property, value }: Meter, path: string): CatalogIssue[] {
  const issueOf = (field: "property" | "value", message: string) => ({ path: `${path}.${field}`, message });
  if (aggregation === "count") {
    const message = "remove it: a meter that counts events reads no property";
    return [
      ...(property === undefined ? [] : [issueOf("property", message)]),
      ...(value === undefined ? [] : [issueOf("value", message)]),
    ];
  }
  if (aggregation === "unique_count") {
    return [
      ...(property === undefined
        ? [issueOf("property", "name the member of data whose values are counted")]
        : []),
      ...(value === undefined
        ? []
        : [issueOf("value", "remove it: only the values of a property are counted")]),
    ];
  }
  if (property === undefined && value === undefined) {
    return [issueOf("property", `name the member of data to take the ${aggregation} of`)];
  }
  return property !== undefined && value !== undefined
    ? [issueOf("value", "remove it or the property: a meter measures one of them")]
    : [];
}

function expressionIssues(value: string, path: string): CatalogIssue[] {
  try {
    parseExpression(value);
    return [];
  } catch (error) {
    if (!(error instanceof BillingError)) throw error;
    return [{ path, message: error.message }];
  }
}

function conditionIssues({ member, ...tests }: Condition, path: string): CatalogIssue[] {
  const message = `say what must hold of ${member}, for example that it exists`;
  return Object.keys(tests).length > 0 ? [] : [{ path, message }];
}

/** Bands follow one another, differ, and are of a dimension that the meter declares, once. */
function bandedIssues(meter: Meter, said: BandedDimension, path: string): CatalogIssue[] {
  const { dimension, of, bands } = said;
  const issues = [...expressionIssues(of, `${path}.of`), ...followingIssues(bands, `${path}.bands`, "band")];
  if (!meter.dimensions.includes(dimension)) {
    const message = `meter "${meter.key}" has no dimension "${dimension}": declare it under dimensions`;
    issues.push({ path: `${path}.dimension`, message });
  }
  if (meter.bands?.find((banded) => banded.dimension === dimension) !== said) {
    issues.push({
      path: `${path}.dimension`,
      message: `"${dimension}" has bands already: remove one of them`,
    });
  }
  const names = bands.map(({ name }) => name);
  return [
    ...issues,
    ...names.flatMap((name, index) =>
      names.indexOf(name) < index
        ? [{ path: `${path}.bands[${index}].name`, message: `"${name}" is used twice: choose another name` }]
        : [],
    ),
  ];
}

function negativeIssues({ aggregation, negative }: Meter, path: string): CatalogIssue[] {
  return negative === "counted" && aggregation !== "sum"
    ? [{ path, message: "remove it: only a sum counts quantities below zero" }]
    : [];
}

function unitIssues({ unit }: Meter, path: string): CatalogIssue[] {
  if (unit?.rounding === undefined || unit.decimals !== undefined) return [];
  return [{ path: `${path}.rounding`, message: "say to how many decimals, or remove it" }];
}

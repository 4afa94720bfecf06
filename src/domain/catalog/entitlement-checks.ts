import { canonicalJson, type JsonValue, type Meter } from "../metering/index.ts";
import { type CatalogIssue, duplicateTexts } from "./catalog-issue.ts";
import type { Combination, Entitlement, Feature, Limit } from "./feature.ts";
import { cutOffIssues, unknownFeatureIssue } from "./feature-checks.ts";

/** What entitlements refer to. */
export interface Givable {
  readonly features: ReadonlyMap<string, Feature>;
  readonly meters: ReadonlyMap<string, Meter>;
}

/** A plan gives features that there are, each once, and as much of them as their type has. */
export function entitlementIssues(
  entitlements: readonly Entitlement[],
  givable: Givable,
  path: string,
): CatalogIssue[] {
  return entitlements.flatMap((entitlement, index): CatalogIssue[] => {
    const { feature: key } = entitlement;
    const place = `${path}[${index}]`;
    if (entitlements.findIndex(({ feature }) => feature === key) < index) {
      return [{ path: `${place}.feature`, message: `"${key}" is given twice: remove one of them` }];
    }
    return givenIssues(entitlement, givable, `${place}.`);
  });
}

/** The same of one, which a plan, a contract or a grant gives. @param path of its fields, with the dot that leads to them */
export function givenIssues(
  entitlement: Entitlement,
  { features, meters }: Givable,
  path: string,
): CatalogIssue[] {
  const feature = features.get(entitlement.feature);
  if (feature === undefined) return [unknownFeatureIssue(entitlement.feature, `${path}feature`)];
  return [
    ...limitIssues(entitlement, feature, meters, path),
    ...valueIssues(entitlement, feature, path),
    ...cutOffIssues(entitlement.whenCutOff, feature, `${path}whenCutOff`),
  ];
}

function limitIssues(
  { limit, limits }: Entitlement,
  { type, meter: key = "" }: Feature,
  meters: ReadonlyMap<string, Meter>,
  path: string,
): CatalogIssue[] {
  if (limit !== undefined && type !== "metered") {
    return [{ path: `${path}limit`, message: "remove it: only a metered feature has a limit" }];
  }
  if (limits === undefined) {
    return type === "budget"
      ? [{ path: `${path}limits`, message: "is missing: write how much may be spent" }]
      : [];
  }
  if (type !== "metered" && type !== "budget") {
    return [{ path: `${path}limits`, message: "remove them: only metered features and budgets have limits" }];
  }
  if (limit !== undefined) {
    return [
      { path: `${path}limit`, message: "remove it, or the limits: it is the short form of one of them" },
    ];
  }
  const said = limits.map(({ quantity: _quantity, amountMinor: _amount, ...rest }) =>
    canonicalJson(rest as JsonValue),
  );
  return limits.flatMap((each, index): CatalogIssue[] => {
    const place = `${path}limits[${index}]`;
    if (said.indexOf(said[index] ?? "") < index) {
      return [{ path: place, message: "says the same as a limit before it: write one of them" }];
    }
    return type === "budget" ? budgetIssues(each, place) : meteredIssues(each, meters.get(key), place);
  });
}

function meteredIssues(limit: Limit, meter: Meter | undefined, path: string): CatalogIssue[] {
  const { quantity, amountMinor, per = [], where = {} } = limit;
  const unknown = (name: string, place: string): CatalogIssue[] => {
    if (meter === undefined || meter.dimensions.includes(name)) return [];
    const known = meter.dimensions.length === 0 ? "none" : meter.dimensions.join(", ");
    return [{ path: place, message: `meter "${meter.key}" has no dimension "${name}"; it has ${known}` }];
  };
  return [
    ...(quantity === undefined ? [{ path: `${path}.quantity`, message: "is missing: write how much" }] : []),
    ...(amountMinor === undefined
      ? []
      : [{ path: `${path}.amountMinor`, message: "remove it: what is metered is limited by quantity" }]),
    ...per.flatMap((name, index) => unknown(name, `${path}.per[${index}]`)),
    ...duplicateTexts(per, `${path}.per`),
    ...Object.keys(where).flatMap((name) => unknown(name, `${path}.where.${name}`)),
  ];
}

function budgetIssues(
  { quantity, amountMinor, per, where, window, beyond }: Limit,
  path: string,
): CatalogIssue[] {
  const refused = (name: string, said: unknown, message: string): CatalogIssue[] =>
    said === undefined ? [] : [{ path: `${path}.${name}`, message }];
  return [
    ...(amountMinor === undefined
      ? [{ path: `${path}.amountMinor`, message: "is missing: write how much may be spent" }]
      : []),
    ...refused("quantity", quantity, "remove it: a budget is limited by an amount"),
    ...refused("per", per, "remove it: a budget is the customer's; limit quantities by dimensions"),
    ...refused("where", where, "remove it: what a budget caps is said by its feature"),
    ...(beyond === "charged"
      ? [{ path: `${path}.beyond`, message: "remove it: what goes beyond a budget is denied" }]
      : []),
    ...(window.type === "first_use"
      ? [{ path: `${path}.window.type`, message: "a budget has no first use: write another window" }]
      : []),
  ];
}

const lists: ReadonlySet<Combination> = new Set(["union", "intersection"]);
const numbers: ReadonlySet<Combination> = new Set(["highest", "lowest", "sum"]);

function valueIssues(
  { value, values }: Entitlement,
  { type, combine = "first" }: Feature,
  path: string,
): CatalogIssue[] {
  if (type !== "config") {
    return [
      ...(value === undefined
        ? []
        : [{ path: `${path}value`, message: "remove it: only a setting has a value" }]),
      ...(values === undefined
        ? []
        : [{ path: `${path}values`, message: "remove them: only a setting has values" }]),
    ];
  }
  if (lists.has(combine)) {
    return [
      ...(value === undefined
        ? []
        : [{ path: `${path}value`, message: "remove it: this setting is a list of values" }]),
      ...(values === undefined
        ? [{ path: `${path}values`, message: "is missing: write the list" }]
        : duplicateTexts(values, `${path}values`)),
    ];
  }
  if (values !== undefined) {
    return [{ path: `${path}values`, message: "remove them: this setting is one value, not a list" }];
  }
  if (value === undefined) return [{ path: `${path}value`, message: "is missing: write the setting" }];
  return numbers.has(combine) && !/^\d{1,18}(\.\d{1,12})?$/.test(value)
    ? [{ path: `${path}value`, message: 'write a number as text, zero or more, such as "25"' }]
    : [];
}

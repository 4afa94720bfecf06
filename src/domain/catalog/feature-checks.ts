import type { Aggregation, Meter } from "../metering/index.ts";
import { type CatalogIssue, duplicateKeys, duplicateTexts } from "./catalog-issue.ts";
import type { CutOffPolicy, Feature } from "./feature.ts";

/** Of these there is nothing that could be used up. */
const withoutAmount: ReadonlySet<Aggregation> = new Set(["min", "average"]);

/** Features say what their type has, of meters and features that there are. */
export function featureIssues(
  features: readonly Feature[],
  meters: ReadonlyMap<string, Meter>,
  path: string,
): CatalogIssue[] {
  const known = new Map(features.map((feature) => [feature.key, feature]));
  return [
    ...duplicateKeys(features, path),
    ...features.flatMap((feature, index) => {
      const place = `${path}[${index}]`;
      return [
        ...meterIssues(feature, meters, `${place}.meter`),
        ...(feature.combine === undefined || feature.type === "config"
          ? []
          : [{ path: `${place}.combine`, message: "remove it: only settings are combined" }]),
        ...capIssues(feature, known, `${place}.caps`),
        ...cutOffIssues(feature.whenCutOff, feature, `${place}.whenCutOff`),
      ];
    }),
  ];
}

function meterIssues(
  { type, meter: key }: Feature,
  meters: ReadonlyMap<string, Meter>,
  path: string,
): CatalogIssue[] {
  if (type !== "metered") {
    return key === undefined ? [] : [{ path, message: "remove it: only a metered feature has one" }];
  }
  if (key === undefined) return [{ path, message: "name the meter that measures it" }];
  const meter = meters.get(key);
  if (meter === undefined) {
    return [{ path, message: `there is no meter "${key}": declare it under meters` }];
  }
  if (!withoutAmount.has(meter.aggregation)) return [];
  const message = `meter "${key}" tells the ${meter.aggregation}, of which nothing is used up: name another meter`;
  return [{ path, message }];
}

function capIssues(
  { type, caps }: Feature,
  known: ReadonlyMap<string, Feature>,
  path: string,
): CatalogIssue[] {
  if (caps === undefined) return [];
  if (type !== "budget") return [{ path, message: "remove it: only a budget caps what others cost" }];
  return [
    ...caps.flatMap((key, index) => (known.has(key) ? [] : [unknownFeatureIssue(key, `${path}[${index}]`)])),
    ...duplicateTexts(caps, path),
  ];
}

/** An amount is only of what is counted; a budget is not used by itself. */
export function cutOffIssues(
  policy: CutOffPolicy | undefined,
  { type }: Pick<Feature, "type">,
  path: string,
): CatalogIssue[] {
  if (policy === undefined) return [];
  if (type === "budget") return [{ path, message: "remove it: say it of the features that the budget caps" }];
  return policy.use === "allowed_up_to" && type !== "metered"
    ? [{ path: `${path}.use`, message: 'write "allowed" or "denied": only what is metered has an amount' }]
    : [];
}

/** Prices belong to features that there are. */
export function priceFeatureIssues(
  prices: readonly { readonly feature?: string }[],
  features: ReadonlyMap<string, Feature>,
  path: string,
): CatalogIssue[] {
  return prices.flatMap(({ feature }, index) =>
    feature === undefined || features.has(feature)
      ? []
      : [unknownFeatureIssue(feature, `${path}[${index}].feature`)],
  );
}

export const unknownFeatureIssue = (key: string, path: string): CatalogIssue => ({
  path,
  message: `there is no feature "${key}": declare it under features`,
});

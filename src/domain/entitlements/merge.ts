import type { Instant } from "../calendar/index.ts";
import { type Combination, type Feature, type Limit, type LimitWindow, limitsOf } from "../catalog/index.ts";
import { invariant } from "../errors.ts";
import { canonicalJson, type JsonValue } from "../metering/index.ts";
import { type Decimal, decimal, maxDecimal, minDecimal, sumDecimals, zero } from "../money/index.ts";
import { type BillingCycle, type EntitlementSource, sourceKinds } from "./source.ts";

/** What all sources of a feature come to. */
export interface MergedEntitlement {
  /** Those that count, in a fixed order. */
  readonly sources: readonly EntitlementSource[];
  /** Of a setting: a text or number, or a list. */
  readonly setting: string | readonly string[] | null;
  /** Null: without limit. */
  readonly limits: readonly MergedLimit[] | null;
}

/** A limit, with the sum of what sources give in the same window, for the same usage, with the same end of it. */
export interface MergedLimit {
  /** A quantity in the meter's unit; of a budget minor units. */
  readonly amount: Decimal;
  readonly window: LimitWindow;
  readonly per: readonly string[];
  readonly where: Readonly<Record<string, string>>;
  readonly beyond: "denied" | "charged";
  readonly cycle: BillingCycle | null;
  /** When the first of its sources began. */
  readonly since: Instant;
  readonly sources: readonly EntitlementSource[];
}

/**
 * One entitlement out of those of all sources; null when there are none. The order in which sources are found does not
 * matter. A contract, the newest, stands in place of plans and add-ons; grants are on top. A setting is combined as its
 * feature says. Limits that speak of the same add up; a source that gives without limit lifts them all.
 */
export function mergeEntitlements(
  { combine = "first", type }: Pick<Feature, "combine" | "type">,
  found: readonly EntitlementSource[],
): MergedEntitlement | null {
  const sources = countingSources(found);
  if (sources.length === 0) return null;
  return {
    sources,
    setting: type === "config" ? settingOf(combine, sources) : null,
    limits: type === "metered" || type === "budget" ? mergedLimits(sources) : null,
  };
}

function countingSources(found: readonly EntitlementSource[]): EntitlementSource[] {
  const ordered = found.toSorted(
    (one, other) =>
      sourceKinds.indexOf(one.kind) - sourceKinds.indexOf(other.kind) ||
      one.since - other.since ||
      compareTexts(one.id, other.id) ||
      compareTexts(one.plan?.key ?? "", other.plan?.key ?? ""),
  );
  const contract = ordered.findLast(({ kind }) => kind === "contract");
  if (contract === undefined) return ordered;
  return [contract, ...ordered.filter(({ kind }) => kind === "grant")];
}

const compareTexts = (one: string, other: string): number => (one === other ? 0 : one < other ? -1 : 1);

function settingOf(
  combine: Combination,
  sources: readonly EntitlementSource[],
): string | readonly string[] | null {
  const values = sources.flatMap(({ entitlement }) => entitlement.value ?? []);
  const lists = sources.flatMap(({ entitlement }) => (entitlement.values ? [entitlement.values] : []));
  switch (combine) {
    case "first":
      return values[0] ?? null;
    case "highest":
      return numberOf(values, maxDecimal);
    case "lowest":
      return numberOf(values, minDecimal);
    case "sum":
      return numberOf(values, (one, other) => one.plus(other));
    case "union":
      return [...new Set(lists.flat())].toSorted();
    case "intersection":
      return [...new Set(lists[0])].filter((value) => lists.every((list) => list.includes(value))).toSorted();
  }
}

function numberOf(
  values: readonly string[],
  combined: (one: Decimal, other: Decimal) => Decimal,
): string | null {
  const [first, ...others] = values.map((value) => decimal(value));
  return first === undefined ? null : others.reduce(combined, first).text;
}

function mergedLimits(sources: readonly EntitlementSource[]): MergedLimit[] | null {
  const given = sources.map((source) => ({ source, limits: limitsOf(source.entitlement) }));
  if (given.some(({ limits }) => limits === null)) return null;
  const parts = given.flatMap(({ source, limits }) => (limits ?? []).map((limit) => ({ source, limit })));
  return [...Map.groupBy(parts, ({ source, limit }) => subjectOf(limit, source)).values()].map(mergedLimit);
}

interface LimitPart {
  readonly source: EntitlementSource;
  readonly limit: Limit;
}

/** What a limit speaks of: equal for those that add up. */
function subjectOf(
  { window, per = [], where = {}, beyond = "denied" }: Limit,
  { cycle }: EntitlementSource,
): string {
  const ofCycle = window.type === "billing_cycle" ? (cycle?.subscriptionId ?? null) : null;
  const said = { window, per: per.toSorted(), where, beyond, ofCycle };
  return canonicalJson(said as unknown as JsonValue);
}

function mergedLimit(parts: readonly LimitPart[]): MergedLimit {
  const [first] = parts;
  invariant(first !== undefined, "a group has a first part");
  const { window, per = [], where = {}, beyond = "denied" } = first.limit;
  return {
    amount: sumDecimals(parts.map(({ limit }) => decimal(limit.quantity ?? limit.amountMinor ?? zero.text))),
    window,
    per: per.toSorted(),
    where,
    beyond,
    cycle: first.source.cycle,
    since: parts.map(({ source }) => source.since).reduce((one, other) => (one < other ? one : other)),
    sources: parts.map(({ source }) => source),
  };
}

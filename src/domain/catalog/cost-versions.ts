import { type Instant, instant, type Period } from "../calendar/index.ts";
import { canonicalJson } from "../metering/index.ts";
import type { CatalogIssue } from "./catalog-issue.ts";
import type { CostTable, CostTableVersion } from "./cost-table.ts";

/**
 * The versions that publishing a table adds, and what is wrong with them. What usage was priced by never changes: a
 * published version stays as it is, and a new one begins after all of them and not before now. Of a table that is new
 * everything may lie in the past.
 * @param path of the table in its catalog
 */
export function newCostVersions(
  published: CostTable | undefined,
  table: CostTable,
  now: Instant,
  path: string,
): { readonly versions: readonly CostTableVersion[]; readonly issues: readonly CatalogIssue[] } {
  if (published === undefined) return { versions: table.versions, issues: [] };
  const known = new Map(published.versions.map((version) => [version.effectiveAt, version]));
  const newest = published.versions.at(-1)?.effectiveAt;
  const issues: CatalogIssue[] = fixedIssues(published, table, path);
  const versions = table.versions.filter((version, index) => {
    const place = `${path}.versions[${index}]`;
    const before = known.get(version.effectiveAt);
    if (before !== undefined) {
      if (canonicalJson(before) !== canonicalJson(version)) {
        const message =
          "was published with other costs and stays as it was: add a version that is effective later";
        issues.push({ path: `${place}.rows`, message });
      }
      return false;
    }
    const message = tooEarly(version, newest, now);
    if (message !== null) issues.push({ path: `${place}.effectiveAt`, message });
    return true;
  });
  return { versions, issues };
}

function fixedIssues(published: CostTable, table: CostTable, path: string): CatalogIssue[] {
  return (["currency", "dimensions"] as const).flatMap((field) =>
    canonicalJson(published[field]) === canonicalJson(table[field])
      ? []
      : [
          {
            path: `${path}.${field}`,
            message: `was published as ${published[field]}: declare another table`,
          },
        ],
  );
}

function tooEarly(
  { effectiveAt }: CostTableVersion,
  newest: string | undefined,
  now: Instant,
): string | null {
  if (newest !== undefined && instant(effectiveAt) < instant(newest)) {
    return `must be later than ${newest}, when the newest published version begins`;
  }
  return instant(effectiveAt) < now
    ? "is in the past, where usage has its price: write a time to come"
    : null;
}

/** The parts of a period with the costs in force in each, in the order of time; the first version also holds before. */
export function costPeriods(
  versions: readonly CostTableVersion[],
  { start, end }: Period,
): { readonly version: CostTableVersion; readonly period: Period }[] {
  return versions.flatMap((version, index) => {
    const since = index === 0 ? start : instant(version.effectiveAt);
    const next = versions[index + 1];
    const until = next === undefined ? end : instant(next.effectiveAt);
    const period = { start: since > start ? since : start, end: until < end ? until : end };
    return period.start < period.end ? [{ version, period }] : [];
  });
}

import { decimal } from "../money/index.ts";
import type { CatalogIssue } from "./catalog-issue.ts";

/** Tiers, steps and bands follow one another, and only the last has no end. */
export function followingIssues(
  bands: readonly { readonly upTo: string | null }[],
  path: string,
  word: "tier" | "step" | "band",
): CatalogIssue[] {
  const issues: CatalogIssue[] = [];
  bands.forEach(({ upTo }, index) => {
    const where = `${path}[${index}].upTo`;
    const isLast = index === bands.length - 1;
    if (isLast && upTo !== null) {
      issues.push({ path: where, message: `must be null: the last ${word} has no end` });
    }
    if (isLast) return;
    const before = bands[index - 1]?.upTo ?? null;
    if (upTo === null) {
      issues.push({ path: where, message: `write where the ${word} ends: only the last one is without end` });
    } else if (before !== null && !decimal(upTo).isGreaterThan(decimal(before))) {
      issues.push({ path: where, message: `must be more than ${before}, where the ${word} before it ends` });
    }
  });
  return issues;
}

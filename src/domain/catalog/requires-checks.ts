import type { CatalogIssue } from "./catalog-issue.ts";

interface Requiring {
  readonly key: string;
  readonly requires?: readonly string[];
}

/** Add-ons require plans that there are, and never, over others, themselves. */
export function requiresIssues(plans: readonly Requiring[], path: string): CatalogIssue[] {
  const byKey = new Map(plans.toReversed().map((plan) => [plan.key, plan]));
  return plans.flatMap((plan, index) =>
    (plan.requires ?? []).flatMap((required, each): CatalogIssue[] => {
      const place = `${path}[${index}].requires[${each}]`;
      if (plan.requires?.indexOf(required) !== each)
        return [{ path: place, message: `"${required}" is named twice` }];
      if (!byKey.has(required)) {
        return [{ path: place, message: `there is no plan "${required}": declare it under plans` }];
      }
      const way = wayTo(plan.key, required, byKey, []);
      if (way === null) return [];
      const message = `makes a circle, ${[plan.key, ...way].join(" → ")}: remove one of these requirements`;
      return [{ path: place, message }];
    }),
  );
}

/** The requirements that lead from one plan to another; null when none do. */
function wayTo(
  target: string,
  from: string,
  plans: ReadonlyMap<string, Requiring>,
  passed: readonly string[],
): string[] | null {
  if (from === target) return [from];
  if (passed.includes(from)) return null;
  for (const next of plans.get(from)?.requires ?? []) {
    const rest = wayTo(target, next, plans, [...passed, from]);
    if (rest !== null) return [from, ...rest];
  }
  return null;
}

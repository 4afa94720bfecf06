import { canonicalJson } from "../metering/index.ts";
import type { Catalog, PlanDefinition, PlanVersion } from "./plan.ts";

/** What publishing a catalog does to one plan, and the version new subscribers then get. */
export type PlanChange = {
  readonly planKey: string;
  readonly change: "new" | "changed" | "unchanged";
  readonly version: number;
};

/**
 * The canonical text of all that a plan says, its version left out. Plans with equal text are the same
 * plan; any difference, the order of prices included, makes a new version.
 */
export function planFingerprint(plan: PlanDefinition & { readonly version?: number }): string {
  const { version: _version, ...said } = plan;
  return canonicalJson(said);
}

/**
 * Compares the versions there are with a catalog to be published, plan by plan in the catalog's order. A
 * plan that the catalog no longer has is not listed: its versions stay as they are.
 */
export function diffCatalog(current: readonly PlanVersion[], next: Catalog): PlanChange[] {
  const latest = new Map<string, PlanVersion>();
  for (const plan of current) {
    if (plan.version > (latest.get(plan.key)?.version ?? 0)) latest.set(plan.key, plan);
  }
  return next.plans.map((plan): PlanChange => {
    const before = latest.get(plan.key);
    if (!before) return { planKey: plan.key, change: "new", version: 1 };
    if (planFingerprint(before) === planFingerprint(plan)) {
      return { planKey: plan.key, change: "unchanged", version: before.version };
    }
    return { planKey: plan.key, change: "changed", version: before.version + 1 };
  });
}

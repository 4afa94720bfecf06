import { and, desc, eq } from "drizzle-orm";
import type { PlanVersion } from "../../domain/catalog/index.ts";
import type { Tx } from "../database.ts";
import { plan } from "../schema/catalog.ts";
import { type KnownPlans, learnPlans, versionKey } from "./terms-histories.ts";

/** A plan as it was sold; undefined when there is no such version. */
export async function planVersion(tx: Tx, key: string, version: number): Promise<PlanVersion | undefined> {
  const [row] = await tx
    .select()
    .from(plan)
    .where(and(eq(plan.key, key), eq(plan.version, version)));
  return row && { ...row.definition, version: row.version };
}

/** What new subscribers get today; undefined when there is no such plan. @param known what was read before, and is from now on */
export async function latestPlan(
  tx: Tx,
  key: string,
  known: KnownPlans = new Map(),
): Promise<PlanVersion | undefined> {
  const [newest] = await tx
    .select({ planKey: plan.key, planVersion: plan.version })
    .from(plan)
    .where(eq(plan.key, key))
    .orderBy(desc(plan.version))
    .limit(1);
  return newest && (await learnPlans(tx, [newest], known)).get(versionKey(key, newest.planVersion));
}

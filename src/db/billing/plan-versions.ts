import { and, desc, eq } from "drizzle-orm";
import type { PlanVersion } from "../../domain/catalog/index.ts";
import type { Tx } from "../database.ts";
import { plan } from "../schema/catalog.ts";

/** A plan as it was sold; undefined when there is no such version. */
export async function planVersion(tx: Tx, key: string, version: number): Promise<PlanVersion | undefined> {
  const [row] = await tx
    .select()
    .from(plan)
    .where(and(eq(plan.key, key), eq(plan.version, version)));
  return row && { ...row.definition, version: row.version };
}

/** What new subscribers get today; undefined when there is no such plan. */
export async function latestPlan(tx: Tx, key: string): Promise<PlanVersion | undefined> {
  const [row] = await tx.select().from(plan).where(eq(plan.key, key)).orderBy(desc(plan.version)).limit(1);
  return row && { ...row.definition, version: row.version };
}

import { and, desc, eq } from "drizzle-orm";
import type { PlanVersion } from "../../domain/catalog/index.ts";
import type { Meter } from "../../domain/metering/index.ts";
import type { Tx } from "../database.ts";
import { meter, plan } from "../schema/catalog.ts";

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

/** The meters in force: of each key the newest version. */
export async function currentMeters(tx: Tx): Promise<Meter[]> {
  const found = await tx
    .selectDistinctOn([meter.key], { definition: meter.definition })
    .from(meter)
    .orderBy(meter.key, desc(meter.version));
  return found.map(({ definition }) => definition);
}

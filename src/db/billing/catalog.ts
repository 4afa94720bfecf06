import { desc } from "drizzle-orm";
import {
  type Catalog,
  diffCatalog,
  type PlanChange,
  type PlanDefinition,
  type PlanVersion,
  planFingerprint,
  requireStorable,
} from "../../domain/catalog/index.ts";
import { BillingError } from "../../domain/errors.ts";
import { canonicalJson, type Meter } from "../../domain/metering/index.ts";
import { sql, type Tx } from "../database.ts";
import { meter, plan } from "../schema/catalog.ts";
import { currentMeters } from "./plan-versions.ts";

/** What is counted stays counted as it was: a meter that changed its meaning would mix two quantities. */
export class MeterChangedError extends BillingError {
  readonly code = "meter_changed";

  constructor(key: string, index: number) {
    super(
      `meter "${key}" is in use and cannot change: declare a new meter with another key`,
      `meters[${index}]`,
    );
  }
}

/** The newest version of every plan, by key. */
export async function latestPlans(tx: Tx): Promise<PlanVersion[]> {
  const found = await tx.select().from(plan).orderBy(plan.key, desc(plan.version));
  const newest = found.filter(({ key }, index) => found[index - 1]?.key !== key);
  return newest.map(({ definition, version }) => ({ ...definition, version }));
}

/**
 * Publishes a whole catalog: a plan that differs from its newest version gets a new one, all others stay. Subscriptions
 * keep the version they are on. Give it a transaction: publications wait for each other in it.
 * @throws MeterChangedError, MeterNotStorableError
 */
export async function publishCatalog(tx: Tx, catalog: Catalog): Promise<PlanChange[]> {
  await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended('catalog', 0))`);
  requireStorable(catalog.meters);
  await publishMeters(tx, catalog.meters);
  const changes = diffCatalog(await latestPlans(tx), catalog);
  const definitions = new Map(catalog.plans.map((definition) => [definition.key, definition]));
  const versions = changes.flatMap(({ planKey, change, version }) => {
    const definition = definitions.get(planKey);
    return definition && change !== "unchanged" ? [versionRow(definition, version)] : [];
  });
  if (versions.length > 0) await tx.insert(plan).values(versions);
  return changes;
}

function versionRow(definition: PlanDefinition, version: number) {
  return { key: definition.key, version, definition, fingerprint: planFingerprint(definition) };
}

async function publishMeters(tx: Tx, meters: readonly Meter[]): Promise<void> {
  const inForce = new Map(
    (await currentMeters(tx)).map((definition) => [definition.key, canonicalJson(definition)]),
  );
  const added = meters.filter(({ key }) => !inForce.has(key));
  for (const [index, definition] of meters.entries()) {
    const before = inForce.get(definition.key);
    if (before !== undefined && before !== canonicalJson(definition))
      throw new MeterChangedError(definition.key, index);
  }
  if (added.length > 0) {
    await tx
      .insert(meter)
      .values(added.map((definition) => ({ key: definition.key, version: 1, definition })));
  }
}

import { desc } from "drizzle-orm";
import {
  type Catalog,
  diffCatalog,
  type Feature,
  type PlanChange,
  type PlanDefinition,
  type PlanVersion,
  planFingerprint,
} from "../../domain/catalog/index.ts";
import { BillingError } from "../../domain/errors.ts";
import { canonicalJson, diffMeters, type Meter } from "../../domain/metering/index.ts";
import { rows, sql, type Tx } from "../database.ts";
import { feature, meter, plan } from "../schema/catalog.ts";
import { publishedMeters } from "../usage/meters-in-force.ts";
import { publishCostTables } from "./cost-tables.ts";
import { publishDunningPolicies } from "./dunning-policies.ts";

/** A plan that was sold asks for usage in a way that the meter would tell no more. */
export class MeterInUseError extends BillingError {
  readonly code = "meter_in_use";

  constructor(key: string, dimension: string, plan: string, index: number) {
    super(
      `meter "${key}" needs its dimension "${dimension}": plan "${plan}" was sold with a price or a limit for it. Declare another meter`,
      `meters[${index}].dimensions`,
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
 * @throws MeterInUseError, CatalogInvalidError for what a cost table said already
 */
export async function publishCatalog(tx: Tx, catalog: Catalog): Promise<PlanChange[]> {
  await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended('catalog', 0))`);
  await publishMeters(tx, catalog.meters);
  await publishCostTables(tx, catalog.costTables ?? []);
  await publishFeatures(tx, catalog.features ?? []);
  await publishDunningPolicies(tx, catalog.dunningPolicies ?? []);
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

/** The newest version of every feature, by key. */
export async function latestFeatures(tx: Tx): Promise<Feature[]> {
  return (await newestFeatures(tx)).map(({ definition }) => definition);
}

async function newestFeatures(tx: Tx) {
  return await tx.selectDistinctOn([feature.key]).from(feature).orderBy(feature.key, desc(feature.version));
}

/** A feature that says anything else than its newest version gets a new one. */
async function publishFeatures(tx: Tx, features: readonly Feature[]): Promise<void> {
  if (features.length === 0) return;
  const newest = new Map((await newestFeatures(tx)).map((row) => [row.key, row]));
  const added = features.flatMap((definition) => {
    const before = newest.get(definition.key);
    if (before !== undefined && canonicalJson(before.definition) === canonicalJson(definition)) return [];
    return [{ key: definition.key, version: (before?.version ?? 0) + 1, definition }];
  });
  if (added.length > 0) await tx.insert(feature).values(added);
}

/** A meter that says anything else than its newest version gets a new one; periods that have begun keep theirs. */
async function publishMeters(tx: Tx, meters: readonly Meter[]): Promise<void> {
  const changes = diffMeters(await publishedMeters(tx), meters);
  const added = changes.flatMap(({ change, version }, index) => {
    const definition = meters[index];
    return definition === undefined || change === "unchanged"
      ? []
      : [{ key: definition.key, version, definition, index, isNew: change === "new" }];
  });
  for (const { definition, index, isNew } of added) if (!isNew) await requireAsSold(tx, definition, index);
  if (added.length === 0) return;
  await tx.insert(meter).values(added.map(({ key, version, definition }) => ({ key, version, definition })));
}

/** Every price and limit that was ever sold still finds what it is for. @throws MeterInUseError */
export async function requireAsSold(tx: Tx, { key, dimensions }: Meter, index: number): Promise<void> {
  const [lost] = await rows<{ plan: string; dimension: string }>(
    tx,
    sql`select plan, dimension
      from (
        select plan.key as plan, dimension
        from catalog.plan cross join jsonb_array_elements(definition -> 'prices') as price
        cross join lateral (
          select jsonb_object_keys(price -> 'where')
          union select jsonb_array_elements_text(price #> '{model,dimensions}')
        ) as asked (dimension)
        where price ->> 'meter' = ${key}
        union all
        select plan.key, dimension
        from catalog.plan cross join jsonb_array_elements(plan.definition -> 'entitlements') as given
        join catalog.feature on feature.key = given ->> 'feature' and feature.definition ->> 'meter' = ${key}
        cross join jsonb_array_elements(given -> 'limits') as sold
        cross join lateral (
          select jsonb_object_keys(sold -> 'where') union select jsonb_array_elements_text(sold -> 'per')
        ) as asked (dimension)
      ) as needed
      where dimension not in (select json_array_elements_text(${JSON.stringify(dimensions)}::text::json))
      limit 1`,
  );
  if (lost !== undefined) throw new MeterInUseError(key, lost.dimension, lost.plan, index);
}

import { z } from "zod";
import { latestFeatures, latestPlans, requireAsSold } from "../../db/billing/catalog.ts";
import { newCosts } from "../../db/billing/cost-tables.ts";
import { latestDunningPolicies } from "../../db/billing/dunning-policies.ts";
import { subscriptionsByVersion, type VersionSubscriptions } from "../../db/billing/plan-subscriptions.ts";
import { inSnapshot, type Tx } from "../../db/database.ts";
import { newestVersions, publishedMeters } from "../../db/usage/meters-in-force.ts";
import { type Difference, differencesBetween } from "../../domain/catalog/differences.ts";
import { type Catalog, diffCatalog, type PlanVersion } from "../../domain/catalog/index.ts";
import { diffMeters, type JsonValue } from "../../domain/metering/index.ts";
import type { ApiInstance } from "../api-instance.ts";
import { catalogJsonSchemaText } from "../catalog-json-schema.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { catalogOf, refusedCatalog, toWire } from "./catalog.ts";
import { catalogInput } from "./catalog-schemas.ts";

const differences = z.array(
  z
    .object({
      path: z.string().describe("Parts of a list are named by their key.").meta({
        example: "prices[tokens].model.tiers[1].unit_price_minor",
      }),
      change: z.enum(["added", "removed", "changed", "reordered"]),
      before: z.unknown().describe("Null for what is added."),
      after: z.unknown().describe("Null for what is removed."),
    })
    .meta({ id: "CatalogDifference" }),
);

const change = z.enum(["new", "changed", "unchanged"]);
const version = z.int().describe("What new subscriptions would get.");

const subscriptions = z
  .array(z.object({ version: z.int(), count: z.int() }))
  .describe("How many subscriptions are on which version. They stay on it until each is moved.");

const answer = z
  .object({
    meters: z.array(z.object({ key: z.string(), change, version, differences })),
    plans: z.array(
      z.object({
        key: z.string(),
        name: z.string(),
        currency: z.string(),
        change,
        version,
        current_version: z.int().nullable().describe("Null for a new plan."),
        differences,
        subscriptions,
      }),
    ),
    cost_tables: z.array(
      z.object({
        key: z.string(),
        change,
        new_versions: z
          .array(z.string())
          .describe("From when on they hold. Usage before is priced as it was."),
      }),
    ),
    features: z.array(z.object({ key: z.string(), change, differences })),
    dunning_policies: z.array(z.object({ key: z.string(), change, differences })),
    left_out: z
      .array(z.object({ key: z.string(), name: z.string(), version: z.int(), subscriptions }))
      .describe("Plans that the catalog does not name. They stay as they are."),
  })
  .meta({ id: "CatalogPlan" });

/** Publishing, without doing it. */
export function catalogPlanRoutes(api: ApiInstance, { db }: Pick<ApiDependencies, "db">): void {
  api.post(
    "/v1/catalog/plan",
    {
      config: { scope: "read", repeatable: true, refusals: ["catalog_invalid", "meter_in_use"] },
      schema: {
        tags: ["Catalog"],
        summary: "What publishing a catalog would change",
        description:
          "Plan by plan and field by field, with the subscriptions on each version. Nothing is written.",
        body: catalogInput,
        response: { 200: answer },
      },
    },
    async ({ body }) => {
      const catalog = catalogOf(body);
      return await inSnapshot(db, (tx) => planned(tx, catalog)).catch((error: unknown) => {
        throw refusedCatalog(error);
      });
    },
  );
  const schema = catalogJsonSchemaText();
  // For editors, which have no key.
  api.get("/catalog.schema.json", { schema: { hide: true } }, (_request, reply) =>
    reply.type("application/schema+json; charset=utf-8").serializer(String).send(schema),
  );
}

async function planned(tx: Tx, catalog: Catalog): Promise<z.infer<typeof answer>> {
  const current = await latestPlans(tx);
  const counts = await subscriptionsByVersion(tx);
  const latest = new Map(current.map((plan) => [plan.key, plan]));
  const changes = diffCatalog(current, catalog);
  return {
    meters: await plannedMeters(tx, catalog),
    plans: catalog.plans.flatMap((plan, index) => {
      const planChange = changes[index];
      if (planChange === undefined) return [];
      const before = latest.get(plan.key);
      return {
        key: plan.key,
        name: plan.name,
        currency: plan.currency,
        change: planChange.change,
        version: planChange.version,
        current_version: before?.version ?? null,
        differences: before === undefined ? [] : differencesOf(definitionOf(before), plan),
        subscriptions: subscriptionsOf(plan.key, counts),
      };
    }),
    cost_tables: (await newCosts(tx, catalog.costTables ?? [])).map(({ table, isNew, versions }) => ({
      key: table.key,
      change: costChange(isNew, versions.length),
      new_versions: versions.map(({ effectiveAt }) => effectiveAt),
    })),
    features: plannedByKey(await latestFeatures(tx), catalog.features ?? []),
    dunning_policies: plannedByKey(await latestDunningPolicies(tx), catalog.dunningPolicies ?? []),
    left_out: current
      .filter(({ key }) => !catalog.plans.some((plan) => plan.key === key))
      .map(({ key, name, version: standing }) => ({
        key,
        name,
        version: standing,
        subscriptions: subscriptionsOf(key, counts),
      })),
  };
}

async function plannedMeters(tx: Tx, { meters }: Catalog) {
  const published = await publishedMeters(tx);
  const newest = new Map(newestVersions(published).map((meter) => [meter.key, meter]));
  const changes = diffMeters(published, meters);
  for (const [index, meter] of meters.entries()) {
    if (changes[index]?.change === "changed") await requireAsSold(tx, meter, index);
  }
  return changes.map(({ meterKey, change: meterChange, version: next }, index) => {
    const before = newest.get(meterKey);
    if (before === undefined) return { key: meterKey, change: meterChange, version: next, differences: [] };
    const { version: _version, publishedAt: _at, number: _number, ...definition } = before;
    const found = differencesOf(definition, meters[index] ?? definition);
    return { key: meterKey, change: meterChange, version: next, differences: found };
  });
}

function costChange(isNew: boolean, newVersions: number) {
  if (isNew) return "new";
  return newVersions > 0 ? "changed" : "unchanged";
}

/** Of what is published by its key: features, dunning policies. */
function plannedByKey<Keyed extends { readonly key: string }>(
  newest: readonly Keyed[],
  next: readonly Keyed[],
) {
  const published = new Map(newest.map((each) => [each.key, each]));
  return next.map((each) => {
    const before = published.get(each.key);
    const found = before === undefined ? [] : differencesOf(before, each);
    const unpublished = before === undefined ? ("new" as const) : ("changed" as const);
    return {
      key: each.key,
      change: before !== undefined && found.length === 0 ? ("unchanged" as const) : unpublished,
      differences: found,
    };
  });
}

/** As the API writes them: the paths are those of a catalog file. */
const differencesOf = (before: object, after: object): Difference[] =>
  differencesBetween(toWire(before) as JsonValue, toWire(after) as JsonValue);

function definitionOf({ version: _version, ...definition }: PlanVersion) {
  return definition;
}

const subscriptionsOf = (key: string, counts: readonly VersionSubscriptions[]) =>
  counts.filter(({ planKey }) => planKey === key).map(({ version: on, count }) => ({ version: on, count }));

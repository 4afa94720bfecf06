import { z } from "zod";
import { latestFeatures, latestPlans, publishCatalog } from "../../db/billing/catalog.ts";
import { publishedTables } from "../../db/billing/cost-tables.ts";
import { latestDunningPolicies } from "../../db/billing/dunning-policies.ts";
import { latestPlan, planVersion } from "../../db/billing/plan-versions.ts";
import { type Database, inTransaction } from "../../db/database.ts";
import { newestVersions, publishedMeters, type StoredMeter } from "../../db/usage/meters-in-force.ts";
import { customersToReplay, replayQuarantined } from "../../db/usage/usage-quarantine.ts";
import { CatalogInvalidError, parseCatalog } from "../../domain/catalog/index.ts";
import type { Meter } from "../../domain/metering/index.ts";
import type { ApiInstance } from "../api-instance.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { camelCase, renameFields, snakeCase } from "../field-names.ts";
import { found, RequestRefusedError } from "../refusals.ts";
import { textInput } from "../wire.ts";
import { catalogChangesSchema, catalogInput, catalogSchema, planSchema } from "./catalog-schemas.ts";

const tags = ["Catalog"];

export function catalogRoutes(api: ApiInstance, deps: ApiDependencies): void {
  putCatalog(api, deps);
  getCatalog(api, deps);
  getPlan(api, deps);
}

function putCatalog(api: ApiInstance, { db }: ApiDependencies): void {
  api.put(
    "/v1/catalog",
    {
      config: { scope: "admin", refusals: ["catalog_invalid", "meter_in_use"] },
      schema: {
        tags,
        summary: "Publish the whole catalog",
        description:
          "A plan that differs from its newest version gets a new one; subscriptions stay on theirs. Publishing the " +
          "same catalog again changes nothing. Plans, cost tables and features that are left out stay.",
        body: catalogInput,
        response: { 200: catalogChangesSchema },
      },
    },
    async ({ body }) => {
      const catalog = catalogOf(body);
      const changes = await inTransaction(db, (tx) => publishCatalog(tx, catalog)).catch((error: unknown) => {
        throw refusedCatalog(error);
      });
      await replayForNewMeters(db);
      return { plans: changes.map(({ planKey, version, change }) => ({ key: planKey, version, change })) };
    },
  );
}

/** Usage that waited for a meter counts from now on. Customer by customer, so that none waits for another. */
async function replayForNewMeters(db: Database): Promise<void> {
  const meters = await publishedMeters(db.orm);
  for (const customerId of await customersToReplay(db.orm)) {
    await inTransaction(db, (tx) => replayQuarantined(tx, { customerId, meters }));
  }
}

function getCatalog(api: ApiInstance, { db }: ApiDependencies): void {
  api.get(
    "/v1/catalog",
    {
      config: { scope: "read" },
      schema: {
        tags,
        summary:
          "The meters, the newest version of every plan, the cost tables, the features and the dunning policies",
        response: { 200: catalogSchema },
      },
    },
    async () => {
      const [meters, plans, costTables, features, dunningPolicies] = await Promise.all([
        publishedMeters(db.orm),
        latestPlans(db.orm),
        publishedTables(db.orm),
        latestFeatures(db.orm),
        latestDunningPolicies(db.orm),
      ]);
      const others = { costTables, features, dunningPolicies };
      const published = { meters: newestVersions(meters).map(definitionOf), plans, ...others };
      return catalogSchema.parse(toWire(published));
    },
  );
}

const definitionOf = ({
  number: _number,
  version: _version,
  publishedAt: _at,
  ...definition
}: StoredMeter): Meter => definition;

const planQuery = z.strictObject({
  version: z.coerce.number().int().min(1).max(1_000_000).optional().describe("The newest one when left out."),
});

function getPlan(api: ApiInstance, { db }: ApiDependencies): void {
  api.get(
    "/v1/plans/:key",
    {
      config: { scope: "read", refusals: ["plan_not_found"] },
      schema: {
        tags,
        summary: "A plan, in its newest or in a given version",
        params: z.strictObject({ key: textInput(64) }),
        querystring: planQuery,
        response: { 200: planSchema },
      },
    },
    async ({ params: { key }, query: { version } }) => {
      const plan = version === undefined ? latestPlan(db.orm, key) : planVersion(db.orm, key, version);
      const name = version === undefined ? key : `${key} version ${version}`;
      return planSchema.parse(toWire(found(await plan, "plan", name)));
    },
  );
}

/** The keys inside are dimensions and classes of tokens, which the catalog's author has named. */
export const namedByCaller = new Set(["where", "values", "rates", "defaults", "markups", "costs"]);

/** As requests and answers write it. */
export const toWire = (value: unknown) => renameFields(value, snakeCase, namedByCaller);

/** @throws RequestRefusedError `catalog_invalid` with the first place at fault as its field */
export function catalogOf(body: z.infer<typeof catalogInput>) {
  try {
    return parseCatalog(renameFields(body, camelCase, namedByCaller));
  } catch (error) {
    throw refusedCatalog(error);
  }
}

/** What is wrong with a catalog in the words of a request; anything else as it is. */
export function refusedCatalog(error: unknown): unknown {
  if (!(error instanceof CatalogInvalidError)) return error;
  const faults = error.issues.map(({ path, message }) => ({ field: snakeCase(path), detail: message }));
  const all = faults.map(({ field, detail }) => `${field}: ${detail}`).join("; ");
  return new RequestRefusedError(error.code, all, faults[0]?.field, faults);
}

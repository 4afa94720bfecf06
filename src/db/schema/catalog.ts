import { sql } from "drizzle-orm";
import { integer, jsonb, pgSchema, primaryKey, text } from "drizzle-orm/pg-core";
import type { CostRow, Feature, Meter, PlanDefinition } from "../../domain/catalog/index.ts";
import type { NamedDunningPolicy } from "../../domain/lifecycle/index.ts";
import { instantColumn } from "./columns.ts";

export const catalog = pgSchema("catalog");

export const meter = catalog.table(
  "meter",
  {
    key: text().notNull(),
    version: integer().notNull(),
    definition: jsonb().$type<Meter>().notNull(),
    createdAt: instantColumn("created_at").notNull().default(sql`clock_timestamp()`),
    /** What usage calls this version. */
    number: integer().notNull().generatedAlwaysAsIdentity(),
  },
  (table) => [primaryKey({ columns: [table.key, table.version] })],
);

export const plan = catalog.table(
  "plan",
  {
    key: text().notNull(),
    version: integer().notNull(),
    definition: jsonb().$type<PlanDefinition>().notNull(),
    fingerprint: text().notNull(),
  },
  (table) => [primaryKey({ columns: [table.key, table.version] })],
);

/** A version of what a provider charges. */
export const costTable = catalog.table(
  "cost_table",
  {
    key: text().notNull(),
    effectiveAt: instantColumn("effective_at").notNull(),
    name: text().notNull(),
    currency: text().notNull(),
    dimensions: jsonb().$type<readonly string[]>().notNull(),
    rows: jsonb().$type<readonly CostRow[]>().notNull(),
  },
  (table) => [primaryKey({ columns: [table.key, table.effectiveAt] })],
);

export const feature = catalog.table(
  "feature",
  {
    key: text().notNull(),
    version: integer().notNull(),
    definition: jsonb().$type<Feature>().notNull(),
  },
  (table) => [primaryKey({ columns: [table.key, table.version] })],
);

/** What plans and customers may choose by its key; the newest version counts for a dunning that begins. */
export const dunningPolicy = catalog.table(
  "dunning_policy",
  {
    key: text().notNull(),
    version: integer().notNull(),
    definition: jsonb().$type<NamedDunningPolicy>().notNull(),
  },
  (table) => [primaryKey({ columns: [table.key, table.version] })],
);

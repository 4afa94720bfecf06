import { integer, jsonb, pgSchema, primaryKey, text } from "drizzle-orm/pg-core";
import type { Meter, PlanDefinition } from "../../domain/catalog/index.ts";

export const catalog = pgSchema("catalog");

export const meter = catalog.table(
  "meter",
  {
    key: text().notNull(),
    version: integer().notNull(),
    definition: jsonb().$type<Meter>().notNull(),
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

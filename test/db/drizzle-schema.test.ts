import { type Column, getTableColumns, is, Table, View } from "drizzle-orm";
import { getTableConfig, getViewConfig, type PgTable } from "drizzle-orm/pg-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Database, openDatabase } from "../../src/db/database.ts";
import * as access from "../../src/db/schema/access.ts";
import * as adjustments from "../../src/db/schema/adjustments.ts";
import * as anomalies from "../../src/db/schema/anomalies.ts";
import * as audit from "../../src/db/schema/audit.ts";
import * as billing from "../../src/db/schema/billing.ts";
import * as budgets from "../../src/db/schema/budgets.ts";
import * as catalog from "../../src/db/schema/catalog.ts";
import * as creditGrants from "../../src/db/schema/credit-grants.ts";
import * as dunning from "../../src/db/schema/dunning.ts";
import * as edge from "../../src/db/schema/edge.ts";
import * as featureGrants from "../../src/db/schema/feature-grants.ts";
import * as invoiceDocuments from "../../src/db/schema/invoice-documents.ts";
import * as lateUsage from "../../src/db/schema/late-usage.ts";
import * as ledger from "../../src/db/schema/ledger.ts";
import * as holds from "../../src/db/schema/ledger-holds.ts";
import * as seals from "../../src/db/schema/ledger-seals.ts";
import * as moneyOut from "../../src/db/schema/money-out.ts";
import * as notices from "../../src/db/schema/notices.ts";
import * as operations from "../../src/db/schema/operations.ts";
import * as pricing from "../../src/db/schema/pricing.ts";
import * as promotions from "../../src/db/schema/promotions.ts";
import * as reservations from "../../src/db/schema/reservations.ts";
import * as scheduledChanges from "../../src/db/schema/scheduled-changes.ts";
import * as stripe from "../../src/db/schema/stripe.ts";
import * as tax from "../../src/db/schema/tax.ts";
import * as usage from "../../src/db/schema/usage.ts";
import * as usageArchive from "../../src/db/schema/usage-archive.ts";
import * as usageCorrections from "../../src/db/schema/usage-corrections.ts";
import * as usageLog from "../../src/db/schema/usage-log.ts";
import * as usageMeterBackfill from "../../src/db/schema/usage-meter-backfill.ts";
import * as usageWatermarks from "../../src/db/schema/usage-watermarks.ts";
import { cloneDatabase, type TestDatabase } from "../support/postgres.ts";

/** What Drizzle believes of the database is what the migrations made. Columns that nobody reads by it need not be declared. */
let clone: TestDatabase;
let owner: Database;

beforeAll(async () => {
  clone = await cloneDatabase();
  owner = openDatabase({ url: clone.ownerUrl, poolSize: 1 });
});

afterAll(async () => {
  await owner.close();
  await clone.drop();
});

const declared: unknown[] = [
  access,
  adjustments,
  audit,
  anomalies,
  billing,
  budgets,
  promotions,
  catalog,
  dunning,
  invoiceDocuments,
  creditGrants,
  edge,
  featureGrants,
  lateUsage,
  ledger,
  holds,
  moneyOut,
  notices,
  operations,
  seals,
  pricing,
  reservations,
  scheduledChanges,
  stripe,
  tax,
  usage,
  usageArchive,
  usageCorrections,
  usageLog,
  usageMeterBackfill,
  usageWatermarks,
].flatMap((module) => Object.values(module));

/** "schema.table.column type", with "not null" where it is. */
function describe(relation: string, columns: readonly Column[], withNullability: boolean): string[] {
  return columns.map((column) => {
    const nullability = withNullability && column.notNull ? " not null" : "";
    return `${relation}.${column.name} ${typeOf(column)}${nullability}`;
  });
}

/** As the database names it. The domain counts sums and amounts alike, so their precision is the database's alone. */
function typeOf(column: Column): string {
  const type = column.getSQLType().replace(/^numeric\(.*\)$/, "numeric");
  return type.replace(/^timestamptz$/, "timestamp with time zone");
}

/** The columns of every relation of some kinds, from the catalog; partitions are as their tables. */
async function actual(kinds: string, withNullability: boolean): Promise<string[]> {
  const found = await owner.sql<{ described: string }[]>`
    select concat(nspname, '.', relname, '.', attname, ' ', format_type(atttypid, null),
      case when ${withNullability} and attnotnull then ' not null' end) as described
    from pg_class join pg_namespace on pg_namespace.oid = relnamespace
    join pg_attribute on attrelid = pg_class.oid and attnum > 0 and not attisdropped
    where relkind = any (string_to_array(${kinds}, null)) and not relispartition
      and nspname in ('ledger', 'usage', 'catalog', 'billing', 'stripe', 'access', 'notice')`;
  return found.map(({ described }) => described).sort();
}

const relationOf = (described: string) => described.split(".").slice(0, 2).join(".");
const relationsOf = (described: readonly string[]) => [...new Set(described.map(relationOf))].sort();

test("every table is declared, with columns, types and nullability as they are", async () => {
  const tables = declared.filter((value) => is(value, Table)).map((table) => table as PgTable);
  const described = tables.flatMap((table) => {
    const { schema, name } = getTableConfig(table);
    return describe(`${schema}.${name}`, Object.values(getTableColumns(table)), true);
  });
  const found = await actual("rp", true);
  expect(relationsOf(described)).toEqual(relationsOf(found));
  expect(described.filter((column) => !found.includes(column))).toEqual([]);
});

test("views that are declared have those columns and types", async () => {
  const views = declared.filter((value) => is(value, View)).map((view) => getViewConfig(view as never));
  expect(views.length).toBeGreaterThan(2);
  const described = views.flatMap(({ schema, name, selectedFields }) =>
    describe(`${schema}.${name}`, Object.values(selectedFields) as Column[], false),
  );
  const found = await actual("v", false);
  expect(described.filter((column) => !found.includes(column))).toEqual([]);
});

import { randomBytes } from "node:crypto";
import { createDatabase, dropDatabase, roleUrls } from "../../src/sandbox/local-services/postgres-roles.ts";
import { sharedServer } from "./shared-servers.ts";

export interface TestDatabase {
  /** Connects as the role that owns the schema. */
  readonly ownerUrl: string;
  /** Connects as the application's role: what production code is given. */
  readonly appUrl: string;
  /** Removes the database, whoever is still connected. */
  drop(): Promise<void>;
}

/** A database of its own for a test file: a copy of the migrated template, made in some 50 ms. */
export async function cloneDatabase(): Promise<TestDatabase> {
  const { adminUrl, template, passwords } = await sharedServer("postgres");
  return newDatabase(adminUrl, passwords, template);
}

/** A database without any tables, for tests of the migrations themselves. */
export async function emptyDatabase(): Promise<TestDatabase> {
  const { adminUrl, passwords } = await sharedServer("postgres");
  return newDatabase(adminUrl, passwords, "template0");
}

async function newDatabase(adminUrl: string, passwords: Parameters<typeof roleUrls>[2], template: string) {
  const name = `reckoner_test_${randomBytes(8).toString("hex")}`;
  await createDatabase(adminUrl, name, template);
  return { ...roleUrls(adminUrl, name, passwords), drop: () => dropDatabase(adminUrl, name) };
}

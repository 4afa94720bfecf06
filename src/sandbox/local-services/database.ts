import { join } from "node:path";
import postgres from "postgres";
import { LocalServiceError } from "./local-service-error.ts";
import { startPostgres } from "./postgres.ts";
import { createDatabase, databaseExists, ensureRoles, randomPasswords, roleUrls } from "./postgres-roles.ts";
import type { Note } from "./progress.ts";
import { keptSecret } from "./secrets.ts";
import type { ServiceGroup } from "./service-group.ts";

export interface DatabaseUrls {
  readonly appUrl: string;
  readonly ownerUrl: string;
}

const databaseName = "reckoner";

export interface LocalDatabaseOptions {
  readonly group: ServiceGroup;
  readonly home: string;
  readonly port: number;
  readonly note: Note;
}

/** Starts PostgreSQL on the data in `home`, with the database and both roles in it; nothing is migrated yet. */
export async function localDatabase({
  group,
  home,
  port,
  note,
}: LocalDatabaseOptions): Promise<DatabaseUrls> {
  const logFile = join(home, "logs", "postgres.log");
  const server = await startPostgres({ group, folder: join(home, "postgres"), port, logFile, note });
  const passwords = await keptSecret(join(home, "database-passwords.json"), randomPasswords);
  await ensureRoles(server.adminUrl, passwords);
  if (!(await databaseExists(server.adminUrl, databaseName)))
    await createDatabase(server.adminUrl, databaseName);
  return roleUrls(server.adminUrl, databaseName, passwords);
}

/** Refuses a connection string that does not work, with what the server or the network said, but not the password. */
export async function requireConnection(variable: string, url: string): Promise<void> {
  const client = postgres(url, { max: 1, connect_timeout: 10, onnotice: () => {} });
  try {
    await client`select 1`;
  } catch (error) {
    const { host } = new URL(url);
    throw new LocalServiceError(
      `the database of ${variable} at ${host} cannot be used (${reason(error)}): start it or correct the variable, ` +
        "or remove both database URLs to have PostgreSQL started for you",
    );
  } finally {
    await client.end({ timeout: 1 });
  }
}

/** Some network errors carry their reason only as a code. */
function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message || ("code" in error ? String(error.code) : error.name);
}

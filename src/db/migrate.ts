import { fileURLToPath } from "node:url";
import { drizzle } from "drizzle-orm/postgres-js";
import { migrate as runMigrations } from "drizzle-orm/postgres-js/migrator";
import postgres from "postgres";

export interface MigrationTarget {
  /** Connects as the role that owns the schema. */
  readonly ownerUrl: string;
  /** The application's own connection string; its login role becomes a member of `reckoner_app`. */
  readonly appUrl: string;
}

const migrationsFolder = fileURLToPath(new URL("../../drizzle", import.meta.url));

/** Brings the schema up to date and lets the application's login role use it. Running it again changes nothing. */
export async function migrate({ ownerUrl, appUrl }: MigrationTarget): Promise<void> {
  const client = postgres(ownerUrl, { max: 1, onnotice: () => {} });
  try {
    await runMigrations(drizzle(client), {
      migrationsFolder,
      migrationsSchema: "public",
      migrationsTable: "migration",
    });
    await admitLogin(client, new URL(appUrl));
  } finally {
    await client.end();
  }
}

/** The login role is made when it is missing and the owner may do so; otherwise an administrator has made it. */
async function admitLogin(client: postgres.Sql, { username, password }: URL): Promise<void> {
  const login = decodeURIComponent(username);
  const [known] = await client`select 1 from pg_roles where rolname = ${login}`;
  if (!known) {
    const [row] = await client<{ statement: string }[]>`
      select format('create role %I login password %L', ${login}::text, ${decodeURIComponent(password)}::text) as statement`;
    if (row) await client.unsafe(row.statement);
  }
  const [member] = await client`select pg_has_role(${login}, 'reckoner_app', 'member') as is_member`;
  if (!member?.is_member) await client`grant reckoner_app to ${client(login)}`;
}

if (import.meta.main) {
  const { configurationOrExit, loadMigrationConfig } = await import("../config.ts");
  const { startOrExit } = await import("../start-failure.ts");
  const target = configurationOrExit(loadMigrationConfig);
  await startOrExit(() => migrate(target), {
    database: { url: target.ownerUrl, variable: "DATABASE_OWNER_URL" },
  });
}

import postgres from "postgres";
import { randomSecret } from "./secrets.ts";

/** The two roles: the owner makes the schema, the application's owns nothing and so cannot switch a rule off. */
export const ownerRole = "reckoner_owner";
export const applicationRole = "reckoner_app";

export interface RolePasswords {
  readonly owner: string;
  readonly application: string;
}

export const randomPasswords = (): RolePasswords => ({ owner: randomSecret(), application: randomSecret() });

/** Makes both roles where they are missing and gives them these passwords. */
export async function ensureRoles(adminUrl: string, passwords: RolePasswords): Promise<void> {
  await asAdmin(adminUrl, async (admin) => {
    for (const [role, password] of [
      [ownerRole, passwords.owner],
      [applicationRole, passwords.application],
    ] as const) {
      const [known] = await admin`select 1 from pg_roles where rolname = ${role}`;
      const [row] = await admin<{ statement: string }[]>`
        select format(${known ? "alter" : "create"} || ' role %I login password %L', ${role}::text, ${password}::text) as statement`;
      if (row) await admin.unsafe(row.statement);
    }
    // The owner lets login roles of other deployments in, as a managed database's administrator would.
    await admin`alter role ${admin(ownerRole)} createrole`;
    await admin`grant ${admin(applicationRole)} to ${admin(ownerRole)} with admin option, inherit false`;
  });
}

/** Makes an empty database, or a copy of `template`, that belongs to the owner role. */
export async function createDatabase(adminUrl: string, name: string, template = "template0"): Promise<void> {
  await asAdmin(
    adminUrl,
    (admin) => admin`create database ${admin(name)} owner ${admin(ownerRole)} template ${admin(template)}`,
  );
}

export async function databaseExists(adminUrl: string, name: string): Promise<boolean> {
  return asAdmin(
    adminUrl,
    async (admin) => (await admin`select 1 from pg_database where datname = ${name}`).length > 0,
  );
}

/** Removes a database, whoever is still connected to it. */
export async function dropDatabase(adminUrl: string, name: string): Promise<void> {
  await asAdmin(adminUrl, (admin) => admin`drop database if exists ${admin(name)} with (force)`);
}

/** The connection strings of both roles for a database on the server of `adminUrl`. */
export function roleUrls(adminUrl: string, database: string, passwords: RolePasswords) {
  const urlOf = (role: string, password: string) => {
    const url = new URL(adminUrl);
    url.username = role;
    url.password = encodeURIComponent(password);
    url.pathname = `/${database}`;
    return url.href;
  };
  return {
    ownerUrl: urlOf(ownerRole, passwords.owner),
    appUrl: urlOf(applicationRole, passwords.application),
  };
}

async function asAdmin<T>(adminUrl: string, work: (admin: postgres.Sql) => Promise<T>): Promise<T> {
  const admin = postgres(adminUrl, { max: 1, onnotice: () => {} });
  try {
    return await work(admin);
  } finally {
    await admin.end();
  }
}

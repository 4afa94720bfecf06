import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import postgres from "postgres";
import { afterAll, beforeAll, expect, test } from "vitest";
import { inTransaction, openDatabase } from "../../src/db/database.ts";
import { foldHotBalances, postEntries } from "../../src/db/ledger/ledger.ts";
import { migrate } from "../../src/db/migrate.ts";
import { freePort } from "../../src/sandbox/local-services/ports.ts";
import { startPostgres } from "../../src/sandbox/local-services/postgres.ts";
import { createServiceGroup } from "../../src/sandbox/local-services/service-group.ts";
import { draft, fees, move, revenue } from "./ledger-fixture.ts";

/** A server of its own, as a managed one is handed over: nobody but the owner has been there. */
const folder = mkdtempSync(join(tmpdir(), "reckoner-managed-"));
chmodSync(folder, 0o711); // the server may run under an account of its own
const group = createServiceGroup();
let admin: postgres.Sql;
let urls: { ownerUrl: string; appUrl: string };

beforeAll(async () => {
  const { adminUrl } = await startPostgres({
    group,
    folder: join(folder, "postgres"),
    port: await freePort(),
    logFile: join(folder, "postgres.log"),
    settings: { fsync: "off" },
    note: () => {},
  });
  admin = postgres(adminUrl, { max: 1, onnotice: () => {} });
  await admin`create role managed_owner login createrole password 'owner'`;
  await admin`create database managed owner managed_owner`;
  const urlOf = (role: string, password: string) =>
    Object.assign(new URL(adminUrl), { username: role, password, pathname: "/managed" }).href;
  urls = { ownerUrl: urlOf("managed_owner", "owner"), appUrl: urlOf("billing_service", "application") };
});

afterAll(async () => {
  await admin.end();
  await group.stopAll();
  rmSync(folder, { recursive: true, force: true });
});

test("all migrations run under an owner that has CREATEROLE and its database, and nothing else", async () => {
  const [owner] = await admin`
    select rolsuper, rolcreatedb, rolreplication, rolbypassrls from pg_roles where rolname = 'managed_owner'`;
  expect(Object.values(owner ?? {})).toEqual([false, false, false, false]);
  expect([...(await admin`select from pg_auth_members where member = 'managed_owner'::regrole`)]).toEqual([]);
  await migrate(urls);
  expect([...(await admin`select parname from pg_parameter_acl`)]).toEqual([]);
});

test("running them again changes nothing", async () => {
  await expect(migrate(urls)).resolves.toBeUndefined();
});

test("the application's role, made by the owner, posts and folds", async () => {
  const db = openDatabase({ url: urls.appUrl, poolSize: 1 });
  try {
    const [posted] = await inTransaction(db, (tx) =>
      postEntries(tx, [draft("first", [move(fees, revenue, 1n)])]),
    );
    expect(posted?.status).toBe("created");
    expect(await inTransaction(db, (tx) => foldHotBalances(tx))).toBe(2n);
  } finally {
    await db.close();
  }
});

import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { childEnvironment, projectFolder } from "../../src/config.ts";
import { type Database, openDatabase } from "../../src/db/database.ts";
import { instant } from "../../src/domain/calendar/index.ts";
import { cloneDatabase, type TestDatabase } from "../support/postgres.ts";
import { addCustomer, foldAll, ingest, publishMeters, usageEvent } from "./usage-fixture.ts";

/** The command as an operator runs it. */
let clone: TestDatabase;
let db: Database;
let folder: string;

beforeAll(async () => {
  clone = await cloneDatabase();
  db = openDatabase({ url: clone.appUrl, poolSize: 1 });
  folder = mkdtempSync(join(tmpdir(), "reckoner-archive-cli-"));
  await publishMeters(db);
  await addCustomer(db, "acme");
  await ingest(db, [usageEvent({ id: "old", time: instant("2024-04-15T10:30:00Z") })]);
});
afterAll(async () => {
  await db.close();
  await clone.drop();
  rmSync(folder, { recursive: true, force: true });
});

async function run(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const env = childEnvironment({ DATABASE_OWNER_URL: clone.ownerUrl });
  const command = ["src/cli/usage-archive.ts", ...args];
  return await promisify(execFile)(process.execPath, command, { cwd: projectFolder, env }).then(
    (done) => ({ code: 0, ...done }),
    (error) => error,
  );
}

test("archives old months, says why it does not, and gives the space back when it is told to", async () => {
  const asked = ["--before", "2024-06", "--to", `file:${folder}`, "--by", "olga"];
  const early = await run(...asked);
  expect(early).toMatchObject({ code: 1, stdout: "" });
  expect(early.stderr).toMatch(/^usage_month_needed: 2024-04 cannot be archived yet: 1 facts are not/);
  await foldAll(db);
  const steps = ["exported", "kept", "read back", "detached"].map((step) => `2024-04: ${step}\n`).join("");
  expect(await run(...asked)).toEqual({ code: 0, stdout: steps, stderr: "" });
  expect(readdirSync(join(folder, "2024-04"))).toHaveLength(2);
  expect(await run(...asked, "--drop")).toEqual({ code: 0, stdout: "2024-04: dropped\n", stderr: "" });
  expect([...(await db.sql`select archived_by from usage.archived_month`)]).toEqual([
    { archived_by: "olga" },
  ]);
});

test.each([
  { args: [], says: "--to says where" },
  { args: ["--to", "file:x"], says: "is not a month" },
  { args: ["--to", "file:x", "--before", "2024-13"], says: "is not a month" },
  { args: ["--to", "s3://bucket/x", "--before", "2024-01"], says: "AWS_REGION is not set" },
  { args: ["--what"], says: "Unknown option" },
])("$args: $says", async ({ args, says }) => {
  const refused = await run(...args);
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain(says);
});

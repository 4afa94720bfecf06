import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { writeJournalFile } from "../../src/cli/journal-file.ts";
import { childEnvironment } from "../../src/config.ts";
import { openDatabase } from "../../src/db/database.ts";
import { accountingMonth } from "../../src/domain/ledger/accounting-month.ts";
import { insertAsOwner } from "./support/billing-rows.ts";
import { tellStory } from "./support/ledger-story.ts";
import { type RunningApi, startApi } from "./support/running-api.ts";

const project = join(import.meta.dirname, "../..");
const month = accountingMonth("2026-01");
let api: RunningApi;
let folder: string;
beforeAll(async () => {
  api = await startApi();
  await tellStory(api);
  folder = await mkdtemp(join(tmpdir(), "journal-"));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
  await api.stop();
});
beforeEach(async () => {
  for (const name of await readdir(folder)) await rm(join(folder, name));
});

interface Ended {
  readonly code: number;
  readonly output: string;
}

/** Runs the command as `npm run ledger:export -- …` does. */
function exportJournal(databaseUrl: string, ...given: string[]): Promise<Ended> {
  const env = childEnvironment({ DATABASE_URL: databaseUrl }) as NodeJS.ProcessEnv;
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ["src/cli/export-journal.ts", ...given],
      { cwd: project, env },
      (error, out, err) =>
        resolve({
          code: typeof error?.code === "number" ? error.code : error === null ? 0 : -1,
          output: out + err,
        }),
    );
  });
}

test.each(["csv", "jsonl"])(
  "writes the same %s as the API answers with, and says what it comes to",
  async (format) => {
    const out = join(folder, `journal.${format}`);
    await writeFile(out, "an older one");
    const ended = await exportJournal(api.ownerUrl, "--month", month, "--format", format, "--out", out);
    expect(ended).toEqual({
      code: 0,
      output: expect.stringContaining("8 postings of 2026-01, as in its trial balance."),
    });
    expect(ended.output).toMatch(/^usd {2}1100 {2}Accounts receivable {2,}63\.58 {2,}12\.50$/m);
    const answer = await api.call("GET", `/v1/ledger/journal?month=${month}&format=${format}`);
    expect(await readFile(out, "utf8")).toBe(answer.text);
    expect(await readdir(folder)).toEqual([`journal.${format}`]);
  },
);

test.each([
  { given: ["--month", "2026-13", "--out", "x.csv"], says: /"2026-13" is not a month/ },
  { given: ["--out", "x.csv"], says: /is not a month/ },
  { given: ["--month", "2026-01"], says: /--out says which file/ },
  { given: ["--month", "2026-01", "--format", "xml", "--out", "x.csv"], says: /csv or jsonl, not xml/ },
  { given: ["--mouth", "2026-01"], says: /--mouth/ },
])("$given is refused with how to do it", async ({ given, says }) => {
  const { code, output } = await exportJournal(api.ownerUrl, ...given);
  expect(code).toBe(2);
  expect(output).toMatch(says);
  expect(output).toMatch(/npm run ledger:export -- --month/);
});

describe("a file that is not whole never has its name", () => {
  const broken = (text: string) => insertAsOwner(api.ownerUrl, text);

  test("when the export breaks off", async () => {
    const path = join(folder, "journal.csv");
    await writeFile(path, "an older one");
    const db = openDatabase({ url: api.ownerUrl, poolSize: 1 });
    const breaksOff = (written: number) => {
      if (written > 0) throw new Error("the disk is full");
    };
    await expect(writeJournalFile(db, { month, format: "csv", path }, breaksOff)).rejects.toThrow(
      "the disk is full",
    );
    await db.close();
    expect(await readFile(path, "utf8")).toBe("an older one");
    expect(await readdir(folder)).toEqual(["journal.csv"]);
  });

  test("when its rows do not come to the trial balance", async () => {
    // Only a hand around every rule can do this.
    await broken(`alter table ledger.posting disable trigger user;
      update ledger.posting set currency = 'eur' where entry_id = 1;`);
    const path = join(folder, "journal.csv");
    const ended = await exportJournal(api.ownerUrl, "--month", month, "--out", path);
    await broken(`update ledger.posting set currency = 'usd' where entry_id = 1;
      alter table ledger.posting enable trigger user;`);
    expect(ended.code).toBe(1);
    expect(ended.output).toMatch(/^eur 1100: debits are 12\.50, not 0\.00$/m);
    expect(ended.output).toMatch(/^usd 1100: debits are 51\.08, not 63\.58$/m);
    expect(await readdir(folder)).toEqual(["journal.csv.part"]);
  });
});

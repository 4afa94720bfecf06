import { spawn } from "node:child_process";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { projectFolder } from "../../src/config.ts";
import { withoutGuards } from "../support/superuser.ts";
import { draft, fees, move, revenue } from "./ledger-fixture.ts";
import { openSealedLedger, type SealedLedger, tellSealedStory } from "./sealed-ledger.ts";

let ledger: SealedLedger;
beforeAll(async () => {
  ledger = await openSealedLedger();
  await tellSealedStory(ledger);
});
afterAll(() => ledger.close());

/** `npm run ledger:verify`, as it is started. */
async function verify(args: readonly string[] = [], environment: Record<string, string> = {}) {
  const child = spawn(process.execPath, [join(projectFolder, "src/cli/verify-ledger.ts"), ...args], {
    env: { ...process.env, DATABASE_URL: ledger.appUrl, LEDGER_SEALS: `file:${ledger.file}`, ...environment },
  });
  const [output, errors, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise((resolve) => child.once("exit", resolve)),
  ]);
  return { output: output.trimEnd().split("\n"), errors, code };
}

test("a ledger in order ends with 0, and says what nothing vouches for yet", async () => {
  expect(await verify()).toEqual({
    output: [
      expect.stringMatching(/^4 seals of \d+ rows; compared with file:.*seals\.jsonl\.$/),
      "The ledger is what was sealed, and all else follows from it.",
    ],
    errors: "",
    code: 0,
  });
  await ledger.post(draft("newer", [move(fees, revenue, 5n)]));
  const { output, code } = await verify();
  expect(output[1]).toBe(
    "Newer than the last seal, nothing vouches for them yet: journal_entry 1, posting 1.",
  );
  expect(code).toBe(0);
});

test("a damage ends with 1 and is named, for people and for programs", async () => {
  await ledger.superuser.orm.transaction((tx) =>
    withoutGuards(tx, "update ledger.hold set actor = 'eve' where source_key = 'request/4'"),
  );
  const { output, code } = await verify();
  expect(output).toContain("hold 4 of request/4: was changed (seal 2)");
  expect(output.at(-1)).toBe("The ledger is not what it should be. Findings: 1.");
  expect(code).toBe(1);
  const forPrograms = await verify(["--json"]);
  expect(forPrograms.code).toBe(1);
  expect(JSON.parse(forPrograms.output.join("\n"))).toMatchObject({
    holds: false,
    findings: [{ table: "hold", key: "4", of: "request/4", problem: "was changed", seal: 2 }],
    seals: 4,
    unsealed: { journal_entry: 1, posting: 1 },
    comparedWith: `file:${ledger.file}`,
  });
});

test.each([
  {
    what: "the configuration",
    environment: { LEDGER_SEALS: "ftp://seals" },
    said: "LEDGER_SEALS must look like",
  },
  {
    what: "the database",
    environment: { DATABASE_URL: "postgres://nobody:x@127.0.0.1:9/none" },
    said: "ECONNREFUSED",
  },
  {
    what: "the copy",
    environment: {
      LEDGER_SEALS: "s3://seals",
      AWS_REGION: "eu-central-1",
      AWS_ENDPOINT_URL_S3: "http://127.0.0.1:9",
      AWS_ACCESS_KEY_ID: "verifier",
      AWS_SECRET_ACCESS_KEY: "secret",
    },
    said: "ECONNREFUSED",
  },
])("without $what nothing can be said, and it ends with 2", async ({ environment, said }) => {
  const { output, errors, code } = await verify([], environment);
  expect({ output, code }).toEqual({ output: [""], code: 2 });
  expect(errors).toContain("The ledger could not be verified:");
  expect(errors).toContain(said);
});

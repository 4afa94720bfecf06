import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { projectFolder } from "../src/config.ts";
import { invariantStatements } from "../src/db/invariants/invariants.ts";

const document = readFileSync(join(projectFolder, "docs/invariants.md"), "utf8");

test("docs/invariants.md states V1 to V12 as the check does", () => {
  const stated = [...document.matchAll(/^### (V\d+)\n\n(.+)$/gm)].map(([, number, statement]) => [
    number,
    statement,
  ]);
  expect(stated).toEqual(Object.entries(invariantStatements));
});

test("docs/invariants.md lists every numbered property test, and each has a number of its own", () => {
  const tested = globSync("test/**/*.test.ts", { cwd: projectFolder }).flatMap((path) => {
    const text = readFileSync(join(projectFolder, path), "utf8");
    return [...text.matchAll(/"INV-(\d+): ([^"]+)"/g)].map(([, number, statement]) => ({
      number: Number(number),
      statement,
      path,
    }));
  });
  const listed = [...document.matchAll(/^\| INV-(\d+) \| (.+?) \| .+ \| \[.+\]\(\.\.\/(.+)\) \|$/gm)].map(
    ([, number, statement, path]) => ({ number: Number(number), statement, path }),
  );
  expect(tested.toSorted((one, other) => one.number - other.number)).toEqual(listed);
  expect(listed.map(({ number }) => number)).toEqual(listed.map((_, index) => index + 1));
});

test("every file that docs/invariants.md points to exists", () => {
  const paths = [...document.matchAll(/\]\(\.\.\/([^)]+)\)/g)].map(([, path = ""]) => path);
  expect(paths.length).toBeGreaterThan(20);
  expect(paths.filter((path) => globSync(path, { cwd: projectFolder }).length === 0)).toEqual([]);
});

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { standInMutants } from "./support/stand-in-mutants.ts";

/** That tests notice each is run by `stand-in-mutants.ts`, nightly; here, that there is still something to be wrong in. */
const folder = join(import.meta.dirname, "../../src/sandbox/stripe");

test("there are at least twenty", () => {
  expect(standInMutants.length).toBeGreaterThanOrEqual(20);
});

test.each(standInMutants)("$name: what is changed is there, once", ({ file, from, to }) => {
  const source = readFileSync(join(folder, file), "utf8");
  expect(source.split(from)).toHaveLength(2);
  expect(to).not.toBe(from);
});

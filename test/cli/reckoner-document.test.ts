import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RunningApi, startApi } from "../api/support/running-api.ts";
import { reckoner } from "./reckoner-command.ts";

/** What docs/calculators.md and docs/catalog-as-code.md show is what the command answers. */

const calculators = await readFile("docs/calculators.md", "utf8");
const asCode = await readFile("docs/catalog-as-code.md", "utf8");

let api: RunningApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

/** The blocks of a language below a heading, until the next. */
function blocksBelow(document: string, heading: string, language: string): string[] {
  const section = document.split(`\n## ${heading}\n`)[1]?.split("\n## ")[0] ?? "";
  return [...section.matchAll(new RegExp(`\`\`\`${language}\\n(.*?)\`\`\``, "gs"))].map(
    ([, block = ""]) => block,
  );
}

const names = [...calculators.matchAll(/^\| \[`([a-z-]+)`\]/gm)].map(([, name = ""]) => name);

test.each(names)("docs/calculators.md: the example of %s, and its answer", async (name) => {
  const file = `examples/calculations/${name}.yaml`;
  expect(blocksBelow(calculators, name, "yaml")).toEqual([await readFile(file, "utf8")]);
  const { out, err } = await reckoner(api, ["calculate", name, file]);
  expect(err).toBe("");
  expect(blocksBelow(calculators, name, "text")).toEqual([out]);
});

describe("docs/catalog-as-code.md", () => {
  test("shows the plan of a change to the example", async () => {
    const example = await readFile("examples/catalogs/coding-product.yaml", "utf8");
    await reckoner(api, ["catalog", "apply", "-", "--yes"], example);
    const dearer = example.replace('amount_minor: "4000"', 'amount_minor: "5000"');
    const { out } = await reckoner(api, ["catalog", "plan", "-"], dearer);
    expect(blocksBelow(asCode, "Plan", "text")).toEqual([out]);
  });

  test("shows where a file is wrong", async () => {
    const example = await readFile("examples/catalogs/coding-product.yaml", "utf8");
    const wrong = example.replace("meter: cached_tokens", "meter: words");
    const { err } = await reckoner(api, ["catalog", "plan", "-"], wrong);
    expect(blocksBelow(asCode, "Files", "text")).toEqual([err.replace("standard input", "catalog.yaml")]);
  });
});

import { readdir } from "node:fs/promises";
import { basename } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type RunningApi, startApi } from "../api/support/running-api.ts";
import { reckoner } from "./reckoner-command.ts";

let api: RunningApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

const run = (given: string[], input?: string) => reckoner(api, ["calculate", ...given], input);

test("every calculator of the API can be asked, and has an example to begin with", async () => {
  const files = (await readdir("examples/calculations")).map((file) => basename(file, ".yaml"));
  const document = (await api.call("GET", "/openapi.json")).body;
  const paths = Object.keys(document.paths).filter((path) => path.startsWith("/v1/calculate/"));
  expect(paths.map((path) => basename(path)).toSorted()).toEqual(files.toSorted());
  const { out: help } = await run(["--help"]);
  for (const name of files) expect(help).toContain(`"${name}"`);
});

test("the example is a question, and the answer is JSON for programs", async () => {
  const example = await run(["money", "--example"]);
  const { code, out } = await run(["money", "-", "--json"], example.out);
  expect([code, JSON.parse(out).parts_minor]).toEqual([0, ["3334", "3333", "3333"]]);
});

test("for people: fields in lines, lists in tables", async () => {
  const { code, out } = await run(["periods", "examples/calculations/periods.yaml"]);
  expect(code).toBe(0);
  expect(out.split("\n").slice(0, 4)).toEqual([
    "periods",
    "index  start                     end                       is part  is trial  seconds",
    "    0  2026-01-16T23:00:00.000Z  2026-01-30T23:00:00.000Z  false    true      1209600",
    "    0  2026-01-30T23:00:00.000Z  2026-02-27T23:00:00.000Z  false    false     2419200",
  ]);
  const money = await run(["money", "examples/calculations/money.yaml"]);
  expect(money.out).toMatch(/^amount minor +10000$/m);
  expect(money.out).toMatch(/^parts minor +3334, 3333, 3333$/m);
});

test("what is refused is shown where it stands", async () => {
  const question = 'currency: usd\namount: "12.5"\nallocate:\n  weights: ["1", "x"]\n';
  const { code, err } = await run(["money"], question);
  expect(code).toBe(1);
  expect(err).toBe(
    [
      'standard input:4:18: allocate.weights[1]: must be a whole number as text, zero or more, such as "3"',
      '  4 |   weights: ["1", "x"]',
      "                       ^",
      "",
    ].join("\n"),
  );
});

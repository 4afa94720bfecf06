import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RunningApi, startApi } from "../api/support/running-api.ts";
import { type Ended, reckoner } from "./reckoner-command.ts";

/** `reckoner catalog`, as a person and as a program call it. */

const yaml = "examples/catalogs/coding-product.yaml";
const typescript = "examples/catalogs/coding-product.ts";

let api: RunningApi;
let folder: string;
beforeAll(async () => {
  api = await startApi();
  folder = await mkdtemp(join(tmpdir(), "catalog-"));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
  await api.stop();
});

const run = (...given: string[]): Promise<Ended> => reckoner(api, given);
const fileWith = async (name: string, content: string) => {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
};

test("planning a new catalog says what is new, publishes nothing, and tells a program with its exit code", async () => {
  const planned = await run("catalog", "plan", yaml, "--exit-code");
  expect(planned).toMatchObject({ code: 4, err: "" });
  expect(planned.out).toContain("  + team  Team, usd  new, v1");
  expect(planned.out).toContain("5 new, 0 changed, 0 unchanged.");
  expect((await api.call("GET", "/v1/catalog")).body.plans).toEqual([]);
});

test("publishing asks: nobody to ask, nothing published; with --yes it is, once", async () => {
  const unasked = await run("catalog", "apply", yaml);
  expect([unasked.code, unasked.err]).toEqual([1, "nobody is here to be asked: say --yes to publish\n"]);
  const dry = await run("catalog", "apply", yaml, "--dry-run", "--yes");
  expect(dry.code).toBe(0);
  expect((await api.call("GET", "/v1/catalog")).body.plans).toEqual([]);

  const applied = await run("catalog", "apply", yaml, "--yes");
  expect(applied).toMatchObject({ code: 0, err: "" });
  expect(applied.out).toContain("Published: hobby v1, team v1.");
  const again = await run("catalog", "apply", yaml, "--yes");
  expect([again.code, again.out.split("\n").at(-2)]).toEqual([
    0,
    "Nothing to do: this is what is published.",
  ]);
});

test("the same catalog in TypeScript and as it is shown is no change", async () => {
  const shown = await fileWith("shown.yaml", (await run("catalog", "show", "--yaml")).out);
  for (const path of [typescript, shown]) {
    const { code, out } = await run("catalog", "plan", path, "--exit-code");
    expect([code, out.split("\n").at(-2)]).toEqual([0, "0 new, 0 changed, 5 unchanged."]);
  }
});

describe("a change", () => {
  const dearer = async () =>
    fileWith(
      "dearer.yaml",
      (await readFile(yaml, "utf8"))
        .replace('amount_minor: "4000"', 'amount_minor: "5000"')
        .replace(
          '{ up_to: null, unit_price_minor: "0.0012" }',
          '{ up_to: null, unit_price_minor: "0.0010" }',
        ),
    );

  test("is shown field by field, with what becomes of subscriptions", async () => {
    const { code, out } = await run("catalog", "plan", await dearer());
    expect(code).toBe(0);
    expect(out).toContain(
      [
        "  ~ team  Team, usd  v1 → v2",
        "      ~ prices[base].amount_minor: 4000 → 5000",
        "      ~ prices[deep-output].model.tiers[1].unit_price_minor: 0.0012 → 0.001",
        "      No subscription is on it; new ones get v2.",
      ].join("\n"),
    );
  });

  test("is JSON for programs, in colour for a terminal that wants it", async () => {
    const { out } = await run("catalog", "plan", await dearer(), "--json");
    expect(JSON.parse(out).plans[1].differences).toHaveLength(2);
    const plain = (await run("catalog", "plan", await dearer())).out;
    const coloured = await reckoner(api, ["catalog", "plan", await dearer()], "", { FORCE_COLOR: "1" });
    expect(coloured.out).toContain("\u001b[31m4000\u001b[39m → \u001b[32m5000\u001b[39m");
    expect(stripVTControlCharacters(coloured.out)).toBe(plain);
    expect(plain).not.toContain("\u001b[");
  });

  test("makes the next version", async () => {
    const { out } = await run("catalog", "apply", await dearer(), "--yes", "--json");
    expect(JSON.parse(out).plans).toEqual([
      { key: "hobby", version: 1, change: "unchanged" },
      { key: "team", version: 2, change: "changed" },
    ]);
  });
});

describe("what is published", () => {
  test("in a table", async () => {
    const { out } = await run("catalog", "show");
    expect(out.split("\n").slice(0, 3)).toEqual([
      "plan   version  name   currency  every  prices",
      "hobby        1  Hobby  usd       month       2",
      "team         2  Team   usd       month       5",
    ]);
  });

  test("one plan in any version", async () => {
    expect((await run("catalog", "show", "team")).out).toContain("amount_minor 5000");
    const { out } = await run("catalog", "show", "team", "--plan-version", "1", "--json");
    expect(JSON.parse(out)).toMatchObject({ version: 1, prices: [{ amount_minor: "4000" }, {}, {}, {}, {}] });
  });

  test("a plan that is not there", async () => {
    const { code, err } = await run("catalog", "show", "platinum");
    expect([code, err]).toEqual([1, expect.stringMatching(/^plan_not_found: there is no plan "platinum"/)]);
  });
});

describe("a file that is wrong", () => {
  const plan = (prices: string) =>
    [
      "meters: []",
      "plans:",
      "  - key: pro",
      "    name: Pro",
      "    currency: usd",
      "    interval: { unit: month, count: 1 }",
      `    prices: ${prices}`,
    ].join("\n");
  const fee = "{ key: fee, type: flat, name: Fee, product: fee, timing: in_advance, amount_minor: ";

  test.each([
    {
      why: "YAML that is none",
      content: "plans:\n  - key: [pro\n",
      says: /wrong\.yaml:3:1: /,
    },
    {
      why: "a number where text must be",
      content: plan(`[${fee}2000 }]`),
      says: /wrong\.yaml:7:97: plans\[0\]\.prices\[0\]\.amount_minor: must be a text, not a number\n {2}7 \| {5}prices: .*\n +\^$/m,
    },
    {
      why: "a field that is misspelt",
      content: plan("[]").replace("currency", "curency"),
      says: /wrong\.yaml:5:14: plans\[0\]\.curency: is not a known field/,
    },
    {
      why: "a meter that is not there",
      content: plan(
        '[{ key: t, type: usage, name: T, product: t, meter: words, model: { type: per_unit, unit_price_minor: "1" } }]',
      ),
      says: /wrong\.yaml:7:65: plans\[0\]\.prices\[0\]\.meter: there is no meter "words"/,
    },
  ])("$why: file, line, column and the mend", async ({ content, says }) => {
    const { code, out, err } = await run("catalog", "plan", await fileWith("wrong.yaml", content));
    expect(err).toMatch(says);
    expect([code === 1 || code === 2, out]).toEqual([true, ""]);
  });

  test("all that is wrong is said at once", async () => {
    const twice = plan(`[${fee}"1" }, ${fee}"2" }]`).replace("currency: usd", "currency: dollars");
    const { err } = await run("catalog", "plan", await fileWith("wrong.yaml", twice.replace('"2"', '"two"')));
    expect(err).toMatch(/wrong\.yaml:5:15: plans\[0\]\.currency: /);
    expect(err).toMatch(/wrong\.yaml:7:\d+: plans\[0\]\.prices\[1\]\.amount_minor: /);
  });

  test.each([
    { name: "none.ts", content: "export const catalog = {};", says: /none\.ts has no default export/ },
    {
      name: "throws.ts",
      content: 'throw new Error("no prices today");',
      says: /throws\.ts cannot be run: no prices today/,
    },
  ])("$name", async ({ name, content, says }) => {
    const { code, err } = await run("catalog", "plan", await fileWith(name, content));
    expect([code, err]).toEqual([2, expect.stringMatching(says)]);
  });

  test("one that is not there", async () => {
    const { code, err } = await run("catalog", "plan", "nowhere.yaml");
    expect([code, err]).toEqual([2, expect.stringMatching(/^nowhere\.yaml cannot be read/)]);
  });
});

test.each([
  { given: ["catalog", "destroy"], says: /unknown command 'destroy'/ },
  { given: ["catalog", "plan"], says: /missing required argument 'file'/ },
  { given: ["calculate", "horoscope"], says: /Allowed choices are/ },
])("$given is not a command: 2, and how to do it", async ({ given, says }) => {
  const { code, err } = await run(...given);
  expect([code, err]).toEqual([2, expect.stringMatching(says)]);
});

test("an API that is away: 3", async () => {
  const { code, err } = await reckoner({ url: "http://127.0.0.1:9", adminKey: api.adminKey }, [
    "catalog",
    "show",
  ]);
  expect([code, err]).toEqual([
    3,
    expect.stringMatching(/^the API at http:\/\/127\.0\.0\.1:9 cannot be reached/),
  ]);
});

test("contracts over a rate card at cost are published, a price for each class, and shown as they are", async () => {
  const contracts = "examples/catalogs/token-contracts.yaml";
  expect((await run("catalog", "apply", contracts, "--yes")).out).toContain("Published: contract v1");
  const { body } = await api.call("GET", "/v1/plans/contract");
  expect(body.prices.map(({ key }: { key: string }) => key)).toEqual([
    "platform",
    "tokens.input",
    "tokens.cached",
    "tokens.output",
    "agents",
  ]);
  const shown = await fileWith("contract.yaml", (await run("catalog", "show", "--yaml")).out);
  expect((await run("catalog", "plan", shown, "--exit-code")).code).toBe(0);
});

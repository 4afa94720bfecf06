import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { catalogJsonSchemaText } from "../../src/api/catalog-json-schema.ts";

/** The schema that editors check catalog files with, by the checker that Fastify brings. */

const { default: Ajv } = createRequire(import.meta.resolve("fastify"))("ajv/dist/ajv.js");
const validate = new Ajv({ allErrors: true, strict: false }).compile(JSON.parse(catalogJsonSchemaText()));

const example = async (name = "coding-product") =>
  parse(await readFile(`examples/catalogs/${name}.yaml`, "utf8"), { merge: true });

/** Where and what the first fault is; null when there is none. */
function faultOf(catalog: unknown): string | null {
  if (validate(catalog)) return null;
  const [fault] = validate.errors.filter(({ keyword }: { keyword: string }) => keyword !== "oneOf");
  return `${fault.instancePath}: ${fault.message}`;
}

test("the committed schema is that of the code: npm run openapi writes it", async () => {
  expect(await readFile("docs/catalog.schema.json", "utf8")).toBe(catalogJsonSchemaText());
});

test.each(["coding-product", "token-contracts"])("the example %s is valid", async (name) => {
  expect(faultOf(await example(name))).toBeNull();
});

test("what the domain would refuse by itself is marked in the editor", async () => {
  const { plans, meters } = await example();
  const [plan] = plans;
  const faults = [
    { meters, plans: [{ ...plan, curency: "usd" }] },
    { meters, plans: [{ ...plan, currency: "US dollars" }] },
    { meters, plans: [{ ...plan, prices: [{ ...plan.prices[0], amount_minor: 500 }] }] },
    { meters, plans: [{ ...plan, grace_seconds: -1 }] },
    { meters: [{ ...meters[0], key: "Input Tokens" }], plans: [] },
  ].map(faultOf);
  expect(faults).toEqual([
    "/plans/0: must NOT have additional properties",
    '/plans/0/currency: must match pattern "^[a-z]{3}$"',
    "/plans/0/prices/0/amount_minor: must be string",
    "/plans/0/grace_seconds: must be >= 0",
    expect.stringMatching(/^\/meters\/0\/key: must match pattern/),
  ]);
});

test("it explains: every model of a price has its fields and what they mean", () => {
  const text = catalogJsonSchemaText();
  for (const name of [
    "unit_price_minor",
    "free_events",
    "markup_percent",
    "overage_factor",
    "per_event_max_minor",
  ]) {
    expect(text).toContain(`"${name}": {`);
  }
  expect(text).toContain("Each unit at the price of its own tier.");
});

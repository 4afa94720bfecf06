import { expect, test } from "vitest";
import { camelCase, renameFields } from "../../src/api/field-names.ts";
import { parseCatalog } from "../../src/domain/catalog/index.ts";
import { catalog } from "../../src/sandbox/demo/catalog.ts";
import { demoCustomers } from "../../src/sandbox/demo/customers.ts";

const parsed = parseCatalog(renameFields(catalog, camelCase, new Set(["where"])));

test("the catalog can be sold from: every plan, with a price for all tokens of both models", () => {
  expect(parsed.plans.map(({ key }) => key)).toEqual(["hobby", "pro", "team", "enterprise"]);
  for (const { key, prices } of parsed.plans) {
    const usage = prices.filter((price) => price.type === "usage");
    const covers = (meter: string, model: string) =>
      usage.filter((price) => price.meter === meter && (price.where.model ?? model) === model).length;
    for (const meter of ["input_tokens", "output_tokens"]) {
      expect([key, meter, covers(meter, "swift"), covers(meter, "deep")]).toEqual([key, meter, 1, 1]);
    }
  }
});

test("every price model is sold in some plan", () => {
  const models = parsed.plans.flatMap(({ prices }) =>
    prices.map((price) => (price.type === "usage" ? price.model.type : price.type)),
  );
  expect(new Set(models)).toEqual(new Set(["flat", "seat", "per_unit", "package", "graduated", "volume"]));
});

test("customers beyond the cast are made by rule, with a share for each plan", () => {
  const generated = demoCustomers(112).slice(12);
  const of = (plan: string) => generated.filter((customer) => customer.plan === plan).length;
  expect([of("hobby"), of("pro"), of("team"), of("enterprise")]).toEqual([50, 30, 15, 5]);
  expect(demoCustomers(112)).toEqual(demoCustomers(200).slice(0, 112));
});

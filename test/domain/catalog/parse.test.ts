import { describe, expect, test } from "vitest";
import { CatalogInvalidError, parseCatalog } from "../../../src/domain/catalog/index.ts";
import { exampleCatalog, exampleWith } from "./example.ts";

function issuesOf(input: unknown): string[] {
  try {
    parseCatalog(input);
  } catch (error) {
    if (error instanceof CatalogInvalidError)
      return error.issues.map(({ path, message }) => `${path}: ${message}`);
    throw error;
  }
  return [];
}

describe("a catalog that can be sold from", () => {
  const catalog = parseCatalog(exampleCatalog());
  const pro = catalog.plans[1];

  test("gets its defaults", () => {
    expect(catalog.meters[1]?.dimensions).toEqual([]);
    expect(pro?.graceSeconds).toBe(3600);
    expect(pro?.dunning).toEqual({ retryAfterDays: [3, 5, 7], finalAction: "cancel", accessGraceDays: 7 });
    expect(pro?.prices[4]).toEqual({
      key: "requests",
      type: "usage",
      name: "Requests",
      product: "requests",
      meter: "requests",
      where: {},
      unitLabel: "unit",
      model: { type: "package", packageSize: "1000", packagePriceMinor: "50", rounding: "up" },
      included: "0",
    });
  });

  test("has its decimals in canonical text", () => {
    const price = pro?.prices[2];
    expect(price?.type === "usage" && price.model).toMatchObject({
      tiers: [{ unitPriceMinor: "0.0003", flatMinor: "0" }, { flatMinor: "100" }, { upTo: null }],
    });
  });

  test("may say part of its dunning policy", () => {
    const input = exampleWith("plans[1].dunning", { finalAction: "pause" });
    expect(parseCatalog(input).plans[1]?.dunning).toEqual({
      retryAfterDays: [3, 5, 7],
      finalAction: "pause",
      accessGraceDays: 7,
    });
  });

  test("INV-12: a catalog that was parsed is the same when it is read again", () => {
    expect(parseCatalog(JSON.parse(JSON.stringify(catalog)))).toEqual(catalog);
  });
});

describe("its shape", () => {
  test.each([
    { path: "plans[1].prise", value: [], message: "is not a known field: correct or remove it" },
    { path: "meters[0].colour", value: "red", message: "is not a known field: correct or remove it" },
    {
      path: "plans[1].prices[0].currency",
      value: "eur",
      message: "is not a known field: correct or remove it",
    },
    {
      path: "plans[1].name",
      value: "Pro\tPlus",
      message: "write 1 to 120 characters, none of them control characters",
    },
    { path: "plans[1].name", value: undefined, message: "is missing: write text" },
    { path: "plans[1].prices", value: undefined, message: "is missing: write a list" },
    {
      path: "plans[1].key",
      value: "Pro!",
      message: "write 1 to 64 of a-z, 0-9, _, - and ., starting with a letter or digit",
    },
    { path: "plans[1].currency", value: "xyz", message: 'write a lower-case ISO 4217 code such as "usd"' },
    { path: "plans[1].currency", value: "USD", message: 'write a lower-case ISO 4217 code such as "usd"' },
    {
      path: "plans[1].interval.unit",
      value: "fortnight",
      message: 'write "day" or "week" or "month" or "year" or "quarter"',
    },
    { path: "plans[1].interval.count", value: 0, message: "must be at least 1" },
    { path: "plans[1].graceSeconds", value: -1, message: "must be at least 0" },
    {
      path: "plans[1].prices[0].type",
      value: "fixed",
      message: 'write "flat", "seat", "usage" or "rate_card"',
    },
    { path: "plans[1].prices[0].amountMinor", value: 2000, message: "write text" },
    {
      path: "plans[1].prices[0].amountMinor",
      value: "-1",
      message: 'write whole minor units as text, zero or more, such as "1999"',
    },
    {
      path: "plans[1].prices[0].amountMinor",
      value: "19.99",
      message: 'write whole minor units as text, zero or more, such as "1999"',
    },
    {
      path: "plans[1].prices[1].timing",
      value: "sometimes",
      message: 'write "in_advance" or "in_arrears"',
    },
    { path: "plans[1].prices[1].includedSeats", value: 1.5, message: "write a whole number" },
    {
      path: "plans[1].prices[3].model.type",
      value: "tiered",
      message:
        'write "per_unit", "package", "graduated", "volume", "stairstep", "percentage", "matrix" or "cost_plus"',
    },
    {
      path: "plans[1].prices[3].model.unitPriceMinor",
      value: "0.0000000000001",
      message: 'write minor units as text, zero or more, with at most 12 decimals, such as "0.0003"',
    },
    {
      path: "plans[1].prices[2].model.tiers[1].unitPriceMinor",
      value: "-0.1",
      message: 'write minor units as text, zero or more, with at most 12 decimals, such as "0.0003"',
    },
    { path: "plans[1].prices[4].model.packageSize", value: "0.0", message: "must be more than zero" },
    { path: "plans[1].prices[2].model.tiers[0].upTo", value: "0", message: "must be more than zero" },
    { path: "plans[1].prices[2].model.tiers", value: [], message: "write at least one tier" },
    {
      path: "plans[1].prices[2].included",
      value: "-5",
      message: 'write a quantity as text, zero or more, such as "1000000"',
    },
    {
      path: "plans[1].prices[2].where.class",
      value: "x".repeat(201),
      message: "write 0 to 200 characters, none of them control characters",
    },
    {
      path: "meters[0].aggregation",
      value: "median",
      message:
        'write "count" or "sum" or "max" or "min" or "latest" or "unique_count" or "time_weighted_sum" or "average"',
    },
    {
      path: "meters[0].property",
      value: "__proto__",
      message: "write a name such as input_tokens, or a path such as usage.input_tokens",
    },
    { path: "meters[0].dimensions[0]", value: "a.b", message: "write a name such as input_tokens" },
  ])("$path = $value: $message", ({ path, value, message }) => {
    expect(issuesOf(exampleWith(path, value))).toEqual([`${path}: ${message}`]);
  });

  test.each([null, undefined, [], "catalog", 7])("%j is no catalog", (input) => {
    expect(() => parseCatalog(input)).toThrow(
      expect.objectContaining({ code: "catalog_invalid", field: "catalog" }),
    );
  });
});

describe("what one part owes to another", () => {
  test.each([
    {
      path: "meters[1].key",
      value: "tokens",
      message: '"tokens" is used twice: choose another key',
      alsoBreaks: 1,
    },
    { path: "plans[1].key", value: "hobby", message: '"hobby" is used twice: choose another key' },
    { path: "plans[1].prices[1].key", value: "base", message: '"base" is used twice: choose another key' },
    { path: "meters[0].property", value: undefined, message: "name the member of data to take the sum of" },
    {
      path: "meters[1].property",
      value: "tokens",
      message: "remove it: a meter that counts events reads no property",
    },
    { path: "meters[0].dimensions[2]", value: "model", message: '"model" is declared twice' },
    {
      path: "plans[1].prices[4].meter",
      value: "calls",
      message: 'there is no meter "calls": declare it under meters',
    },
    {
      path: "plans[1].prices[3].where.region",
      value: "eu",
      message: 'meter "tokens" has no dimension "region": declare it there or remove it here',
    },
    {
      path: "plans[1].prices[2].model.tiers[2].upTo",
      value: "99000000",
      message: "must be null: the last tier has no end",
    },
    {
      path: "plans[1].prices[2].model.tiers[0].upTo",
      value: null,
      message: "write where the tier ends: only the last one is without end",
    },
    {
      path: "plans[1].prices[2].model.tiers[1].upTo",
      value: "1000000",
      message: "must be more than 1000000, where the tier before it ends",
    },
    {
      path: "plans[1].prices[2].model.tiers[1].upTo",
      value: "999999.5",
      message: "must be more than 1000000, where the tier before it ends",
    },
    {
      path: "plans[1].prices[3].where",
      value: {},
      message: 'would bill the same usage as price "input": give them different values of a dimension',
    },
    {
      path: "plans[1].prices[3].where",
      value: { model: "large" },
      message: 'would bill the same usage as price "input": give them different values of a dimension',
    },
  ])("$path = $value: $message", ({ path, value, message, alsoBreaks = 0 }) => {
    const issues = issuesOf(exampleWith(path, value));
    expect(issues).toContain(`${path}: ${message}`);
    expect(issues).toHaveLength(1 + alsoBreaks);
  });

  test("retries come one after the other", () => {
    expect(issuesOf(exampleWith("plans[1].dunning", { retryAfterDays: [3, 5, 5] }))).toEqual([
      "plans[1].dunning.retryAfterDays[2]: must be later than the retry before it",
    ]);
  });

  test("everything that is wrong is said at once, the first as the field", () => {
    const input = Object(exampleWith("plans[1].prices[4].meter", "calls"));
    input.plans[0].key = "pro";
    expect(() => parseCatalog(input)).toThrow(
      expect.objectContaining({
        code: "catalog_invalid",
        field: "plans[1].key",
        message: [
          'plans[1].key: "pro" is used twice: choose another key',
          'plans[1].prices[4].meter: there is no meter "calls": declare it under meters',
        ].join("\n"),
      }),
    );
  });
});

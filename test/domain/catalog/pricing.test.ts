import { describe, expect, test } from "vitest";
import { instant } from "../../../src/domain/calendar/index.ts";
import {
  CatalogInvalidError,
  type CostTable,
  costPeriods,
  newCostVersions,
  parseCatalog,
  planFingerprint,
} from "../../../src/domain/catalog/index.ts";
import { currency } from "../../../src/domain/money/index.ts";

/** What plans may say beyond simple prices, and what is refused of it. */

const meter = (key: string, aggregation: string, more: object = {}) => ({
  key,
  eventType: "request",
  aggregation,
  property: "n",
  dimensions: ["model", "region"],
  ...more,
});

const usage = (key: string, of: string, model: object, more: object = {}) => ({
  key,
  type: "usage",
  name: key,
  product: "p",
  meter: of,
  model,
  ...more,
});

const matrix = {
  type: "matrix",
  dimensions: ["model"],
  cells: [
    { values: { model: "swift" }, unitPriceMinor: "0.5" },
    { values: { model: "deep" }, unitPriceMinor: "2" },
  ],
  defaultUnitPriceMinor: null,
};

const plan = (key: string, prices: object[], more: object = {}) => ({
  key,
  name: key,
  currency: "usd",
  interval: { unit: "month", count: 1 },
  prices,
  ...more,
});

const costTable = {
  key: "provider",
  name: "Provider",
  currency: "usd",
  dimensions: ["model"],
  versions: [
    { effectiveAt: "2026-01-01T00:00:00Z", rows: [{ values: { model: "deep" }, costs: { input: "0.25" } }] },
    { effectiveAt: "2026-02-01T00:00:00Z", rows: [{ values: { model: "deep" }, costs: { input: "0.2" } }] },
  ],
};

const card = {
  key: "tokens",
  type: "rate_card",
  name: "Tokens",
  product: "p",
  dimensions: ["model"],
  classes: [
    { key: "input", name: "input", meter: "input", where: { region: "eu" } },
    { key: "output", name: "output", meter: "output", included: "100" },
  ],
  pricing: {
    type: "fixed",
    rows: [{ values: { model: "deep" }, rates: { input: "0.30", output: "1.5" } }],
    defaults: { output: "2" },
  },
};

function catalog() {
  return {
    meters: [
      meter("input", "sum"),
      meter("output", "sum"),
      meter("calls", "sum"),
      meter("peak", "max"),
      meter("users", "unique_count"),
      meter("metres", "sum", { unit: { name: "km", factor: "0.001" } }),
    ],
    costTables: [costTable],
    features: [
      { key: "sso", name: "Single sign-on", type: "boolean" },
      { key: "calls", name: "Calls", type: "metered", meter: "calls" },
      { key: "region", name: "Region", type: "config" },
    ],
    plans: [
      plan(
        "pro",
        [
          {
            key: "base",
            type: "flat",
            name: "Base",
            product: "p",
            timing: "in_advance",
            amountMinor: "2000",
          },
          {
            key: "seats",
            type: "seat",
            name: "Seats",
            product: "p",
            timing: "in_arrears",
            counting: "peak",
            model: {
              type: "stairstep",
              steps: [
                { upTo: "5", priceMinor: "100" },
                { upTo: null, priceMinor: "200" },
              ],
            },
          },
          card,
          usage("calls", "calls", matrix),
          usage(
            "peak",
            "peak",
            { type: "per_unit", unitPriceMinor: "1" },
            { buckets: { per: "day", price: "each" } },
          ),
        ],
        {
          adjustments: [
            { type: "minimum", key: "least", name: "Least", amountMinor: "5000", product: "p" },
            { type: "percent_discount", key: "off", name: "Off", prices: ["tokens", "calls"], percent: "10" },
          ],
          phases: [
            {
              key: "first",
              name: "First",
              periods: 3,
              overrides: [
                { prices: ["tokens"], effect: { type: "multiplier", factor: "0.5" } },
                { prices: ["base"], effect: { type: "overwrite", price: { amountMinor: "1000" } } },
              ],
            },
            { key: "then", name: "Then", periods: null, overrides: [] },
          ],
          thresholds: { amountsMinor: ["1000", "5000"], recurringMinor: "5000" },
          entitlements: [
            { feature: "sso" },
            { feature: "calls", limit: "1000" },
            { feature: "region", value: "eu" },
          ],
        },
      ),
      plan("cost", [
        usage("cost", "input", {
          type: "cost_plus",
          costTable: "provider",
          tokenClass: "input",
          dimensions: ["model"],
          markupPercent: "20",
        }),
      ]),
      plan("extra", [], { requires: ["pro"] }),
    ],
  };
}

/** The catalog with the value at `path` replaced; undefined removes it. */
function catalogWith(path: string, value: unknown): unknown {
  const whole: unknown = structuredClone(catalog());
  const steps = path.split(/[.[\]]+/).filter((step) => step !== "");
  const last = steps.pop() ?? "";
  const parent = steps.reduce<unknown>((node, step) => Reflect.get(Object(node), step), whole);
  if (value === undefined) Reflect.deleteProperty(Object(parent), last);
  else Reflect.set(Object(parent), last, value);
  return whole;
}

function issuesOf(input: unknown): string[] {
  try {
    parseCatalog(input);
    return [];
  } catch (error) {
    if (!(error instanceof CatalogInvalidError)) throw error;
    return error.issues.map(({ path, message }) => `${path}: ${message}`);
  }
}

describe("a catalog with all of it", () => {
  const parsed = parseCatalog(catalog());
  const pro = parsed.plans[0];

  test("has a usage price for each class of a rate card", () => {
    expect(pro?.prices.map(({ key }) => key)).toEqual([
      "base",
      "seats",
      "tokens.input",
      "tokens.output",
      "calls",
      "peak",
    ]);
    expect(pro?.prices[2]).toEqual({
      type: "usage",
      key: "tokens.input",
      name: "Tokens: input",
      product: "p",
      meter: "input",
      where: { region: "eu" },
      unitLabel: "token",
      included: "0",
      model: {
        type: "matrix",
        dimensions: ["model"],
        cells: [{ values: { model: "deep" }, unitPriceMinor: "0.3" }],
        defaultUnitPriceMinor: null,
      },
    });
    expect(pro?.prices[3]).toMatchObject({ included: "100", model: { defaultUnitPriceMinor: "2" } });
  });

  test("names the classes wherever the card was named", () => {
    expect(pro?.adjustments?.[1]?.prices).toEqual(["tokens.input", "tokens.output", "calls"]);
    expect(pro?.phases?.[0]?.overrides[0]?.prices).toEqual(["tokens.input", "tokens.output"]);
  });

  test("has its prices belong to features, those of a rate card by the card", () => {
    const { plans } = parseCatalog(catalogWith("plans[0].prices[2].feature", "sso"));
    expect(plans[0]?.prices.map(({ feature }) => feature ?? "")).toEqual(["", "", "sso", "sso", "", ""]);
    expect(plans[0] && pro && planFingerprint(plans[0])).not.toBe(pro && planFingerprint(pro));
  });

  test("gets its defaults", () => {
    expect(pro?.adjustments?.[0]).toMatchObject({ prices: "all", prorated: true });
    expect(pro?.adjustments?.[1]).toMatchObject({ periods: null });
    expect(pro?.phases?.[0]?.overrides[0]).toMatchObject({ priority: 100 });
    expect(pro?.prices[1]).toMatchObject({ unitAmountMinor: "0", includedSeats: 0 });
    expect(parsed.costTables?.[0]?.versions[0]?.effectiveAt).toBe("2026-01-01T00:00:00.000Z");
  });

  test("is the same when it is read again", () => {
    expect(parseCatalog(JSON.parse(JSON.stringify(parsed)))).toEqual(parsed);
  });

  test.each(["adjustments", "phases", "thresholds", "entitlements"])(
    "is another plan without its %s",
    (field) => {
      const without = parseCatalog(catalogWith(`plans[0].${field}`, undefined)).plans[0];
      expect(without && pro && planFingerprint(without)).not.toBe(pro && planFingerprint(pro));
    },
  );

  test("a rate card can be priced by costs, with a mark-up for each class", () => {
    const pricing = {
      type: "cost_plus",
      costTable: "provider",
      markupPercent: "20",
      markups: { input: "-5.50" },
    };
    const priced = catalogWith("plans[0].prices[2]", { ...card, classes: card.classes.slice(0, 1), pricing });
    expect(parseCatalog(priced).plans[0]?.prices[2]).toMatchObject({
      key: "tokens.input",
      model: { type: "cost_plus", costTable: "provider", tokenClass: "input", markupPercent: "-5.5" },
    });
  });
});

const calls = "plans[0].prices[3]";
const peak = "plans[0].prices[4]";
const tokens = "plans[0].prices[2]";
const cost = "plans[1].prices[0]";
const perUnit = { type: "per_unit", unitPriceMinor: "1" };
const stairs = (upTo: (string | null)[]) => ({
  type: "stairstep",
  steps: upTo.map((end) => ({ upTo: end, priceMinor: "1" })),
});
const twice = [matrix.cells[0], matrix.cells[1], matrix.cells[0]];

describe("what is refused of a price", () => {
  test.each([
    // Shapes.
    {
      at: `${calls}.model`,
      value: { type: "percentage", percent: "100.1" },
      place: ".percent",
      message: 'write a percentage from 0 to 100 as text, such as "2.9"',
    },
    {
      at: `${calls}.model`,
      value: { type: "percentage", percent: "-1" },
      place: ".percent",
      message: 'write a percentage from 0 to 100 as text, such as "2.9"',
    },
    {
      at: `${cost}.model.markupPercent`,
      value: "-100.5",
      message: 'write what is added to the cost in percent, as text, -100 or more, such as "20"',
    },
    {
      at: `${calls}.model.cells[0].unitPriceMinor`,
      value: "-1",
      message: 'write minor units as text, zero or more, with at most 12 decimals, such as "0.0003"',
    },
    {
      at: `${calls}.model`,
      value: { type: "package", packageSize: "0", packagePriceMinor: "1" },
      place: ".packageSize",
      message: "must be more than zero",
    },
    { at: `${calls}.model.dimensions`, value: [], message: "name at least one dimension" },
    { at: "plans[0].currency", value: undefined, message: 'write a lower-case ISO 4217 code such as "usd"' },
    { at: `${peak}.negative`, value: "ignored", message: 'write "clamped" or "mirrored"' },
    // Steps.
    {
      at: `${calls}.model`,
      value: stairs(["10", "10", null]),
      place: ".steps[1].upTo",
      message: "must be more than 10, where the step before it ends",
    },
    {
      at: `${calls}.model`,
      value: stairs(["10", "20"]),
      place: ".steps[1].upTo",
      message: "must be null: the last step has no end",
    },
    {
      at: `${calls}.model`,
      value: stairs([null, null]),
      place: ".steps[0].upTo",
      message: "write where the step ends: only the last one is without end",
    },
    // Cells.
    {
      at: `${calls}.model.cells`,
      value: twice,
      place: "[2].values",
      message: "are the same as in [0]: remove one of them",
    },
    {
      at: `${calls}.model.cells[1].values`,
      value: { region: "eu" },
      place: ".model",
      message: "is missing: name a value of every dimension",
      also: 1,
    },
    {
      at: `${calls}.model.cells[1].values.region`,
      value: "eu",
      message: "is none of the dimensions model: add it there or remove it here",
    },
    { at: `${calls}.model.cells`, value: [], message: "write at least one cell, or a default price" },
    {
      at: `${calls}.model.dimensions`,
      value: ["model", "model"],
      place: "[1]",
      message: '"model" is named twice',
    },
    {
      at: "meters[2].dimensions",
      value: ["region"],
      place: undefined,
      path: `${calls}.model.dimensions[0]`,
      message: 'meter "calls" has no dimension "model": declare it there or remove it here',
    },
    {
      at: `${calls}.meter`,
      value: "users",
      path: `${calls}.model`,
      message:
        'meter "users" has one unique_count for all its dimensions: cells need a count, sum or time_weighted_sum',
    },
    // Events.
    {
      at: calls,
      value: usage(
        "calls",
        "peak",
        { type: "percentage", percent: "1", freeEvents: 1 },
        { where: { model: "x" } },
      ),
      path: `${calls}.model`,
      message: 'events are judged one by one: meter "peak" must sum their amounts',
      also: 1,
    },
    {
      at: calls,
      value: usage("calls", "metres", { type: "percentage", percent: "1", feePerEventMinor: "1" }),
      path: `${calls}.model`,
      message:
        'events are judged one by one: meter "metres" must not convert or round what they come to together',
    },
    {
      at: calls,
      value: usage("calls", "calls", {
        type: "percentage",
        percent: "1",
        perEventMinMinor: "5",
        perEventMaxMinor: "4",
      }),
      path: `${calls}.model.perEventMaxMinor`,
      message: "must be at least 5, the minimum of an event",
    },
    {
      at: calls,
      value: usage("calls", "calls", { type: "percentage", percent: "1" }, { included: "10" }),
      path: `${calls}.included`,
      message: "remove it: what is free of a percentage stands in its model",
    },
    // Buckets.
    {
      at: `${peak}.meter`,
      value: "metres",
      path: `${peak}.buckets`,
      message: 'remove it: only a maximum has buckets, and meter "metres" is a sum',
    },
    // Costs.
    {
      at: `${cost}.model.costTable`,
      value: "costs",
      message: 'there is no cost table "costs": declare it under the cost tables',
    },
    {
      at: `${cost}.model.tokenClass`,
      value: "audio",
      message: 'cost table "provider" has no costs of class "audio": add them there or name another',
    },
    {
      at: `${cost}.model.dimensions`,
      value: ["region"],
      message: 'must be those of cost table "provider": model',
    },
    {
      at: "plans[1].currency",
      value: "eur",
      path: `${cost}.model.costTable`,
      message: 'cost table "provider" is in usd: a plan in eur needs one in eur',
    },
    // Seats.
    {
      at: "plans[0].prices[1].model",
      value: undefined,
      path: "plans[0].prices[1].unitAmountMinor",
      message: "is missing: write what a seat costs, or a model",
    },
    {
      at: "plans[0].prices[1].unitAmountMinor",
      value: "100",
      message: "remove it or the model: seats are priced by one of them",
    },
    {
      at: "plans[0].prices[1].timing",
      value: "in_advance",
      path: "plans[0].prices[1].counting",
      message: "remove it, or bill the seats in_arrears: only then are they counted",
    },
    {
      at: "plans[0].prices[1].model.steps[1].upTo",
      value: "9",
      message: "must be null: the last step has no end",
    },
    // Rate cards.
    {
      at: `${tokens}.classes[1].key`,
      value: "input",
      place: "",
      message: '"input" is used twice: choose another key',
      also: 2,
    },
    {
      at: `${tokens}.classes[0].meter`,
      value: "tokens",
      message: 'there is no meter "tokens": declare it under meters',
    },
    {
      at: `${tokens}.classes[1].meter`,
      value: "input",
      path: `${tokens}.classes[1].where`,
      message: 'would bill the same usage as price "tokens.input": give them different values of a dimension',
    },
    {
      at: `${tokens}.pricing.rows[0].rates.audio`,
      value: "1",
      message: "is none of the classes input, output: add it there or remove it here",
    },
    {
      at: `${tokens}.pricing.defaults.audio`,
      value: "1",
      message: "is none of the classes input, output: add it there or remove it here",
    },
    {
      at: `${tokens}.pricing.rows[0].values`,
      value: {},
      place: ".model",
      message: "is missing: name a value of every dimension",
    },
    {
      at: `${tokens}.key`,
      value: "t".repeat(60),
      path: `${tokens}.classes[0].key`,
      message: `with "${"t".repeat(60)}." before it must have at most 64 characters`,
      also: 3,
    },
    {
      at: `${calls}.key`,
      value: "tokens.input",
      path: `${tokens}.classes[0].key`,
      message: 'makes the price "tokens.input", which there is: choose another key',
      also: 1,
    },
    {
      at: `${tokens}.pricing`,
      value: { type: "cost_plus", costTable: "provider", markupPercent: "1" },
      path: `${tokens}.classes[1].key`,
      message: 'cost table "provider" has no costs of class "output": add them there or name another',
    },
  ])("$at = $value: $message", ({ at, value, place = "", path = `${at}${place}`, message, also = 0 }) => {
    const issues = issuesOf(catalogWith(at, value));
    expect(issues).toContain(`${path}: ${message}`);
    expect(issues).toHaveLength(1 + also);
  });

  test("per unit has nothing to be refused", () => {
    expect(issuesOf(catalogWith(`${calls}.model`, perUnit))).toEqual([]);
  });
});

describe("what is refused of a plan", () => {
  const adjustments = "plans[0].adjustments";
  const phases = "plans[0].phases";
  const overrides = `${phases}[0].overrides`;
  test.each([
    {
      at: `${adjustments}[1].prices[0]`,
      value: "storage",
      message: 'the plan has no price "storage": name one of its prices',
    },
    { at: `${adjustments}[1].prices[1]`, value: "tokens", message: '"tokens" is named twice' },
    { at: `${adjustments}[1].key`, value: "least", message: '"least" is used twice: choose another key' },
    { at: `${adjustments}[1].key`, value: "base", message: '"base" is used twice: choose another key' },
    {
      at: `${adjustments}[1].percent`,
      value: "101",
      message: 'write a percentage from 0 to 100 as text, such as "2.9"',
    },
    { at: `${adjustments}[0].amountMinor`, value: "0", message: "must be more than zero" },
    {
      at: `${adjustments}[0].type`,
      value: "floor",
      message: 'write "minimum", "maximum", "commitment", "percent_discount" or "amount_discount"',
    },
    { at: `${phases}[1].periods`, value: 2, message: "must be null: the last phase does not end" },
    {
      at: `${phases}[0].periods`,
      value: null,
      message: "write how many periods it lasts: only the last one has no end",
    },
    { at: `${phases}[0].periods`, value: 0, message: "must be at least 1" },
    { at: `${phases}[1].key`, value: "first", message: '"first" is used twice: choose another key' },
    {
      at: `${overrides}[1].prices[0]`,
      value: "fee",
      message: 'the plan has no price "fee": name one of its prices',
    },
    { at: `${overrides}[1].effect.price`, value: {}, message: "write what the price says instead" },
    {
      at: `${overrides}[1].effect.price`,
      value: { included: "1" },
      path: `${overrides}[1].effect.price.included`,
      message: 'price "base" is of type flat, which has no such field: remove it or name other prices',
    },
    {
      at: `${overrides}[1].prices`,
      value: ["base", "calls"],
      path: `${overrides}[1].effect.price.amountMinor`,
      message: 'price "calls" is of type usage, which has no such field: remove it or name other prices',
    },
    {
      at: `${overrides}[1]`,
      value: { prices: ["calls"], effect: { type: "overwrite", price: { model: stairs(["2", "1", null]) } } },
      path: `${overrides}[1].effect.price.model.steps[1].upTo`,
      message: "must be more than 2, where the step before it ends",
    },
    {
      at: "plans[0].thresholds.amountsMinor[1]",
      value: "1000",
      message: "must be more than 1000, the threshold before it",
    },
    {
      at: "plans[0].entitlements[0].feature",
      value: "audit",
      message: 'there is no feature "audit": declare it under features',
    },
    {
      at: "plans[0].prices[2].feature",
      value: "fast",
      message: 'there is no feature "fast": declare it under features',
    },
    {
      at: "plans[0].entitlements[0].feature",
      value: "calls",
      path: "plans[0].entitlements[1].feature",
      message: '"calls" is given twice: remove one of them',
    },
    {
      at: "plans[0].entitlements[0].limit",
      value: "5",
      message: "remove it: only a metered feature has a limit",
    },
    { at: "plans[0].entitlements[1].value", value: "5", message: "remove it: only a setting has a value" },
    { at: "plans[0].entitlements[2].value", value: undefined, message: "is missing: write the setting" },
    { at: "features[1].meter", value: undefined, message: "name the meter that measures it" },
    {
      at: "features[1].meter",
      value: "clicks",
      message: 'there is no meter "clicks": declare it under meters',
    },
    { at: "features[0].meter", value: "calls", message: "remove it: only a metered feature has one" },
    {
      at: "plans[2].requires[0]",
      value: "premium",
      message: 'there is no plan "premium": declare it under plans',
    },
    {
      at: "plans[2].requires[0]",
      value: "extra",
      message: "makes a circle, extra → extra: remove one of these requirements",
    },
    {
      at: "plans[2].requires",
      value: ["pro", "pro"],
      path: "plans[2].requires[1]",
      message: '"pro" is named twice',
    },
    {
      at: "costTables[0].versions[1].effectiveAt",
      value: "2026-01-01T00:00:00Z",
      message: "must be later than 2026-01-01T00:00:00.000Z, that of the version before it",
    },
    {
      at: "costTables[0].versions[1].effectiveAt",
      value: "tomorrow",
      message: 'write an ISO time such as "2026-01-01T00:00:00Z"',
    },
    {
      at: "costTables[0].versions[0].rows[0].values",
      value: { region: "eu" },
      path: "costTables[0].versions[0].rows[0].values.model",
      message: "is missing: name a value of every dimension",
      also: 1,
    },
  ])("$at = $value: $message", ({ at, value, path = at, message, also = 0 }) => {
    const issues = issuesOf(catalogWith(at, value));
    expect(issues).toContain(`${path}: ${message}`);
    expect(issues).toHaveLength(1 + also);
  });

  test("an overwrite of all prices is for those that have what it says", () => {
    const all = (price: object) =>
      catalogWith(`${overrides}[1]`, { prices: "all", effect: { type: "overwrite", price } });
    expect(issuesOf(all({ amountMinor: "1" }))).toEqual([]);
    const withoutSeats = Object(all({ includedSeats: 3 }));
    withoutSeats.plans[0].prices.splice(1, 1);
    expect(issuesOf(withoutSeats)).toEqual([
      `${overrides}[1].effect.price: no price of the plan has a field that it says`,
    ]);
  });

  test("add-ons that require each other in a circle are told the way round", () => {
    const circle = catalogWith("plans[0].requires", ["cost"]);
    Object(circle).plans[1].requires = ["extra"];
    expect(issuesOf(circle)).toEqual([
      "plans[0].requires[0]: makes a circle, pro → cost → extra → pro: remove one of these requirements",
      "plans[1].requires[0]: makes a circle, cost → extra → pro → cost: remove one of these requirements",
      "plans[2].requires[0]: makes a circle, extra → pro → cost → extra: remove one of these requirements",
    ]);
  });
});

describe("new versions of a cost table", () => {
  const version = (effectiveAt: string, input: string) => ({
    effectiveAt: `${effectiveAt}T00:00:00.000Z`,
    rows: [{ values: { model: "deep" }, costs: { input } }],
  });
  const published: CostTable = {
    key: "provider",
    name: "Provider",
    currency: currency("usd"),
    dimensions: ["model"],
    versions: [version("2026-01-01", "0.25"), version("2026-02-01", "0.2")],
  };
  const next = (...versions: ReturnType<typeof version>[]) => ({ ...published, versions });
  const now = instant("2026-03-01T00:00:00Z");

  test("of a table that is new all are", () => {
    expect(newCostVersions(undefined, published, now, "t")).toEqual({
      versions: published.versions,
      issues: [],
    });
  });

  test("are those that were not there; what is left out stays", () => {
    const added = version("2026-04-01", "0.1");
    expect(newCostVersions(published, next(version("2026-02-01", "0.2"), added), now, "t")).toEqual({
      versions: [added],
      issues: [],
    });
  });

  test.each([
    {
      table: next(version("2026-02-01", "0.3")),
      issue:
        "t.versions[0].rows: was published with other costs and stays as it was: add a version that is effective later",
    },
    {
      table: next(version("2026-02-15", "0.3")),
      issue: "t.versions[0].effectiveAt: is in the past, where usage has its price: write a time to come",
    },
    {
      table: next(version("2026-01-15", "0.3")),
      issue:
        "t.versions[0].effectiveAt: must be later than 2026-02-01T00:00:00.000Z, when the newest published version begins",
    },
    {
      table: { ...published, currency: currency("eur") },
      issue: "t.currency: was published as usd: declare another table",
    },
    {
      table: { ...published, dimensions: ["model", "region"] },
      issue: "t.dimensions: was published as model: declare another table",
    },
  ])("$issue", ({ table, issue }) => {
    const { issues } = newCostVersions(published, table, now, "t");
    expect(issues.map(({ path, message }) => `${path}: ${message}`)).toEqual([issue]);
  });

  test.each([
    { from: "2025-12-01", to: "2026-01-15", parts: ["0.25 2025-12-01 2026-01-15"] },
    {
      from: "2026-01-15",
      to: "2026-02-15",
      parts: ["0.25 2026-01-15 2026-02-01", "0.2 2026-02-01 2026-02-15"],
    },
    { from: "2026-02-01", to: "2026-03-01", parts: ["0.2 2026-02-01 2026-03-01"] },
  ])("from $from to $to: $parts", ({ from, to, parts }) => {
    const day = (text: string) => instant(`${text}T00:00:00Z`);
    const found = costPeriods(published.versions, { start: day(from), end: day(to) });
    const shown = found.map(({ version: { rows }, period }) =>
      [
        rows[0]?.costs.input,
        ...[period.start, period.end].map((at) => new Date(at).toISOString().slice(0, 10)),
      ].join(" "),
    );
    expect(shown).toEqual(parts);
  });
});

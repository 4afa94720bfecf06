import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { camelCase, renameFields } from "../../../src/api/field-names.ts";
import { addDuration, instant } from "../../../src/domain/calendar/index.ts";
import {
  type Catalog,
  type CostTable,
  costPeriods,
  parseCatalog,
  type UsageModel,
  type UsagePrice,
} from "../../../src/domain/catalog/index.ts";
import { invariant } from "../../../src/domain/errors.ts";
import { type MeterReading, type PriceReading, priceMeasure } from "../../../src/domain/invoicing/index.ts";
import type { Meter } from "../../../src/domain/metering/index.ts";
import {
  currency,
  decimal,
  formatMoney,
  roundToMinor,
  sumDecimals,
  zero,
} from "../../../src/domain/money/index.ts";
import { rateDifference, rateUsage } from "../../../src/domain/rating/index.ts";

/** Every example of docs/pricing.md, run. */

const text = readFileSync(new URL("../../../docs/pricing.md", import.meta.url), "utf8");

type Cells = readonly string[];

/** The rows of the tables with such a header. */
function rowsOf(header: string, within = text): Cells[] {
  const form = new RegExp(`^\\| ${header} \\|[^\\n]*\\n\\| ---[^\\n]*\\n((?:\\|[^\\n]*\\n)+)`, "gm");
  return [...within.matchAll(form)].flatMap(([, rows = ""]) =>
    rows
      .trim()
      .split("\n")
      .map((row) =>
        row
          .slice(1, -1)
          .split("|")
          .map((cell) => cell.trim()),
      ),
  );
}

const opaque = new Set(["values", "rates", "defaults", "markups", "costs", "where"]);
const written = (json: string): Record<string, unknown> =>
  Object(renameFields(JSON.parse(json), camelCase, opaque));

const examples = [...text.matchAll(/^```json\n(.*?)^```\n(.*?)(?=^```json|^## |^### )/gms)].map(
  ([, json = "", after = ""]) => ({ said: written(json), after }),
);

const costTable = examples.find(({ said }) => "versions" in said)?.said;

const meters = ["calls", "input_tokens", "cached_tokens", "output_tokens"].map((key) => ({
  key,
  eventType: "used",
  aggregation: "sum",
  property: "quantity",
  dimensions: ["model", "region"],
}));

/** A catalog with one price of usage that is summed up, or the highest of which counts. */
function catalogWith(price: Record<string, unknown>): Catalog {
  const [calls, ...others] = meters;
  return parseCatalog({
    meters: [{ ...calls, aggregation: "buckets" in price ? "max" : "sum" }, ...others],
    costTables: [costTable],
    plans: [{ key: "p", name: "P", currency: "usd", interval: { unit: "month", count: 1 }, prices: [price] }],
  });
}

function pricedBy(said: Record<string, unknown>) {
  const price = { type: "usage", key: "u", name: "U", product: "u", meter: "calls", ...said };
  const { plans, meters: of, costTables = [] } = catalogWith(price);
  const [found] = plans[0]?.prices ?? [];
  invariant(found?.type === "usage", "the example is a usage price");
  return { price: found, meters: of, costTables };
}

type Priced = ReturnType<typeof pricedBy>;

const listed = (cell = ""): string[] => (cell === "" ? [] : cell.split(", "));

/** Kind of table → what its first column says that was used. */
const readingsOf: Record<
  string,
  (cell: string, priced: Priced) => { readings: MeterReading[]; more?: Partial<PriceReading> }
> = {
  quantity: (cell) => ({ readings: [used(decimal(cell))] }),
  events: (cell) => {
    const events = listed(cell).map((amount) => decimal(amount));
    return { readings: [used(sumDecimals(events))], more: { events } };
  },
  maxima: (cell) => ({
    readings: [],
    more: {
      buckets: listed(cell).map((highest, day) => ({
        start: addDuration(instant("2026-03-01T00:00:00Z"), { days: day }, "UTC"),
        quantity: decimal(highest),
      })),
    },
  }),
  cells: (cell, { price }) => ({ readings: listed(cell).map((said) => cellOf(said, price.model)) }),
  costed: (cell, { price, costTables }) => {
    const days = listed(cell).map((said) => ({
      day: said.slice(0, 10),
      reading: cellOf(said.slice(11), price.model),
    }));
    const [table] = costTables;
    invariant(table !== undefined, "the page has a cost table");
    return { readings: days.map(({ reading }) => reading), more: { costs: costsOf(days, table) } };
  },
};

const used = (quantity: MeterReading["quantity"]): MeterReading => ({
  meterKey: "calls",
  dimensions: {},
  quantity,
});

function cellOf(said: string, model: UsageModel): MeterReading {
  const parts = said.split(" ");
  const names = "dimensions" in model ? model.dimensions : [];
  const dimensions = Object.fromEntries(names.map((name, index) => [name, parts[index] ?? ""]));
  return { meterKey: "calls", dimensions, quantity: decimal(parts.at(-1) ?? "") };
}

function costsOf(days: readonly { day: string; reading: MeterReading }[], { versions }: CostTable) {
  const whole = { start: instant("2025-12-01T00:00:00Z"), end: instant("2026-02-01T00:00:00Z") };
  return costPeriods(versions, whole).map(({ version, period }) => ({
    version,
    readings: days
      .filter(
        ({ day }) => period.start <= instant(`${day}T00:00:00Z`) && instant(`${day}T00:00:00Z`) < period.end,
      )
      .map(({ reading }) => reading),
  }));
}

const includedOf = ({ model, included }: UsagePrice) =>
  decimal(model.type === "percentage" ? (model.freeAmountMinor ?? "0") : included);

function costOf(priced: Priced, kind: string, cell: string): string {
  const { price, meters: of } = priced;
  const { readings, more } = readingsOf[kind]?.(cell, priced) ?? { readings: [] };
  const reading = more === undefined ? undefined : { planKey: "p", priceKey: "u", ...more };
  const measure = priceMeasure(price, readings, reading, of as readonly Meter[]);
  return rateUsage(price.model, measure, includedOf(price), price.negative).exactMinor.text;
}

const worked = examples
  .filter(({ said }) => "model" in said)
  .flatMap(({ said, after }) => {
    const kind = Object.keys(readingsOf).find((header) => rowsOf(header, after).length > 0);
    return kind === undefined ? [] : [{ said, kind, rows: rowsOf(kind, after), title: JSON.stringify(said) }];
  });

describe.each(worked)("$title", ({ said, kind, rows }) => {
  test.each(rows)("%s cost %s: %s", (cell, costs) => {
    expect(costOf(pricedBy(said), kind, cell)).toBe(costs);
  });
});

test("every model is worked through, and every kind of measure", () => {
  const models = new Set(worked.map(({ said }) => Object(said.model).type));
  expect([...models].toSorted()).toEqual(
    [
      "cost_plus",
      "graduated",
      "matrix",
      "package",
      "per_unit",
      "percentage",
      "stairstep",
      "volume",
    ].toSorted(),
  );
  expect([...new Set(worked.map(({ kind }) => kind))].toSorted()).toEqual(Object.keys(readingsOf).toSorted());
  expect(worked.flatMap(({ rows }) => rows).length).toBeGreaterThan(80);
});

test.each(rowsOf("currency"))(
  "in %s %s × %s are %s, on the invoice %s",
  (code, unitPriceMinor, quantity, exact, shown) => {
    const rated = rateUsage({ type: "per_unit", unitPriceMinor }, decimal(quantity), zero);
    expect(rated.exactMinor.text).toBe(exact);
    expect(formatMoney(roundToMinor(rated.exactMinor, currency(code)))).toBe(shown);
  },
);

test.each(rowsOf("billed"))(
  "%s were billed, %s there are: %s more when graduated, %s by volume",
  (billed, then, ...more) => {
    const tiers = [
      { upTo: "100", unitPriceMinor: "10", flatMinor: "0" },
      { upTo: null, unitPriceMinor: "5", flatMinor: "0" },
    ];
    const differences = (["graduated", "volume"] as const).map(
      (type) => rateDifference({ type, tiers }, decimal(billed), decimal(then), zero).text,
    );
    expect(differences).toEqual(more);
  },
);

test("a rate card becomes the prices that the page lists", () => {
  const card = examples.find(({ said }) => said.type === "rate_card");
  invariant(card !== undefined, "the page has a rate card");
  const [plan] = catalogWith(card.said).plans;
  const prices = (plan?.prices ?? []).map((price) => {
    invariant(price.type === "usage" && price.model.type === "matrix", "a class is priced by a matrix");
    const { cells, defaultUnitPriceMinor } = price.model;
    const shown = cells.map(({ values, unitPriceMinor }) => `${values.model} ${unitPriceMinor}`).join(", ");
    return [`\`${price.key}\``, price.meter, shown, defaultUnitPriceMinor ?? "none"];
  });
  expect(prices).toEqual(rowsOf("price"));
});

test("the first price of the page can be published", () => {
  expect(pricedBy(examples[0]?.said ?? {}).price).toMatchObject({
    included: "1000",
    where: { region: "eu" },
  });
});

import { instant, type Period } from "../../src/domain/calendar/index.ts";
import {
  type PlanVersion,
  parseCatalog,
  type UsageModel,
  type UsagePrice,
} from "../../src/domain/catalog/index.ts";
import { rateStretches, type StretchUsage, usageLines } from "../../src/domain/invoicing/index.ts";
import { currency, decimal, roundToMinor, zero } from "../../src/domain/money/index.ts";
import { rateUsage } from "../../src/domain/rating/index.ts";

/** Token prices: four tiers with decimals far below a cent, and fees. */
const bounds = ["1000000", "10000000", "100000000", null];
const unitPrices = ["0.0003", "0.00025", "0.0002125", "0.00018"];
const fees = ["0", "100", "250.5", "400"];

const tiers = bounds.map((upTo, index) => ({
  upTo,
  unitPriceMinor: unitPrices[index] ?? "0",
  flatMinor: fees[index] ?? "0",
}));

const regions = Array.from({ length: 20 }, (_, index) => `region-${index}`);

const models: readonly { readonly key: string; readonly model: UsageModel }[] = [
  { key: "graduated", model: { type: "graduated", tiers } },
  { key: "volume", model: { type: "volume", tiers } },
  { key: "per_unit", model: { type: "per_unit", unitPriceMinor: "0.00018" } },
  {
    key: "package",
    model: { type: "package", packageSize: "1000", packagePriceMinor: "0.3", rounding: "up" },
  },
];

/** Quantities that reach the last tier, a third of them with decimals: as text, as they come from the database. */
export function quantitiesOf(count: number): string[] {
  return Array.from({ length: count }, (_, index) => {
    const whole = 100_000_001 + index * 7_919;
    return index % 3 === 0 ? `${whole}.${String(index % 1000).padStart(3, "0")}5` : String(whole);
  });
}

const usd = currency("usd");

/** One kind of work: how many lines it makes of each quantity, and what they come to in minor units. */
export interface Work {
  readonly name: string;
  readonly run: (quantities: readonly string[]) => bigint;
}

/** Rating alone: a quantity from its text to money, exact in between and rounded once. */
const ratings = models.map(
  ({ key, model }): Work => ({
    name: `rated, ${key}`,
    run: (quantities) => {
      let total = 0n;
      for (const quantity of quantities) {
        total += roundToMinor(rateUsage(model, decimal(quantity), zero).exactMinor, usd).amountMinor;
      }
      return total;
    },
  }),
);

const period: Period = { start: instant("2026-01-01T00:00:00Z"), end: instant("2026-02-01T00:00:00Z") };

const catalog = parseCatalog({
  meters: [
    { key: "tokens", eventType: "request", aggregation: "sum", property: "tokens", dimensions: ["region"] },
  ],
  plans: [
    {
      key: "pro",
      name: "Pro",
      currency: "usd",
      interval: { unit: "month", count: 1 },
      prices: [usagePrice({ type: "graduated", tiers })],
    },
    {
      key: "regional",
      name: "Regional",
      currency: "usd",
      interval: { unit: "month", count: 1 },
      prices: [
        usagePrice({
          type: "matrix",
          dimensions: ["region"],
          cells: regions.map((region, index) => ({ values: { region }, unitPriceMinor: `0.0002${index}` })),
          defaultUnitPriceMinor: null,
        }),
      ],
    },
  ],
});

function usagePrice(model: object): Omit<UsagePrice, "model" | "where" | "unitLabel"> & { model: object } {
  return {
    type: "usage",
    key: "tokens",
    name: "Tokens",
    product: "tokens",
    meter: "tokens",
    included: "500000",
    model,
  };
}

function planOf(key: string): PlanVersion {
  const plan = catalog.plans.find((each) => each.key === key);
  if (plan === undefined) throw new Error(`there is no plan ${key}`);
  return { ...plan, version: 1 };
}

/** From what a meter read to the line of an invoice. */
function lines(
  name: string,
  planKey: string,
  readingsOf: (quantity: string) => StretchUsage["readings"],
): Work {
  const terms = { effectiveAt: period.start, items: [{ plan: planOf(planKey), seats: 1 }], paused: false };
  const stretch = { ...period, terms };
  return {
    name,
    run: (quantities) => {
      let total = 0n;
      for (const quantity of quantities) {
        const usage = [{ stretch, readings: readingsOf(quantity) }];
        const [line] = usageLines(
          rateStretches(usage, { full: period, timeZone: "UTC" }, catalog.meters),
          null,
        );
        total += line?.amount.amountMinor ?? 0n;
      }
      return total;
    },
  };
}

const reading = (region: string, quantity: string) => ({
  meterKey: "tokens",
  dimensions: { region },
  quantity: decimal(quantity),
});

export const works: readonly Work[] = [
  ...ratings,
  lines("line of an invoice, graduated", "pro", (quantity) => [reading("", quantity)]),
  lines("line of an invoice, matrix of 20 cells", "regional", (quantity) =>
    regions.map((region) => reading(region, quantity)),
  ),
];

/** What graduated rating must come to, in whole numbers alone: quantities in 10⁻⁴, prices in 10⁻⁷ of a minor unit. */
export function graduatedInIntegers(quantities: readonly string[]): bigint {
  const scaled = (text: string, places: number) => {
    const [whole = "0", decimals = ""] = text.split(".");
    return BigInt(whole + decimals.padEnd(places, "0"));
  };
  let total = 0n;
  for (const quantity of quantities) {
    const units = scaled(quantity, 4);
    let exact = 0n;
    let from = 0n;
    for (const { upTo, unitPriceMinor, flatMinor } of tiers) {
      if (units <= from) break;
      const to = upTo === null ? units : scaled(upTo, 4);
      exact += ((units < to ? units : to) - from) * scaled(unitPriceMinor, 7) + scaled(flatMinor, 11);
      from = to;
    }
    const step = 10n ** 11n;
    const [floor, rest] = [exact / step, (exact % step) * 2n];
    total += rest > step || (rest === step && floor % 2n === 1n) ? floor + 1n : floor;
  }
  return total;
}

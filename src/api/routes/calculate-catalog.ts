import type { z } from "zod";
import type { Catalog, UsagePrice } from "../../domain/catalog/index.ts";
import { invariant } from "../../domain/errors.ts";
import type { Meter } from "../../domain/metering/index.ts";
import { RequestRefusedError } from "../refusals.ts";
import { catalogOf } from "./catalog.ts";
import type { catalogInput, meterSchema } from "./catalog-schemas.ts";
import type { usageModelSchema } from "./price-schemas.ts";

/** Parts of catalogs in questions: read as if they were published, with all the checks of that. */

type WrittenMeter = z.output<typeof meterSchema>;
type WrittenModel = z.output<typeof usageModelSchema>;

/** @throws RequestRefusedError `catalog_invalid` with fields such as `meter.property` */
export function readMeter(written: WrittenMeter): Meter {
  const [meter] = readCatalog({ meters: [written], plans: [] }, { "meters[0]": "meter" }).meters;
  invariant(meter !== undefined, "a catalog has the meter it was made of");
  return meter;
}

/** A price model, with what is free of it. @throws RequestRefusedError `catalog_invalid` with fields such as `model.tiers` */
export function readUsagePrice(model: WrittenModel, included: string | undefined): UsagePrice {
  const dimensions = "dimensions" in model ? model.dimensions : [];
  const price = {
    type: "usage",
    key: "price",
    name: "Price",
    product: "product",
    meter: "meter",
    model,
    ...(included === undefined ? {} : { included }),
  } as const;
  const { plans } = readCatalog(
    {
      meters: [{ key: "meter", event_type: "usage", aggregation: "sum", property: "quantity", dimensions }],
      plans: [
        {
          key: "plan",
          name: "Plan",
          currency: "usd",
          interval: { unit: "month", count: 1 },
          prices: [price],
        },
      ],
      ...(model.type === "cost_plus" ? { cost_tables: [costTableFor(model)] } : {}),
    },
    { "plans[0].prices[0].": "" },
  );
  const read = plans[0]?.prices[0];
  invariant(read?.type === "usage", "a catalog has the price it was made of");
  return read;
}

/** A table that a mark-up can be on; the costs come with the question. */
function costTableFor({ cost_table, token_class, dimensions }: Extract<WrittenModel, { type: "cost_plus" }>) {
  const values = Object.fromEntries(dimensions.map((dimension) => [dimension, ""]));
  return {
    key: cost_table,
    name: "Costs",
    currency: "usd",
    dimensions,
    versions: [{ effective_at: "2000-01-01T00:00:00Z", rows: [{ values, costs: { [token_class]: "0" } }] }],
  };
}

/** @param places what the paths of the catalog are called in the question */
function readCatalog(
  written: z.output<typeof catalogInput>,
  places: Readonly<Record<string, string>>,
): Catalog {
  try {
    return catalogOf(written);
  } catch (error) {
    if (!(error instanceof RequestRefusedError)) throw error;
    const asked = (field: string) =>
      Object.entries(places).reduce(
        (path, [from, to]) => (path.startsWith(from) ? to + path.slice(from.length) : path),
        field,
      );
    const faults = error.faults.map(({ field, detail }) => ({ field: asked(field), detail }));
    const all = faults.map(({ field, detail }) => `${field}: ${detail}`).join("; ");
    throw new RequestRefusedError(error.code, all, faults[0]?.field, faults);
  }
}

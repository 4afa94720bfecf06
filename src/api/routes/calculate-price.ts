import { z } from "zod";
import { calculatePrice } from "../../domain/calculators/index.ts";
import { decimal, sumDecimals } from "../../domain/money/index.ts";
import type { RatedTier, UsageMeasure } from "../../domain/rating/index.ts";
import type { ApiInstance } from "../api-instance.ts";
import { RequestRefusedError } from "../refusals.ts";
import { currencyInput, currencyText, decimalText, minorText } from "../wire.ts";
import { readUsagePrice } from "./calculate-catalog.ts";
import {
  calculator,
  decimalInput,
  listInput,
  quantityInput,
  requireSize,
  roundingInput,
} from "./calculate-wire.ts";
import { usageModelSchema } from "./price-schemas.ts";

const measuresMax = 1_000;
const eventsMax = 10_000;
const cellsMax = 2_000;

const question = z
  .strictObject({
    currency: currencyInput,
    model: usageModelSchema,
    included: z.string().optional().describe("Free before the first tier begins."),
    negative: z
      .enum(["clamped", "mirrored"])
      .default("clamped")
      .describe("What a quantity below zero costs: nothing, or what it would above zero, negative."),
    rounding: roundingInput,
    quantities: listInput(decimalInput, measuresMax)
      .optional()
      .describe("Each is a whole period's, priced for itself."),
    events: listInput(decimalInput, eventsMax)
      .optional()
      .describe("Amounts in the order of their times, for a percentage that looks at events."),
    cells: listInput(
      z.strictObject({
        dimensions: z.record(z.string(), z.string()),
        quantity: decimalInput,
        unit_cost_minor: quantityInput.optional().describe("For a mark-up over a cost."),
      }),
      cellsMax,
    )
      .optional()
      .describe("Quantities by dimension values, for a matrix or a mark-up over costs."),
    buckets: listInput(decimalInput, measuresMax)
      .optional()
      .describe("The maxima of hours or days of one period."),
    bucket_price: z
      .enum(["each", "sum"])
      .default("each")
      .describe("Whether each maximum is priced for itself, or what they sum to."),
  })
  .meta({ id: "PriceQuestion" });

const tier = z.object({
  from: decimalText.describe("Not included, in billable units."),
  to: decimalText.nullable().describe("Included; null without end."),
  quantity: decimalText.describe("Of a package price: packages."),
  unit_price_minor: decimalText,
  flat_minor: decimalText,
  exact_minor: decimalText,
  cell: z.record(z.string(), z.string()).optional(),
  part: z.string().optional().describe("Of a percentage: what the quantity counts."),
  is_not_priced: z.literal(true).optional(),
});

const answer = z
  .object({
    currency: currencyText,
    results: z.array(
      z.object({
        quantity: decimalText,
        included_quantity: decimalText,
        billable_quantity: decimalText,
        exact_minor: decimalText.describe("Before rounding; the tiers sum to it."),
        amount_minor: minorText,
        tiers: z.array(tier),
      }),
    ),
  })
  .meta({ id: "PriceAnswer" });

export function calculatePriceRoute(api: ApiInstance): void {
  const options = calculator(question, answer, {
    summary: "What usage costs",
    description:
      "Per tier and in total, by the rating that invoices are made with. Write one of `quantities`, `events`, `cells` and `buckets`.",
    refusals: ["catalog_invalid", "price_measure_invalid", "amount_invalid"],
  });
  api.post("/v1/calculate/price", options, async ({ body }) => {
    const { currency, rounding, negative } = body;
    const { model, included } = readUsagePrice(body.model, body.included);
    const measures = measuresOf(body);
    const priced = calculatePrice({
      model,
      measures,
      included: decimal(included),
      negative,
      currency,
      rounding,
    });
    return {
      currency,
      results: priced.map(({ rated, amount }) => ({
        quantity: rated.quantity.text,
        included_quantity: rated.includedQuantity.text,
        billable_quantity: rated.billableQuantity.text,
        exact_minor: rated.exactMinor.text,
        amount_minor: amount.amountMinor.toString(),
        tiers: rated.tiers.map(tierAnswer),
      })),
    };
  });
}

/** One period for each quantity, or one period that is told in parts. */
function measuresOf(asked: z.output<typeof question>): UsageMeasure[] {
  const { quantities, events, cells, buckets, bucket_price: bucketPrice } = asked;
  requireSize("quantities", quantities?.length ?? 0, measuresMax);
  requireSize("events", events?.length ?? 0, eventsMax);
  requireSize("cells", cells?.length ?? 0, cellsMax);
  requireSize("buckets", buckets?.length ?? 0, measuresMax);
  const given = [quantities, events, cells, buckets].filter((each) => each !== undefined);
  if (given.length !== 1) {
    const message = "write one of quantities, events, cells and buckets";
    throw new RequestRefusedError("price_measure_invalid", message, "quantities");
  }
  if (quantities !== undefined) return quantities.map((total) => ({ total }));
  if (events !== undefined) return [{ total: sumDecimals(events), events }];
  if (buckets !== undefined) {
    const measured = buckets.map((quantity, index) => ({ start: String(index), quantity }));
    const total = sumDecimals(buckets);
    return [bucketPrice === "each" ? { total, buckets: measured } : { total, maxima: measured }];
  }
  const measured = (cells ?? []).map(({ dimensions, quantity, unit_cost_minor }) => ({
    dimensions,
    quantity,
    ...(unit_cost_minor === undefined ? {} : { cost: { unitCostMinor: unit_cost_minor, since: "" } }),
  }));
  return [{ total: sumDecimals(measured.map(({ quantity }) => quantity)), cells: measured }];
}

function tierAnswer({ from, to, quantity, unitPriceMinor, flatMinor, exactMinor, ...marks }: RatedTier) {
  const { cell, part, isNotPriced } = marks;
  return {
    from: from.text,
    to: to?.text ?? null,
    quantity: quantity.text,
    unit_price_minor: unitPriceMinor.text,
    flat_minor: flatMinor.text,
    exact_minor: exactMinor.text,
    ...(cell === undefined ? {} : { cell }),
    ...(part === undefined ? {} : { part }),
    ...(isNotPriced === undefined ? {} : { is_not_priced: isNotPriced }),
  };
}

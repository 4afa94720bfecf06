import { z } from "zod";
import { findCustomer } from "../../db/billing/customers.ts";
import { type PeriodCost, periodCosts } from "../../db/billing/period-cost.ts";
import { inSnapshot, type Tx } from "../../db/database.ts";
import { earliestOf, type Instant, isoOf } from "../../domain/calendar/index.ts";
import {
  chargeOf,
  type InvoiceLine,
  type RatedAdjustment,
  type RatedUsage,
} from "../../domain/invoicing/index.ts";
import type { Watermark } from "../../domain/metering/index.ts";
import { currency, sumMoney } from "../../domain/money/index.ts";
import type { ApiInstance } from "../api-instance.ts";
import { clockOfCustomer } from "../customer-time.ts";
import type { ApiDependencies } from "../dependencies.ts";
import { found } from "../refusals.ts";
import { currencyText, decimalText, idParams, instantInput, instantText, minorText } from "../wire.ts";
import { watermarksNow } from "./usage-watermarks.ts";

type CostDependencies = Pick<ApiDependencies, "db" | "now">;

const ratedSchema = z.object({
  plan: z.string(),
  plan_version: z.number().int(),
  price: z.string(),
  name: z.string(),
  meter: z.string(),
  meter_version: z.number().int().nullable().describe("Null where no version measures the period."),
  where: z.record(z.string(), z.string()).describe("The dimensions that the price is for."),
  unit_label: z.string(),
  from: instantText.describe("Where the terms change inside a period, each part has its own."),
  to: instantText,
  quantity: decimalText,
  included_quantity: decimalText.describe("Free in this part, as the plan prorates."),
  exact_minor: decimalText.describe("Minor units, before rounding."),
  amount_minor: minorText,
  complete_until: instantText.describe("Up to when the meter's usage is complete."),
});

const adjustmentSchema = z.object({
  plan: z.string(),
  plan_version: z.number().int(),
  adjustment: z.string(),
  kind: z.enum(["discount", "cap", "overage", "true_up"]),
  price: z.string().nullable().describe("The price whose usage it adjusts; null where it is no price's."),
  name: z.string(),
  from: instantText,
  to: instantText,
  exact_minor: decimalText.describe("Below zero where it takes off."),
  amount_minor: minorText,
});

const lateSchema = z.object({
  period_start: instantText,
  period_end: instantText,
  plan: z.string(),
  price: z.string().nullable().describe("Null of an adjustment that is no price's."),
  adjustment: z.string().nullable().describe("Null of usage itself."),
  quantity: decimalText.nullable(),
  exact_minor: decimalText,
  amount_minor: minorText.describe("Below zero: what goes to the customer's balance."),
});

const periodCostSchema = z.object({
  subscription: z.string(),
  period_start: instantText,
  period_end: instantText,
  closed: z
    .boolean()
    .describe("Its invoice is issued, and stands; what came since is late usage of the next."),
  currency: currencyText,
  complete_until: instantText.describe("Of all priced meters together, at most the end of the period."),
  amount_minor: minorText.describe(
    "Of all prices and adjustments, each rounded as a line of the invoice would be: what closing the period now would bill of " +
      "its usage, together with what was billed at thresholds.",
  ),
  billed_at_thresholds_minor: minorText.describe("What invoices of thresholds have billed of it already."),
  prices: z.array(ratedSchema),
  adjustments: z
    .array(adjustmentSchema)
    .describe(
      "Discounts, caps and overage on usage, and what is missing to a minimum, as if the period ended now.",
    ),
  late_usage: z
    .array(lateSchema)
    .describe("What usage of earlier periods adds to this period's invoice: it came after they were closed."),
});

const costSchema = z
  .object({
    customer: z.string(),
    as_of: instantText.describe("The customer's time."),
    data: z.array(periodCostSchema),
  })
  .meta({ id: "UsageCost" });

/** What was used in the current period, and what it costs. */
export function usageCostRoutes(api: ApiInstance, deps: CostDependencies): void {
  api.get(
    "/v1/customers/:id/usage",
    {
      config: { scope: "read", refusals: ["customer_not_found"] },
      schema: {
        tags: ["Usage"],
        summary: "What a customer has used in the current period, and what it costs so far",
        description:
          "For each usage price of each subscription, rated and adjusted as closing the period now would do it. Levels that still " +
          "hold count until now.",
        params: idParams,
        querystring: z.strictObject({
          period_start: instantInput
            .optional()
            .describe("Of the periods that begin at this instant; of the current ones when left out."),
        }),
        response: { 200: costSchema },
      },
    },
    // One snapshot: quantities, prices and what was billed before are of one moment.
    async ({ params: { id }, query: { period_start: periodStart } }) =>
      inSnapshot(deps.db, (tx) => usageCost(tx, deps, id, periodStart)),
  );
}

async function usageCost(
  tx: Tx,
  deps: CostDependencies,
  customerId: string,
  periodStart: Instant | undefined,
): Promise<z.infer<typeof costSchema>> {
  found(await findCustomer(tx, customerId), "customer", customerId);
  const clock = await clockOfCustomer(tx, deps, customerId);
  const { now } = clock;
  const costs = await periodCosts(tx, { customerId, now, periodStart });
  const meters = costs.flatMap((cost) => cost.meters);
  const watermarks = await watermarksNow(tx, customerId, clock, meters);
  return {
    customer: customerId,
    as_of: isoOf(now),
    data: costs.map((cost) => costAnswer(cost, watermarks, now)),
  };
}

function costAnswer(
  cost: PeriodCost,
  watermarks: ReadonlyMap<string, Watermark>,
  now: Instant,
): z.infer<typeof periodCostSchema> {
  const { subscription, period, isClosed, rated, adjusted, meters, late } = cost;
  const inCurrency = currency(subscription.currency);
  const completeUntil = (meterKey: string): Instant => {
    const meter = meters.find(({ key }) => key === meterKey);
    return (meter && watermarks.get(meter.eventType)?.completeUntil) ?? now;
  };
  const amounts = [
    ...rated.map(({ plan, rated: { exactMinor } }) => chargeOf(plan, exactMinor)),
    ...adjusted.map(({ amount }) => amount),
  ];
  const priced = rated.map(({ price }) => completeUntil(price.meter));
  return {
    subscription: subscription.id,
    period_start: isoOf(period.start),
    period_end: isoOf(period.end),
    closed: isClosed,
    currency: inCurrency,
    complete_until: isoOf(earliestOf([...priced, period.end])),
    amount_minor: sumMoney(amounts, inCurrency).amountMinor.toString(),
    billed_at_thresholds_minor: cost.billedAtThresholds.amountMinor.toString(),
    adjustments: adjusted.map(adjustmentAnswer),
    prices: rated.map((each) => ratedAnswer(each, cost, completeUntil(each.price.meter))),
    late_usage: late.flatMap((earlier) => earlier.lines.map((line) => lateAnswer(earlier.period, line))),
  };
}

function ratedAnswer(
  { stretch, plan, price, rated }: RatedUsage,
  { meters }: PeriodCost,
  completeUntil: Instant,
): z.infer<typeof ratedSchema> {
  return {
    plan: plan.key,
    plan_version: plan.version,
    price: price.key,
    name: price.name,
    meter: price.meter,
    meter_version: meters.find(({ key }) => key === price.meter)?.version ?? null,
    where: price.where,
    unit_label: price.unitLabel,
    from: isoOf(stretch.start),
    to: isoOf(stretch.end),
    quantity: rated.quantity.text,
    included_quantity: rated.includedQuantity.text,
    exact_minor: rated.exactMinor.text,
    amount_minor: chargeOf(plan, rated.exactMinor).amountMinor.toString(),
    complete_until: isoOf(completeUntil),
  };
}

function adjustmentAnswer(part: RatedAdjustment): z.infer<typeof adjustmentSchema> {
  return {
    plan: part.planKey,
    plan_version: part.planVersion,
    adjustment: part.adjustmentKey,
    kind: part.kind,
    price: part.priceKey,
    name: part.description,
    from: isoOf(part.period.start),
    to: isoOf(part.period.end),
    exact_minor: part.exactMinor.text,
    amount_minor: part.amount.amountMinor.toString(),
  };
}

function lateAnswer(
  { start, end }: PeriodCost["period"],
  { source, quantity, exactMinor, amount, detail }: InvoiceLine,
): z.infer<typeof lateSchema> {
  const planKey = source?.planKey ?? detail.planKey;
  return {
    period_start: isoOf(start),
    period_end: isoOf(end),
    plan: typeof planKey === "string" ? planKey : "",
    price: source?.priceKey ?? null,
    adjustment: typeof detail.adjustment === "string" ? detail.adjustment : null,
    quantity: quantity?.text ?? null,
    exact_minor: exactMinor.text,
    amount_minor: amount.amountMinor.toString(),
  };
}

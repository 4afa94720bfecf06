import type { Period } from "../calendar/index.ts";
import type { PlanVersion } from "../catalog/index.ts";
import { invariant } from "../errors.ts";
import { type Currency, decimal, Fraction } from "../money/index.ts";
import { type AdjustmentContext, type AdjustmentPart, adjustCharges, type Charge } from "../pricing/index.ts";
import type { AdvanceCharged } from "./advance-charged.ts";
import type { InvoiceLine, LineEarning } from "./invoice-line.ts";
import { adjustmentDetail, adjustmentTitle, chargeKey, type RatedAdjustment } from "./rated-adjustment.ts";
import type { TermsStretch } from "./terms.ts";
import { planMeasure } from "./time-charge.ts";
import { chargeOf, type RatedUsage } from "./usage-charges.ts";

/** All that a period costs before adjustments. */
export interface ChargesOfPeriod {
  readonly period: Period;
  /** The whole of which it is a part, where it is one. */
  readonly full: Period;
  readonly timeZone: string;
  /** Of the subscription: 0 is its first period. */
  readonly periodIndex: number;
  readonly currency: Currency;
  /** With priced terms. */
  readonly stretches: readonly TermsStretch[];
  readonly rated: readonly RatedUsage[];
  /** In arrears. */
  readonly fees: readonly InvoiceLine[];
  readonly advance: readonly AdvanceCharged[];
}

/**
 * What the adjustments of all plans in force come to in a period: cumulative, from nothing, as usage is rated. A plan's
 * adjustments are for its own prices, over all stretches of the period in which that version was agreed.
 */
export function adjustPeriod(
  charges: ChargesOfPeriod,
  stage: AdjustmentContext["stage"] = "period",
): RatedAdjustment[] {
  return plansOf(charges.stretches).flatMap((plan) => adjustPlan(plan, charges, stage));
}

function plansOf(stretches: readonly TermsStretch[]): PlanVersion[] {
  const plans = stretches.flatMap(({ terms }) => terms.items.map(({ plan }) => plan));
  return [...new Map(plans.map((plan) => [`${plan.key}/${plan.version}`, plan])).values()];
}

/** A charge, and what a line says of it. */
interface Adjustable {
  readonly charge: Charge;
  readonly priceKey: string;
  readonly name: string;
  readonly product: string;
  readonly earning: LineEarning;
  readonly period: Period;
}

function adjustPlan(
  plan: PlanVersion,
  charges: ChargesOfPeriod,
  stage: AdjustmentContext["stage"],
): RatedAdjustment[] {
  const { adjustments = [] } = plan;
  if (adjustments.length === 0) return [];
  const open = [...usageOf(plan, charges), ...feesOf(plan, charges)];
  const parts = adjustCharges(
    [...open.map(({ charge }) => charge), ...settledOf(plan, charges)],
    adjustments,
    {
      currency: charges.currency,
      periodIndex: charges.periodIndex,
      stage,
      inForce: timeOf(plan, charges, () => true),
      charged: timeOf(plan, charges, ({ terms }) => !terms.paused),
    },
  );
  return parts.map((part) => ratedPart(plan, part, open, charges.period));
}

function ratedPart(
  plan: PlanVersion,
  part: AdjustmentPart,
  open: readonly Adjustable[],
  period: Period,
): RatedAdjustment {
  const { adjustment, kind, charge, exactMinor, amount } = part;
  const on = open.find((each) => each.charge === charge);
  return {
    planKey: plan.key,
    planVersion: plan.version,
    adjustmentKey: adjustment.key,
    charge: charge.key,
    kind,
    priceKey: on?.priceKey ?? null,
    product: on?.product ?? ownProduct(plan, charge.key),
    earning: on?.earning ?? "unbilled",
    period: on?.period ?? period,
    exactMinor,
    amount,
    description: adjustmentTitle(plan, adjustment, on?.name ?? null),
    detail: adjustmentDetail(part, charge.key),
  };
}

/** What a minimum or a commitment earns to. */
function ownProduct({ adjustments = [] }: PlanVersion, key: string): string {
  const made = adjustments.find((adjustment) => adjustment.key === key);
  invariant(made !== undefined && "product" in made, "a charge is a price's, or an adjustment made it");
  return made.product;
}

function usageOf(plan: PlanVersion, { rated }: ChargesOfPeriod): Adjustable[] {
  return rated
    .filter((usage) => isOfPlan(plan, { planKey: usage.plan.key, planVersion: usage.plan.version }))
    .map(({ stretch, price, rated: { exactMinor } }) => ({
      charge: {
        key: chargeKey(price.key, stretch),
        prices: [price.key],
        exactMinor,
        amount: chargeOf(plan, exactMinor),
      },
      priceKey: price.key,
      name: price.name,
      product: price.product,
      earning: "unbilled",
      period: stretch,
    }));
}

function feesOf(plan: PlanVersion, { fees }: ChargesOfPeriod): Adjustable[] {
  return fees.flatMap(({ source, period, amount, product, earning }) => {
    if (source === null || !isOfPlan(plan, source)) return [];
    const { priceKey } = source;
    const name = plan.prices.find(({ key }) => key === priceKey)?.name ?? priceKey;
    const exactMinor = decimal(amount.amountMinor);
    const charge = { key: chargeKey(priceKey, period), prices: [priceKey], exactMinor, amount };
    return [{ charge, priceKey, name, product, earning, period }];
  });
}

function settledOf(plan: PlanVersion, { advance }: ChargesOfPeriod): Charge[] {
  return advance
    .filter((charged) => isOfPlan(plan, charged))
    .map(({ priceKey, amount, adjusted }) => ({
      key: `${priceKey}/in_advance`,
      prices: [priceKey],
      exactMinor: decimal(amount.amountMinor),
      amount,
      settled: new Map(adjusted.map((each) => [each.adjustmentKey, each.amount])),
    }));
}

const isOfPlan = (
  { key, version }: PlanVersion,
  of: { readonly planKey: string; readonly planVersion: number },
): boolean => of.planKey === key && of.planVersion === version;

/** The part of the full period that a plan version was agreed for. */
function timeOf(
  plan: PlanVersion,
  { stretches, full, timeZone }: ChargesOfPeriod,
  counts: (stretch: TermsStretch) => boolean,
): Fraction {
  const measure = planMeasure(plan, full, timeZone);
  const passed = stretches
    .filter((stretch) => counts(stretch) && stretch.terms.items.some((item) => isSamePlan(plan, item.plan)))
    .reduce((sum, { start, end }) => sum + measure.passed(end) - measure.passed(start), 0n);
  return new Fraction(passed, measure.whole);
}

const isSamePlan = (one: PlanVersion, other: PlanVersion): boolean =>
  one.key === other.key && one.version === other.version;

import type { Period } from "../calendar/index.ts";
import type { PlanVersion } from "../catalog/index.ts";
import { decimal, Fraction, money } from "../money/index.ts";
import { type AdjustmentPart, adjustCharges, type Charge } from "../pricing/index.ts";
import type { InvoiceLine } from "./invoice-line.ts";
import { adjustmentDetail, adjustmentTitle, chargeKey } from "./rated-adjustment.ts";
import { pricedTerms, type Terms } from "./terms.ts";
import { advanceLines, type PeriodFrame } from "./time-charges.ts";

/** What decides the discounts on a period's charges in advance. */
export interface AdvanceDiscounts {
  /** With their prices in the period. */
  readonly terms: Terms;
  /** Of the subscription: 0 is its first period. */
  readonly periodIndex: number;
  /** What the terms charge in advance for a whole period, line by line. */
  readonly whole: readonly InvoiceLine[];
}

/** What terms, as they were agreed, charge for a period of the subscription that begins, with the discounts on it. */
export function linesInAdvance(
  agreed: Terms,
  period: Period,
  periodIndex: number,
  frame: PeriodFrame = { full: period, timeZone: "UTC" },
): InvoiceLine[] {
  const [terms = agreed] = pricedTerms([agreed], periodIndex);
  const whole = advanceLines(terms, frame.full, frame);
  return withDiscounts(advanceLines(terms, period, frame), { terms, periodIndex, whole });
}

/**
 * Charges in advance, each with the lines of what discounts and caps take off it behind it. Discounts are reckoned on whole
 * periods; a charge for a part of one gets its share of them. What is handed back gets none: it is what was paid.
 */
export function withDiscounts(lines: readonly InvoiceLine[], discounts: AdvanceDiscounts): InvoiceLine[] {
  const plans = discounts.terms.items.map(({ plan }) => plan);
  const parts = plans.flatMap((plan) => partsOf(plan, discounts));
  if (parts.length === 0) return [...lines];
  return lines.flatMap((line) => {
    if (line.earning !== "deferred" || line.amount.amountMinor <= 0n) return [line];
    const onIt = parts.filter(({ whole }) => isSameCharge(whole, line));
    return [line, ...onIt.flatMap((each, index) => discountLine(line, each, onIt.slice(0, index)))];
  });
}

interface PartOnLine {
  readonly plan: PlanVersion;
  readonly part: AdjustmentPart;
  readonly whole: InvoiceLine;
}

function partsOf(plan: PlanVersion, { periodIndex, whole }: AdvanceDiscounts): PartOnLine[] {
  const { adjustments = [], currency } = plan;
  if (adjustments.length === 0) return [];
  const ofPlan = whole.filter(
    ({ source }) => source?.planKey === plan.key && source.planVersion === plan.version,
  );
  const charges = new Map(ofPlan.map((line) => [chargeOfLine(line), line]));
  const all = new Fraction(1n);
  return adjustCharges([...charges.keys()], adjustments, {
    currency,
    periodIndex,
    stage: "in_advance",
    inForce: all,
    charged: all,
  }).flatMap((part) => {
    const line = charges.get(part.charge);
    return line === undefined ? [] : [{ plan, part, whole: line }];
  });
}

function chargeOfLine({ source, period, amount }: InvoiceLine): Charge {
  const priceKey = source?.priceKey ?? "";
  const exactMinor = decimal(amount.amountMinor);
  return { key: chargeKey(priceKey, period), prices: [priceKey], exactMinor, amount };
}

const isSameCharge = (one: InvoiceLine, other: InvoiceLine): boolean =>
  one.source?.planKey === other.source?.planKey &&
  one.source?.planVersion === other.source?.planVersion &&
  one.source?.priceKey === other.source?.priceKey;

/** @param earlier parts on the same line: all of them together are rounded once, so that they never exceed it */
function discountLine(
  line: InvoiceLine,
  { plan, part, whole }: PartOnLine,
  earlier: readonly PartOnLine[],
): InvoiceLine[] {
  const share = new Fraction(line.amount.amountMinor, whole.amount.amountMinor);
  const before = earlier.reduce((sum, other) => sum + other.part.amount.amountMinor, 0n);
  const shareOf = (minor: bigint) => new Fraction(minor).times(share).rounded(0, "half-even").toBigInt();
  const amountMinor = shareOf(before + part.amount.amountMinor) - shareOf(before);
  if (amountMinor === 0n) return [];
  const priceKey = line.source?.priceKey ?? "";
  const name = plan.prices.find(({ key }) => key === priceKey)?.name ?? null;
  return [
    {
      ...line,
      kind: part.kind,
      description: adjustmentTitle(plan, part.adjustment, name),
      quantity: null,
      exactMinor: Fraction.ofDecimal(part.exactMinor).times(share).rounded(8, "half-even"),
      amount: money(amountMinor, line.amount.currency),
      detail: {
        ...adjustmentDetail(part, chargeKey(priceKey, line.period)),
        chargedMinor: line.amount.amountMinor.toString(),
        wholeMinor: whole.amount.amountMinor.toString(),
        ...(line.detail.periodStart === undefined ? {} : { periodStart: line.detail.periodStart }),
      },
    },
  ];
}

import { isZero, money, subtractMoney, sumDecimals, sumMoney, zero } from "../money/index.ts";
import { type BilledAs, billedAtThresholds, differenceTitle, type PartBefore } from "./billed-before.ts";
import type { InvoiceLine } from "./invoice-line.ts";
import {
  type BookedAdjustment,
  chargeKey,
  isSameAdjustment,
  type RatedAdjustment,
} from "./rated-adjustment.ts";

/**
 * The lines that adjustments make beyond what was booked before: of a first run all of it, later the differences, labelled
 * with the time they belong to. What no longer holds, as a cap that is not reached any more, is taken back.
 */
export function adjustmentLines(
  rated: readonly RatedAdjustment[],
  booked: readonly BookedAdjustment[] | null,
  billed: BilledAs = "late",
): InvoiceLine[] {
  const gone = (booked ?? [])
    .filter((before) => !rated.some((now) => isSameAdjustment(now, before)))
    .map(nothingOf);
  return [...rated, ...gone].flatMap((now) => {
    const before = booked?.find((each) => isSameAdjustment(now, each)) ?? null;
    const exactMinor = now.exactMinor.minus(before?.exactMinor ?? zero);
    const amount = before === null ? now.amount : subtractMoney(now.amount, before.amount);
    if (exactMinor.isZero() && isZero(amount)) return [];
    return [lineOf(now, { exactMinor, amount }, booked === null ? null : billed, before)];
  });
}

function lineOf(
  now: RatedAdjustment,
  { exactMinor, amount }: PartBefore,
  billed: BilledAs | null,
  before: PartBefore | null,
): InvoiceLine {
  const { planKey, planVersion, priceKey } = now;
  return {
    kind: now.kind,
    earning: now.earning,
    description: titleOf(now.description, billed, before),
    product: now.product,
    source: priceKey === null ? null : { planKey, planVersion, priceKey },
    period: now.period,
    quantity: null,
    exactMinor,
    amount,
    detail: {
      ...now.detail,
      planKey,
      planVersion,
      cumulativeExactMinor: now.exactMinor.text,
      cumulativeAmountMinor: now.amount.amountMinor.toString(),
      ...billedAtThresholds(billed, before),
    },
  };
}

function titleOf(title: string, billed: BilledAs | null, before: PartBefore | null): string {
  if (billed === "late") return `${title}, with usage reported late`;
  return billed === null ? title : differenceTitle(title, billed, before);
}

function nothingOf({ exactMinor: _exact, amount, ...before }: BookedAdjustment): RatedAdjustment {
  return {
    ...before,
    exactMinor: zero,
    amount: money(0n, amount.currency),
    description: `${before.adjustmentKey} does not hold any more`,
    detail: { adjustment: before.adjustmentKey, charge: before.charge },
  };
}

/** What changed of one charge, with the adjustments on it. */
export interface NetDifference {
  readonly lines: readonly InvoiceLine[];
  /** All of them in one, where they come to less than was billed: it is given back as one. Null where they do not. */
  readonly tooMuch: InvoiceLine | null;
}

/** Puts together what belongs together of the differences that late usage makes. */
export function netDifferences(differences: readonly InvoiceLine[]): NetDifference[] {
  return [...Map.groupBy(differences, groupOf).values()].map((lines) => ({
    lines,
    tooMuch: tooMuchOf(lines),
  }));
}

function tooMuchOf(lines: readonly InvoiceLine[]): InvoiceLine | null {
  const [first] = lines;
  const exactMinor = sumDecimals(lines.map((line) => line.exactMinor));
  if (first === undefined || !exactMinor.isNegative()) return null;
  if (lines.length === 1) return first;
  const amounts = lines.map(({ amount }) => amount);
  const amount = sumMoney(amounts, first.amount.currency);
  return { ...first, exactMinor, amount, detail: netDetail(lines) };
}

function netDetail([first, ...others]: readonly InvoiceLine[]): InvoiceLine["detail"] {
  const adjustments = others.map(({ kind, description, exactMinor, amount, detail }) => ({
    kind,
    description,
    exactMinor: exactMinor.text,
    amountMinor: amount.amountMinor.toString(),
    ...detail,
  }));
  return { ...first?.detail, adjustments };
}

/** What one price costs in a stretch of terms, or what an adjustment made. */
function groupOf({ source, period, detail }: InvoiceLine): string {
  return source === null
    ? `${detail.planKey}/${detail.planVersion}/${detail.charge}`
    : `${source.planKey}/${source.planVersion}/${chargeKey(source.priceKey, period)}`;
}

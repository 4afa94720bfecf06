import type { Period } from "../../calendar/index.ts";
import { type Currency, Decimal, decimal, type Money, money, sumMoney, zero } from "../../money/index.ts";
import type { InvoiceLine } from "../invoice-line.ts";
import { exactMinorText, moneyText, periodText, quantityText } from "./figures.ts";
import type { DocumentGroup, DocumentLine, DocumentTier } from "./invoice-document.ts";

export interface LinesToPrint {
  readonly lines: readonly InvoiceLine[];
  /** What plans are called, by their keys. */
  readonly planNames: ReadonlyMap<string, string>;
  readonly currency: Currency;
  readonly timeZone: string;
  /** Of the invoice: a line of the same period does not repeat it. */
  readonly period: Period | null;
}

/** The lines by plan, in the order in which the plans come first; what belongs to no plan by what it is. */
export function documentGroups(printed: LinesToPrint): DocumentGroup[] {
  const byTitle = Map.groupBy(printed.lines, (line) => groupTitle(line, printed.planNames));
  return [...byTitle].map(([title, lines]) => ({
    heading: null,
    title,
    lines: lines.map((line) => documentLine(line, title, printed)),
    sum: moneyText(
      sumMoney(
        lines.map(({ amount }) => amount),
        printed.currency,
      ),
    ),
  }));
}

function groupTitle({ source, kind, detail }: InvoiceLine, planNames: ReadonlyMap<string, string>): string {
  const planKey = source?.planKey ?? detail.planKey;
  if (typeof planKey === "string") return planNames.get(planKey) ?? planKey;
  switch (kind) {
    case "credit_purchase":
      return "Prepaid credits";
    case "carried_forward":
    case "carried_over":
      return "Amounts carried between invoices";
    default:
      return "Other";
  }
}

function documentLine(
  line: InvoiceLine,
  groupName: string,
  { timeZone, period }: LinesToPrint,
): DocumentLine {
  const { amount, quantity, detail } = line;
  const tiers = tiersOf(line);
  const only = tiers.length === 1 ? tiers[0] : undefined;
  const isSame = period !== null && line.period.start === period.start && line.period.end === period.end;
  // A line of late usage says its period in its note.
  const isSaid = isSame || line.kind === "late_usage" || line.period.start === line.period.end;
  const unit = typeof detail.unit === "string" ? ` ${detail.unit}` : "";
  return {
    title: line.description.replace(`${groupName}: `, ""),
    period: isSaid ? null : periodText(line.period, timeZone),
    quantity: quantity === null ? null : `${quantityText(quantity)}${unit}`,
    unitPrice: only === undefined ? unitPriceOf(line) : isPlain(only) ? priceText(only, amount) : null,
    amount: moneyText(amount),
    tiers: only !== undefined && isPlain(only) ? [] : tiers.map((tier) => documentTier(tier, amount)),
    notes: notesOf(line, timeZone),
  };
}

interface PricedTier {
  readonly from: Decimal;
  readonly to: Decimal | null;
  readonly quantity: Decimal;
  readonly unitPriceMinor: Decimal;
  readonly flatMinor: Decimal;
  readonly exactMinor: Decimal;
}

/** What was rated, tier by tier; nothing of lines that are the difference to what was billed before. */
function tiersOf({ kind, detail }: InvoiceLine): PricedTier[] {
  if (kind !== "usage" || !Array.isArray(detail.tiers)) return [];
  return detail.tiers.map((tier: Record<string, unknown>) => ({
    from: decimalIn(tier.from) ?? zero,
    to: decimalIn(tier.to),
    quantity: decimalIn(tier.quantity) ?? zero,
    unitPriceMinor: decimalIn(tier.unitPriceMinor) ?? zero,
    flatMinor: decimalIn(tier.flatMinor) ?? zero,
    exactMinor: decimalIn(tier.exactMinor) ?? zero,
  }));
}

const isPlain = ({ from, to, flatMinor }: PricedTier): boolean =>
  from.isZero() && to === null && flatMinor.isZero();

const priceText = ({ unitPriceMinor }: PricedTier, { currency }: Money): string =>
  exactMinorText(unitPriceMinor, currency);

function documentTier(tier: PricedTier, amount: Money): DocumentTier {
  const fee = tier.flatMinor.isZero() ? "" : ` + ${exactMinorText(tier.flatMinor, amount.currency)}`;
  return {
    title: tierTitle(tier),
    quantity: quantityText(tier.quantity),
    unitPrice: `${priceText(tier, amount)}${fee}`,
    amount: exactMinorText(tier.exactMinor, amount.currency),
  };
}

function tierTitle({ from, to }: PricedTier): string {
  if (to === null) return from.isZero() ? "All" : `Above ${quantityText(from)}`;
  return from.isZero() ? `Up to ${quantityText(to)}` : `${quantityText(from)} to ${quantityText(to)}`;
}

/** Of seats and the like, where the amount is the quantity times a whole number of minor units. */
function unitPriceOf({ kind, quantity, amount }: InvoiceLine): string | null {
  if (kind !== "seats" || quantity === null || !quantity.isInteger() || quantity.isZero()) return null;
  const count = quantity.toBigInt();
  return amount.amountMinor % count === 0n
    ? moneyText(money(amount.amountMinor / count, amount.currency))
    : null;
}

function notesOf({ kind, detail, period, amount }: InvoiceLine, timeZone: string): string[] {
  const notes: string[] = [];
  const included = decimalIn(detail.includedQuantity);
  const unit = typeof detail.unit === "string" ? ` ${detail.unit}` : "";
  if (kind === "usage" && included !== null && !included.isZero()) {
    notes.push(`${quantityText(included)}${unit} included free of charge`);
  }
  if (kind === "late_usage") {
    notes.push(`Usage of ${periodText(period, timeZone)} that was reported after that period was invoiced`);
  }
  const creditedMinor = decimalIn(detail.creditedToBalanceMinor);
  if (creditedMinor !== null) {
    const credited = exactMinorText(creditedMinor, amount.currency);
    notes.push(`${credited} had been billed too much and is in your balance`);
  }
  return notes;
}

/** A line's detail holds decimals as long as it is not issued, and their texts when it was stored. */
function decimalIn(value: unknown): Decimal | null {
  if (value instanceof Decimal) return value;
  return typeof value === "string" ? decimal(value) : null;
}

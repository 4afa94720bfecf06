import { isoOf, type Period } from "../../calendar/index.ts";
import {
  addMoney,
  type Decimal,
  decimal,
  exactOfLedgerAmount,
  type LedgerAmount,
  money,
} from "../../money/index.ts";
import { exactMinorText, moneyText, periodText, quantityText } from "../document/figures.ts";
import type { InvoiceLine } from "../invoice-line.ts";
import { adjustmentSteps, isAdjustment } from "./explain-adjustment.ts";
import { includedStep, timeShareSteps } from "./explain-share.ts";
import { taxSteps } from "./explain-tax.ts";
import { type ExplanationStep, step } from "./explanation-step.ts";

/** Which usage a line was rated from: derive it again from the events that this snapshot sees in this window. */
export interface SeenUsage {
  readonly meter: string;
  readonly meterVersion: number;
  readonly window: Period;
  /** The database snapshot that froze the usage. */
  readonly snapshot: string;
  /** SHA-256 of what the meter read; null where it was not kept. */
  readonly fingerprint: string | null;
  /** How often the period had been rated before. */
  readonly revision: number;
}

export interface LineToExplain {
  readonly line: InvoiceLine;
  readonly timeZone: string;
  /** Null for lines that bill no usage. */
  readonly usage: SeenUsage | null;
  /** How the price works, such as `graduated`; null where there is none. */
  readonly model: string | null;
  /** What credit grants paid of it, in the order of the draws. */
  readonly credits: readonly { readonly grantId: string; readonly amount: LedgerAmount }[];
}

/** How a line came about, step by step. @returns the last amount in it is the line's */
export function explainLine(asked: LineToExplain): ExplanationStep[] {
  const { line } = asked;
  if (line.kind === "tax") return taxSteps(line);
  if (isAdjustment(line)) return [...adjustmentSteps(line), ...creditSteps(asked)];
  const isRated = typeof line.detail.cumulativeExactMinor === "string";
  const steps = isRated ? ratedSteps(asked) : otherSteps(asked);
  return [...steps, ...roundingSteps(line), ...creditSteps(asked)];
}

function ratedSteps({ line, usage, model, timeZone }: LineToExplain): ExplanationStep[] {
  const { currency } = line.amount;
  const unit = textOf(line.detail.unit);
  const all = decimalOf(line.detail.cumulativeQuantity);
  const included = decimalOf(line.detail.includedQuantity);
  const exact = decimalOf(line.detail.cumulativeExactMinor);
  return [
    usageStep(all, unit, usage, line, timeZone),
    ...priceSteps(line, model),
    includedStep(included, line),
    ...tiersOf(line).map((tier) => tierStep(tier, line)),
    step("exact", `Together exactly ${exactMinorText(exact, currency)} for the whole period so far.`, {
      exact_minor: exact.text,
    }),
    ...billedBeforeSteps(line, all, exact),
  ];
}

function usageStep(
  all: Decimal,
  unit: string,
  usage: SeenUsage | null,
  line: InvoiceLine,
  timeZone: string,
): ExplanationStep {
  const window = usage?.window ?? line.period;
  const meter = usage === null ? "" : ` by meter ${usage.meter}, version ${usage.meterVersion},`;
  const text = `${quantityText(all)} ${unit} counted${meter} in ${periodText(window, timeZone)}.`;
  return step("usage", text.replace("  ", " "), {
    quantity: all.text,
    from: isoOf(window.start),
    to: isoOf(window.end),
    ...(usage === null
      ? {}
      : {
          meter: usage.meter,
          meter_version: String(usage.meterVersion),
          snapshot: usage.snapshot,
          revision: String(usage.revision),
          ...(usage.fingerprint === null ? {} : { fingerprint: usage.fingerprint }),
        }),
  });
}

function priceSteps({ source }: InvoiceLine, model: string | null): ExplanationStep[] {
  if (source === null) return [];
  const { planKey, planVersion, priceKey } = source;
  const how = model === null ? "" : `, ${model.replaceAll("_", " ")}`;
  return [
    step("price", `Price ${priceKey} of plan ${planKey}, version ${planVersion}${how}.`, {
      plan: planKey,
      plan_version: String(planVersion),
      price: priceKey,
      ...(model === null ? {} : { model }),
    }),
  ];
}

type StoredTier = Readonly<
  Record<"from" | "to" | "quantity" | "unitPriceMinor" | "flatMinor" | "exactMinor", unknown>
>;

const tiersOf = ({ detail }: InvoiceLine): readonly StoredTier[] =>
  Array.isArray(detail.tiers) ? (detail.tiers as StoredTier[]) : [];

function tierStep(tier: StoredTier, { amount: { currency } }: InvoiceLine): ExplanationStep {
  const quantity = decimalOf(tier.quantity);
  const unitPrice = decimalOf(tier.unitPriceMinor);
  const flat = decimalOf(tier.flatMinor);
  const exact = decimalOf(tier.exactMinor);
  const fee = flat.isZero() ? "" : ` and ${exactMinorText(flat, currency)} for the tier`;
  const product = `${quantityText(quantity)} × ${exactMinorText(unitPrice, currency)}${fee}`;
  return step("tier", `${tierName(tier)}: ${product} = ${exactMinorText(exact, currency)}.`, {
    from: decimalOf(tier.from).text,
    ...(typeof tier.to === "string" ? { to: tier.to } : {}),
    quantity: quantity.text,
    unit_price_minor: unitPrice.text,
    flat_minor: flat.text,
    exact_minor: exact.text,
  });
}

function tierName({ from, to }: StoredTier): string {
  const start = decimalOf(from);
  if (typeof to === "string") return `Above ${quantityText(start)} up to ${quantityText(decimal(to))}`;
  return start.isZero() ? "All of it" : `Above ${quantityText(start)}`;
}

/** Of what was counted and rated, an earlier invoice has billed a part: the line is the rest. */
function billedBeforeSteps(line: InvoiceLine, all: Decimal, exact: Decimal): ExplanationStep[] {
  if (line.kind !== "late_usage" && line.detail.billedAtThresholds === undefined) return [];
  const { currency } = line.amount;
  const credited = line.detail.creditedToBalanceMinor;
  const before = exact.minus(line.exactMinor);
  const quantityBefore = all.minus(line.quantity ?? all);
  if (typeof credited === "string") {
    const text = `That is less than was billed before: ${exactMinorText(decimal(credited), currency)} went to the customer's balance.`;
    return [step("billed_before", text, { credited_to_balance_minor: credited })];
  }
  const text = `${exactMinorText(before, currency)} of it, for ${quantityText(quantityBefore)}, was billed before: the rest is ${exactMinorText(line.exactMinor, currency)}.`;
  return [
    step("billed_before", text, {
      quantity: quantityBefore.text,
      exact_minor: before.text,
      rest_minor: line.exactMinor.text,
    }),
  ];
}

/** Lines for time, for credit, and for amounts that move between invoices. */
function otherSteps({ line, model, timeZone }: LineToExplain): ExplanationStep[] {
  const { detail, quantity, amount } = line;
  const counted =
    quantity === null
      ? []
      : [step("other", `${quantityText(quantity)} are charged.`, { quantity: quantity.text })];
  return [
    ...priceSteps(line, model),
    ...counted,
    ...timeShareSteps(line, timeZone),
    ...givenBackSteps(line),
    step("exact", `${line.description}: exactly ${exactMinorText(line.exactMinor, amount.currency)}.`, {
      exact_minor: line.exactMinor.text,
      ...plainFigures(detail),
    }),
  ];
}

/** Of unused time a part went back to where it was paid from: the line credits the rest. */
function givenBackSteps({ detail, amount }: InvoiceLine): ExplanationStep[] {
  if (typeof detail.unusedMinor !== "string") return [];
  const unused = money(BigInt(detail.unusedMinor), amount.currency);
  const givenBack = addMoney(unused, amount);
  const text = `${moneyText(unused)} was unused. Credit notes gave ${moneyText(givenBack)} of it back; the rest is credited here.`;
  return [
    step("other", text, {
      unused_minor: unused.amountMinor.toString(),
      given_back_minor: givenBack.amountMinor.toString(),
    }),
  ];
}

function roundingSteps({ amount, exactMinor, detail }: InvoiceLine): ExplanationStep[] {
  const cumulative = typeof detail.cumulativeExactMinor === "string";
  const rounding = textOf(detail.rounding) || "half-even";
  const how = cumulative ? "The sum for the period rounded once" : "Rounded once";
  const text = `${how}, ${rounding === "half-even" ? "half to even" : rounding}: ${moneyText(amount)}.`;
  return [
    step("rounding", text, {
      mode: rounding,
      exact_minor: exactMinor.text,
      amount_minor: amount.amountMinor.toString(),
    }),
  ];
}

function creditSteps({ credits, line }: LineToExplain): ExplanationStep[] {
  return credits.map(({ grantId, amount }) => {
    const exact = exactOfLedgerAmount(amount);
    const text = `Credit grant ${grantId} pays ${exactMinorText(exact, line.amount.currency)} of it.`;
    return step("credits", text, { credit_grant: grantId, exact_minor: exact.text });
  });
}

/** What the detail says besides, where it is one value. */
function plainFigures(detail: InvoiceLine["detail"]): Record<string, string> {
  const plain = Object.entries(detail).flatMap(([name, value]): [string, string][] =>
    typeof value === "string" ? [[snake(name), value]] : [],
  );
  return Object.fromEntries(plain);
}

const snake = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

const textOf = (value: unknown): string => (typeof value === "string" ? value : "");
/** Details come from our own table, where they were written by the domain. */
const decimalOf = (value: unknown): Decimal => decimal(typeof value === "string" ? value : "0");

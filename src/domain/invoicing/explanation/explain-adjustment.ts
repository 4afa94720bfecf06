import { type Currency, type Decimal, decimal } from "../../money/index.ts";
import { exactMinorText, moneyText } from "../document/figures.ts";
import type { InvoiceLine } from "../invoice-line.ts";
import { type ExplanationStep, step } from "./explanation-step.ts";

/** Whether a line is a minimum's, a cap's, a commitment's or a discount's. */
export function isAdjustment({ detail }: InvoiceLine): boolean {
  return typeof detail.adjustment === "string" && typeof detail.basisMinor === "string";
}

/** How a line of an adjustment came about. @returns the last amount in it is the line's */
export function adjustmentSteps(line: InvoiceLine): ExplanationStep[] {
  const { detail, amount } = line;
  const adjustment = String(detail.adjustment);
  const basis = decimal(String(detail.basisMinor));
  const limit = typeof detail.limitMinor === "string" ? decimal(detail.limitMinor) : null;
  const text = `Adjustment ${adjustment} is reckoned on ${exactMinorText(basis, amount.currency)}, what its prices came to before it. ${ruleText(line, basis, limit)}`;
  return [
    step("other", text, {
      adjustment,
      basis_minor: basis.text,
      ...(limit === null ? {} : { limit_minor: limit.text }),
      ...(typeof detail.percent === "string" ? { percent: detail.percent } : {}),
      ...(typeof detail.overageFactor === "string" ? { overage_factor: detail.overageFactor } : {}),
    }),
    ...shareSteps(line),
    step("rounding", `All its lines are rounded together, and sum to it: ${moneyText(amount)} here.`, {
      exact_minor: line.exactMinor.text,
      amount_minor: amount.amountMinor.toString(),
    }),
  ];
}

function ruleText({ kind, detail, amount }: InvoiceLine, basis: Decimal, limit: Decimal | null): string {
  const { currency } = amount;
  if (limit === null) return `${detail.percent} % of it is taken off.`;
  const limitText = exactMinorText(limit, currency);
  const above = exactMinorText(basis.minus(limit), currency);
  switch (kind) {
    case "cap":
      return `What is above ${limitText} is taken off: ${above}.`;
    case "overage":
      return `Of what is above ${limitText}, ${above}, each minor unit costs ${detail.overageFactor} instead of 1.`;
    case "true_up":
      return `To ${limitText} there are ${exactMinorText(limit.minus(basis), currency)} missing.`;
    default:
      return `${limitText} are taken off, as far as there is something to take it off.`;
  }
}

/** The part that is on this line's charge, and what of it was billed before. */
function shareSteps(line: InvoiceLine): ExplanationStep[] {
  const { detail, exactMinor, amount } = line;
  const { currency } = amount;
  const all =
    typeof detail.cumulativeExactMinor === "string" ? decimal(detail.cumulativeExactMinor) : exactMinor;
  const text = `On what this line is for that is exactly ${exactMinorText(all, currency)}.`;
  return [step("exact", text, { exact_minor: all.text }), ...billedBeforeSteps(line, all, currency)];
}

function billedBeforeSteps(
  { exactMinor, detail }: InvoiceLine,
  all: Decimal,
  currency: Currency,
): ExplanationStep[] {
  const before = all.minus(exactMinor);
  const credited = detail.creditedToBalanceMinor;
  if (typeof credited === "string") {
    const text = `That is less than was billed before: ${exactMinorText(decimal(credited), currency)} went to the customer's balance.`;
    return [step("billed_before", text, { credited_to_balance_minor: credited })];
  }
  if (before.isZero()) return [];
  const text = `${exactMinorText(before, currency)} of it was billed before.`;
  return [step("billed_before", text, { exact_minor: before.text, rest_minor: exactMinor.text })];
}

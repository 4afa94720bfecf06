import { decimal, money } from "../../money/index.ts";
import { moneyText, quantityText } from "../document/figures.ts";
import type { InvoiceLine } from "../invoice-line.ts";
import { type ExplanationStep, step } from "./explanation-step.ts";

/** What is known of a line of tax: it was reckoned outside, and nothing of it here. */
export function taxSteps({ description, detail, amount }: InvoiceLine): ExplanationStep[] {
  const taxable = money(BigInt(String(detail.taxableMinor)), amount.currency);
  const rate = decimal(String(detail.rate));
  const on = Array.isArray(detail.lines) ? `lines ${detail.lines.join(", ")}` : "all that is taxable";
  const percent = quantityText(rate.times(decimal("100")));
  const jurisdiction = String(detail.jurisdiction);
  const text = `${description}: given from outside for ${jurisdiction}, on ${moneyText(taxable)} of ${on}, at ${percent} %.`;
  return [
    step("tax", text, {
      jurisdiction,
      rate: rate.text,
      taxable_minor: taxable.amountMinor.toString(),
      quote: String(detail.quote),
    }),
    step("tax", `Passed through untouched: ${moneyText(amount)}.`, {
      amount_minor: amount.amountMinor.toString(),
    }),
  ];
}

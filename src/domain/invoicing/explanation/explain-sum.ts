import { type Money, money, subtractMoney } from "../../money/index.ts";
import { moneyText } from "../document/figures.ts";
import { type ExplanationStep, step } from "./explanation-step.ts";

/** What an invoice came to, and what has become of it. All amounts are in its currency. */
export interface SumToExplain {
  readonly lines: number;
  readonly subtotal: Money;
  readonly tax: Money;
  readonly creditsApplied: Money;
  /** Negative: the invoice was negative, and its amount went to the balance. */
  readonly balanceApplied: Money;
  readonly total: Money;
  /** What credit notes took off before it was paid. */
  readonly credited: Money;
  readonly paid: Money;
}

/** How the total came about from the lines, and what is left of it to be paid. */
export function explainSum(sum: SumToExplain): ExplanationStep[] {
  const { subtotal, tax, creditsApplied, balanceApplied, total, credited, paid } = sum;
  const due = subtractMoney(subtractMoney(total, credited), paid);
  return [
    step("sum", `The ${sum.lines} lines add up to ${moneyText(subtotal)}.`, {
      amount_minor: minor(subtotal),
    }),
    ...unlessZero(creditsApplied, "credits", `Credit grants pay ${moneyText(creditsApplied)} of the usage.`),
    ...unlessZero(tax, "tax", `Tax, as it was reckoned outside, is ${moneyText(tax)}.`),
    ...unlessZero(balanceApplied, "balance", balanceText(balanceApplied)),
    step("sum", `The total is ${moneyText(total)}.`, { amount_minor: minor(total) }),
    ...unlessZero(credited, "credits", `Credit notes take ${moneyText(credited)} off.`),
    ...unlessZero(paid, "balance", `${moneyText(paid)} was paid.`),
    step("sum", `${moneyText(notNegative(due))} is left to be paid.`, {
      amount_minor: minor(notNegative(due)),
    }),
  ];
}

function balanceText(applied: Money): string {
  return applied.amountMinor > 0n
    ? `${moneyText(applied)} is paid from the customer's balance.`
    : `${moneyText(money(-applied.amountMinor, applied.currency))} is more credit than charges, and goes to the customer's balance.`;
}

function unlessZero(amount: Money, kind: ExplanationStep["kind"], text: string): ExplanationStep[] {
  return amount.amountMinor === 0n ? [] : [step(kind, text, { amount_minor: minor(amount) })];
}

const minor = ({ amountMinor }: Money): string => amountMinor.toString();
const notNegative = (amount: Money): Money => (amount.amountMinor < 0n ? money(0n, amount.currency) : amount);

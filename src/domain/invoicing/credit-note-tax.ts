import { addMoney, type Money, money } from "../money/index.ts";
import { roundedQuotient } from "../money/rounding.ts";
import type { CreditableLine, CreditedLine } from "./credit-note.ts";
import type { InvoiceLine } from "./invoice-line.ts";
import { jurisdictionOf } from "./tax-lines.ts";

/** What a line of tax says of itself, where a credit note meets it. */
export interface TaxOfLine {
  readonly jurisdiction: string;
  /** The numbers of the lines that it is on; null: of all that are taxable. */
  readonly on: readonly number[] | null;
  /** What it is on after credit, where that lowered it: money alone can be credited. */
  readonly taxable: Money | null;
}

/** Of a line of an issued invoice; null unless it is one of tax. */
export function taxOfLine({
  kind,
  amount,
  detail,
}: Pick<InvoiceLine, "kind" | "amount" | "detail">): TaxOfLine | null {
  if (kind !== "tax") return null;
  const isAfterCredits = detail.basis === "after_credits";
  return {
    jurisdiction: jurisdictionOf({ detail }),
    on: Array.isArray(detail.lines) ? detail.lines.map(Number) : null,
    taxable: isAfterCredits ? money(BigInt(String(detail.taxableMinor)), amount.currency) : null,
  };
}

/**
 * The lines of a note with the tax that goes back with them: of each line of tax the share of what it is on that is credited,
 * with all notes before, rounded once, half to even; so with the last part of a line the last cent of its tax goes back. A line
 * of tax that is asked for by itself is credited as it is asked.
 */
export function withTaxGivenBack(
  lines: readonly CreditableLine[],
  asked: readonly CreditedLine[],
): CreditedLine[] {
  const askedOf = (line: number) => asked.find((each) => each.line === line)?.amount.amountMinor ?? 0n;
  const back = lines.flatMap(({ line, tax, amount, credited }): CreditedLine[] => {
    if (tax == null || amount.amountMinor <= 0n || askedOf(line) > 0n) return [];
    const on = lines.filter((each) => each.tax == null && (tax.on?.includes(each.line) ?? isTaxable(each)));
    if (!on.some((each) => askedOf(each.line) > 0n)) return [];
    const sum = (amountOf: (each: CreditableLine) => bigint) =>
      on.reduce((total, each) => total + amountOf(each), 0n);
    const whole = tax.taxable?.amountMinor ?? sum((each) => each.amount.amountMinor);
    const taken = sum((each) => each.credited.amountMinor + askedOf(each.line));
    const due = shareOf(amount.amountMinor, taken, whole) - credited.amountMinor;
    return due > 0n ? [{ line, amount: money(due, amount.currency) }] : [];
  });
  return [...asked, ...back];
}

const isTaxable = ({ kind }: CreditableLine): boolean =>
  kind !== "carried_forward" && kind !== "carried_over";

/** Never more than all of it. */
function shareOf(tax: bigint, taken: bigint, whole: bigint): bigint {
  if (whole <= 0n || taken >= whole) return tax;
  return roundedQuotient(tax * taken, whole, "half-even");
}

/** What of a note goes back to whom as tax. */
export function taxOfNote(
  lines: readonly CreditableLine[],
  asked: readonly CreditedLine[],
): { readonly jurisdiction: string; readonly amount: Money }[] {
  const taxed = asked.flatMap(({ line, amount }) => {
    const { tax } = lines.find((each) => each.line === line) ?? {};
    return tax == null ? [] : [{ jurisdiction: tax.jurisdiction, amount }];
  });
  return [...Map.groupBy(taxed, ({ jurisdiction }) => jurisdiction)].map(([jurisdiction, parts]) => ({
    jurisdiction,
    amount: parts.map(({ amount }) => amount).reduce((sum, each) => addMoney(sum, each)),
  }));
}

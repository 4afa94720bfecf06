import type { Instant } from "../calendar/index.ts";
import { BillingError } from "../errors.ts";
import {
  allocate,
  type Currency,
  compareMoney,
  type Decimal,
  decimal,
  type Money,
  money,
  subtractMoney,
  sumMoney,
} from "../money/index.ts";
import type { ClosedTogether } from "./close-period.ts";
import type { InvoiceLine } from "./invoice-line.ts";

/** Who reckons a customer's tax: nobody, or a service outside, whose lines are passed through as they are given. */
export const taxHandlings = ["none", "external"] as const;
export type TaxHandling = (typeof taxHandlings)[number];

/** What tax is on: the lines as they are, or what credit grants leave of them. */
export const taxBases = ["before_credits", "after_credits"] as const;
export type TaxBasis = (typeof taxBases)[number];

/** A line of tax as it was given. Nothing of it is reckoned again. */
export interface GivenTaxLine {
  /** Such as `VAT 19 %, Germany`. */
  readonly description: string;
  /** Whose tax it is, such as `us-ny`. */
  readonly jurisdiction: string;
  /** A fraction: 0.19 is 19 %. */
  readonly rate: Decimal;
  readonly taxable: Money;
  /** Negative where tax goes back with what it was on. */
  readonly amount: Money;
  /** The numbers of the lines that it is on; null: of all that are taxable. */
  readonly lines: readonly number[] | null;
}

/** Tax for lines that a quote names. Without lines it says that there is none. */
export interface GivenTax {
  readonly id: string;
  readonly quote: string;
  readonly basis: TaxBasis;
  readonly lines: readonly GivenTaxLine[];
}

/** A line of an invoice that tax may be on. */
export interface TaxablePart {
  /** As the invoice numbers it, from 1. */
  readonly number: number;
  readonly line: InvoiceLine;
  /** Negative where it goes back to the customer. Never zero. */
  readonly taxable: Money;
}

/** Tax lines do not fit what they are for. */
export class TaxLineInvalidError extends BillingError {
  readonly code = "tax_line_invalid";
}

/** What was taxed on an earlier invoice is not taxed again when it moves, and tax itself never is. */
const untaxed: ReadonlySet<string> = new Set(["tax", "carried_forward", "carried_over"]);

/** What tax is to be reckoned on: of each line what it asks for, or gives back, and by choice less what credit pays of it. */
export function taxableParts({ parts, totals }: ClosedTogether, basis: TaxBasis): TaxablePart[] {
  const lines = parts.flatMap((part) => part.lines);
  const back = parts
    .flatMap(({ rest, corrections }) => (rest === null ? corrections : [rest, ...corrections]))
    .flatMap(({ givenBack }) => givenBack);
  const paid = basis === "after_credits" ? creditsByLine(lines, totals) : new Map<number, Money>();
  return lines.flatMap((line, place): TaxablePart[] => {
    if (untaxed.has(line.kind)) return [];
    const credit = paid.get(place);
    const less = [
      ...back.filter((given) => given.line === line).map(({ moneyToBalance }) => moneyToBalance),
      ...(credit === undefined ? [] : [credit]),
    ];
    const taxable = subtractMoney(line.amount, sumMoney(less, line.amount.currency));
    return taxable.amountMinor === 0n ? [] : [{ number: place + 1, line, taxable }];
  });
}

/** The same of lines that are given, which no credit pays. */
export const taxableLines = (lines: readonly InvoiceLine[]): TaxablePart[] =>
  lines.flatMap((line, place) =>
    untaxed.has(line.kind) || line.amount.amountMinor === 0n
      ? []
      : [{ number: place + 1, line, taxable: line.amount }],
  );

/** What credit grants pay, in whole minor units, by the places of the lines that they pay for. */
function creditsByLine(
  lines: readonly InvoiceLine[],
  { draws, creditsApplied }: ClosedTogether["totals"],
): ReadonlyMap<number, Money> {
  const weights = lines.map((_, place) =>
    draws.reduce((sum, { line, amount }) => (line === place ? sum + amount : sum), 0n),
  );
  if (weights.every((weight) => weight === 0n)) return new Map();
  return new Map(allocate(creditsApplied, weights).map((share, place) => [place, share]));
}

/** What a quote is made from: equal texts are the same taxable lines. @param of what the invoice is for */
export function taxQuoteText(of: string, basis: TaxBasis, parts: readonly TaxablePart[]): string {
  const quoted = parts.map(({ number, line: { kind, product, source, period }, taxable }) => [
    number,
    kind,
    product,
    source?.planKey ?? "",
    source?.planVersion ?? 0,
    source?.priceKey ?? "",
    // What is for no time says only when it was looked at.
    ...(period.start === period.end ? [] : [period.start, period.end]),
    taxable.amountMinor.toString(),
    taxable.currency,
  ]);
  return JSON.stringify([of, basis, quoted]);
}

/**
 * Checks what can be checked of tax that somebody else reckoned: that it is in the invoice's currency, on lines that are
 * there, and on no more than they come to.
 * @throws TaxLineInvalidError
 */
export function requireTaxFits(tax: readonly GivenTaxLine[], parts: readonly TaxablePart[]): void {
  for (const [index, given] of tax.entries()) {
    const field = `lines[${index}]`;
    const on = given.lines === null ? parts : given.lines.map((number) => partOf(parts, number, field));
    requireWithin(given, on, field);
  }
}

function partOf(parts: readonly TaxablePart[], number: number, field: string): TaxablePart {
  const part = parts.find((each) => each.number === number);
  if (part !== undefined) return part;
  const numbers = parts.map((each) => each.number).join(", ") || "none";
  throw new TaxLineInvalidError(`there is no taxable line ${number}: they are ${numbers}`, `${field}.lines`);
}

function requireWithin({ taxable, amount }: GivenTaxLine, on: readonly TaxablePart[], field: string): void {
  const { currency } = taxable;
  const none = money(0n, currency);
  const amounts = on.map((part) => part.taxable);
  const currencies = new Set(amounts.map((each) => each.currency));
  if (currencies.size > 0 && !currencies.has(currency)) {
    throw new TaxLineInvalidError(`the invoice is in ${[...currencies].join()}, not ${currency}`, "currency");
  }
  const most = sumOf(amounts, currency, (each) => compareMoney(each, none) > 0);
  const least = sumOf(amounts, currency, (each) => compareMoney(each, none) < 0);
  if (compareMoney(taxable, most) > 0 || compareMoney(taxable, least) < 0) {
    const message = `its lines come to ${least.amountMinor} to ${most.amountMinor} minor units, so tax cannot be on ${taxable.amountMinor}`;
    throw new TaxLineInvalidError(message, `${field}.taxable_minor`);
  }
  if (amount.amountMinor * taxable.amountMinor < 0n) {
    const message = "tax has the sign of what it is on: it goes back where that does";
    throw new TaxLineInvalidError(message, `${field}.amount_minor`);
  }
}

const sumOf = (amounts: readonly Money[], currency: Currency, counts: (each: Money) => boolean): Money =>
  sumMoney(amounts.filter(counts), currency);

/** Tax as lines of the invoice: after all others, so that those keep their numbers. */
export const taxInvoiceLines = (tax: GivenTax | undefined, asOf: Instant): InvoiceLine[] =>
  (tax?.lines ?? []).map(({ description, jurisdiction, rate, taxable, amount, lines }) => ({
    kind: "tax",
    earning: "tax",
    description,
    product: "tax",
    source: null,
    period: { start: asOf, end: asOf },
    quantity: null,
    exactMinor: decimal(amount.amountMinor),
    amount,
    detail: {
      jurisdiction,
      rate: rate.text,
      taxableMinor: taxable.amountMinor.toString(),
      ...(lines === null ? {} : { lines }),
      quote: tax?.quote ?? "",
      ...(tax?.basis === "after_credits" ? { basis: tax.basis } : {}),
    },
  }));

/** Whose tax a line is. */
export const jurisdictionOf = ({ detail }: Pick<InvoiceLine, "detail">): string =>
  String(detail.jurisdiction);

/** Tax by jurisdiction, what is charged and what goes back by themselves, without sign. */
export function taxByJurisdiction(lines: readonly InvoiceLine[]): {
  readonly charged: readonly { readonly jurisdiction: string; readonly amount: Money }[];
  readonly givenBack: readonly { readonly jurisdiction: string; readonly amount: Money }[];
} {
  const sums = (sign: 1n | -1n) => {
    const counted = lines.filter(({ kind, amount }) => kind === "tax" && amount.amountMinor * sign > 0n);
    return [...Map.groupBy(counted, jurisdictionOf)].map(([jurisdiction, group]) => {
      const [first] = group;
      const sum = group.reduce((total, { amount }) => total + amount.amountMinor * sign, 0n);
      return { jurisdiction, amount: money(sum, first?.amount.currency ?? "") };
    });
  };
  return { charged: sums(1n), givenBack: sums(-1n) };
}

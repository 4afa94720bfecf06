import { type Instant, instantOfEpochMs, type Period } from "../calendar/index.ts";
import type { PriceAdjustment } from "../catalog/index.ts";
import type { CreditGrant, CreditPolicy } from "../credits/index.ts";
import { BillingError } from "../errors.ts";
import { addUpInvoice, type InvoiceLine, type InvoiceTotals, invoiceTotals } from "../invoicing/index.ts";
import {
  type Currency,
  compareMoney,
  type Decimal,
  decimal,
  Fraction,
  type Money,
  money,
  roundTogether,
  roundToMinor,
  subtractMoney,
  sumMoney,
} from "../money/index.ts";
import { type AdjustmentPart, adjustCharges, type Charge } from "../pricing/index.ts";

export interface InvoiceQuestion {
  readonly currency: Currency;
  readonly asOf: Instant;
  readonly lines: readonly QuotedLine[];
  /** In the order in which they apply, on lines by their keys. */
  readonly adjustments: readonly PriceAdjustment[];
  /** line: each line is rounded. net: only their sum is, and the lines so that they come to it. */
  readonly rounding: "line" | "net";
  readonly taxLines: readonly QuotedTax[];
  /** after_credits: credit does not pay tax. before_credits: it does, after the usage. */
  readonly tax: "after_credits" | "before_credits";
  readonly grants: readonly CreditGrant[];
  readonly creditPolicy: CreditPolicy;
  readonly customerBalance: Money;
  /** Whether what is too small to be charged is carried to the next invoice. */
  readonly carriesSmallAmounts: boolean;
  /** What was paid of the total, and refunded of that; nothing when left out. */
  readonly payment?: QuotedPayment;
}

export interface QuotedPayment {
  readonly paid: Money;
  readonly refunded: Money;
  /** stays_paid: money that was given back is not asked for again. reopens: the invoice is due again by as much. */
  readonly refund: "stays_paid" | "reopens";
}

export interface QuotedLine {
  readonly key: string;
  readonly description: string;
  readonly product: string;
  /** Credit pays usage only. */
  readonly kind: "usage" | "fee";
  readonly exactMinor: Decimal;
}

/** As an outside system reckoned it: it is passed through. */
export interface QuotedTax {
  readonly name: string;
  readonly amount: Money;
}

export interface InvoiceAnswer {
  /** Those of the question, with those that adjustments and carrying forward make; tax not among them. */
  readonly lines: readonly InvoiceLine[];
  readonly subtotal: Money;
  readonly tax: Money;
  readonly totals: InvoiceTotals;
  /** What is left to be paid. */
  readonly due: Money;
}

export class QuotedLineError extends BillingError {
  readonly code = "invoice_line_invalid";
}

/** Adds an invoice up as an issued one is: adjustments in their order, credit, tax from outside, the customer's balance. */
export function calculateInvoiceTotal(question: InvoiceQuestion): InvoiceAnswer {
  const { currency, rounding, taxLines, grants, creditPolicy, customerBalance, asOf } = question;
  requireKeys(question);
  const used = { start: asOf, end: instantOfEpochMs(asOf + 1) };
  const quoted = question.lines.map((line) => lineOf(line, used, currency));
  const parts = adjustCharges(quoted.map(chargeOf), question.adjustments, {
    currency,
    periodIndex: 0,
    stage: "period",
    inForce: new Fraction(1n),
    charged: new Fraction(1n),
  });
  const adjusted = [...quoted, ...parts.map((part) => partLine(part, question.lines, used))];
  const lines = rounding === "line" ? adjusted : roundedNet(adjusted, currency);
  const means = { grants, creditPolicy, customerBalance, currency, asOf };
  const tax = taxLines.map((line) => taxLine(line, used, question.tax));
  const added = question.carriesSmallAmounts
    ? addUpInvoice([...lines, ...tax], means)
    : { lines: [...lines, ...tax], totals: invoiceTotals([...lines, ...tax], means) };
  const shown = added.lines.filter((line) => !tax.includes(line));
  return {
    lines: shown,
    subtotal: netOf(shown, currency),
    tax: netOf(tax, currency),
    totals: added.totals,
    due: dueOf(added.totals.total, question.payment),
  };
}

function dueOf(total: Money, payment: QuotedPayment | undefined): Money {
  if (payment === undefined) return total;
  const { paid, refunded, refund } = payment;
  if (compareMoney(refunded, paid) > 0) {
    throw new QuotedLineError("is more than was paid: refund at most that", "refunded_minor");
  }
  const due = subtractMoney(total, refund === "reopens" ? subtractMoney(paid, refunded) : paid);
  return due.amountMinor > 0n ? due : money(0n, total.currency);
}

function requireKeys({ lines, adjustments }: InvoiceQuestion): void {
  const keys = lines.map(({ key }) => key);
  const twice = keys.findIndex((key, index) => keys.indexOf(key) < index);
  if (twice >= 0) throw new QuotedLineError("is used twice: choose another key", `lines[${twice}].key`);
  for (const [index, { prices }] of adjustments.entries()) {
    if (prices === "all") continue;
    const unknown = prices.findIndex((key) => !keys.includes(key));
    if (unknown < 0) continue;
    const message = `there is no line "${prices[unknown]}": it is one of ${keys.join(", ")}`;
    throw new QuotedLineError(message, `adjustments[${index}].lines[${unknown}]`);
  }
}

function lineOf(
  { key, kind, description, product, exactMinor }: QuotedLine,
  used: Period,
  currency: Currency,
): InvoiceLine {
  return {
    ...(kind === "usage" ? usageLine : feeLine),
    description,
    product,
    source: { planKey: "plan", planVersion: 1, priceKey: key },
    period: used,
    exactMinor,
    amount: roundToMinor(exactMinor, currency),
  };
}

const usageLine = { kind: "usage", earning: "unbilled", quantity: null, detail: {} } as const;
const taxedLine = { kind: "tax", earning: "tax", quantity: null, detail: {} } as const;
const feeLine = { kind: "flat", earning: "earned", quantity: null, detail: {} } as const;

function chargeOf({ source, exactMinor, amount }: InvoiceLine): Charge {
  const key = source?.priceKey ?? "";
  return { key, prices: [key], exactMinor, amount };
}

/** A part on a line is earned as that is; what an adjustment makes by itself was not used. */
function partLine(part: AdjustmentPart, lines: readonly QuotedLine[], used: Period): InvoiceLine {
  const { adjustment, kind, charge, exactMinor, amount } = part;
  const on = lines.find(({ key }) => key === charge.key);
  return {
    kind,
    earning: on?.kind === "fee" ? "earned" : "unbilled",
    description: on === undefined ? adjustment.name : `${adjustment.name}, ${on.description}`,
    product: on?.product ?? adjustment.key,
    source: { planKey: "plan", planVersion: 1, priceKey: charge.key },
    period: used,
    quantity: null,
    exactMinor,
    amount,
    detail: { adjustment: adjustment.key },
  };
}

function roundedNet(lines: readonly InvoiceLine[], currency: Currency): InvoiceLine[] {
  const amounts = roundTogether(
    lines.map(({ exactMinor }) => exactMinor),
    currency,
  );
  return lines.map((line, index) => ({ ...line, amount: amounts[index] ?? line.amount }));
}

/** As on an issued invoice; where credit pays tax it is as if it were used: last, because it stands last. */
function taxLine({ name, amount }: QuotedTax, used: Period, tax: InvoiceQuestion["tax"]): InvoiceLine {
  return {
    ...(tax === "before_credits" ? usageLine : taxedLine),
    description: name,
    product: "tax",
    source: null,
    period: used,
    exactMinor: decimal(amount.amountMinor),
    amount,
  };
}

function netOf(lines: readonly InvoiceLine[], currency: Currency): Money {
  return sumMoney(
    lines.map(({ amount }) => amount),
    currency,
  );
}

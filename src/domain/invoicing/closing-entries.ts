import { isoOf, type Period } from "../calendar/index.ts";
import type { CreditGrantKind, Draw, LineDraw } from "../credits/index.ts";
import {
  creditsBurned,
  type JournalEntryDraft,
  lateUsageAdjusted,
  type ProductDraw,
  revenueRecognised,
  usageRated,
} from "../ledger/index.ts";
import { type LedgerAmount, ledgerAmount, ledgerAmountOfExact, type Money } from "../money/index.ts";
import type { ClosedPart, ClosedPeriod } from "./close-period.ts";
import type { Correction } from "./correction.ts";
import { bookedAmount, factsOf, type InvoiceIdentity, invoiceEntries } from "./invoice-entries.ts";
import type { InvoiceLine } from "./invoice-line.ts";
import type { InvoiceTotals } from "./invoice-totals.ts";
import type { ReturnedDraw } from "./returned-draws.ts";
import { isUsage } from "./usage-credit.ts";

/** A usage line with what is left of it for the customer to pay, and what each grant pays. */
interface CoveredLine {
  readonly line: InvoiceLine;
  readonly uncovered: LedgerAmount;
  readonly draws: readonly Draw[];
}

/** Of which period the entries are, and what they are named by. */
export interface ClosingOf {
  readonly subscriptionId: string;
  readonly period: Period;
  readonly grantKinds: ReadonlyMap<string, CreditGrantKind>;
  /** Of the run that bills the period: 0, or more where it bills it anew. */
  readonly revision?: number;
  /** How often the period of each correction had been rated: of one that thresholds billed, this one too. */
  readonly revisionOf: (period: Period) => number;
  /** What was charged in advance for the period, per product, less what was handed back. */
  readonly advance: readonly { readonly productKey: string; readonly amount: Money }[];
}

export type ClosingIdentity = InvoiceIdentity & ClosingOf;

/** All entries of a closed period, in the order in which they build on each other. */
export function closingEntries(identity: ClosingIdentity, closed: ClosedPeriod): JournalEntryDraft[] {
  return entriesTogether(identity, [{ of: identity, closed }], closed.totals);
}

/** The same of periods that one invoice closes, which is booked once, when all of them are rated. */
export function entriesTogether(
  invoice: InvoiceIdentity,
  parts: readonly { readonly of: ClosingOf; readonly closed: ClosedPart }[],
  totals: InvoiceTotals,
): JournalEntryDraft[] {
  const draws = drawsOfParts(
    parts.map(({ closed }) => closed.lines),
    totals.draws,
  );
  const rated = parts.flatMap(({ of, closed }, place) =>
    ratedEntries({ ...invoice, ...of }, closed, coverLines(closed.lines, draws[place] ?? [])),
  );
  const invoiced = parts.map(({ of: { subscriptionId }, closed: { lines } }) => ({ subscriptionId, lines }));
  const recognised = parts.map(({ of }) => {
    const { subscriptionId, period, advance } = of;
    const cycleId = cycleIdOf(subscriptionId, period, of.revision ?? 0);
    const facts = factsOf(invoice, `cycle/${cycleId}/recognised`);
    return revenueRecognised({ ...facts, subscriptionId, cycleId, items: advance });
  });
  const entries = [...rated, ...invoiceEntries(invoice, invoiced, totals), ...recognised];
  return entries.filter((entry) => entry !== null);
}

/** What each part drew, its lines counted from its own first one. */
function drawsOfParts(parts: readonly (readonly InvoiceLine[])[], draws: readonly LineDraw[]): LineDraw[][] {
  let before = 0;
  return parts.map(({ length }) => {
    const from = before;
    before += length;
    return draws
      .filter(({ line }) => from <= line && line < from + length)
      .map((draw) => ({ ...draw, line: draw.line - from }));
  });
}

/** What a period was rated at, and what that makes of periods that were billed before. */
function ratedEntries(
  identity: ClosingIdentity,
  closed: ClosedPart,
  covered: readonly CoveredLine[],
): (JournalEntryDraft | null)[] {
  const cycleId = cycleIdOf(identity.subscriptionId, identity.period, identity.revision ?? 0);
  return [
    ...(closed.rest === null
      ? usageEntries(identity, cycleId, closed, covered)
      : [correctionEntry(identity, closed.rest, covered)]),
    ...closed.corrections.map((correction) => correctionEntry(identity, correction, covered)),
  ];
}

/** The period's own usage and fees in arrears, and what credits pay of the usage. */
function usageEntries(
  identity: ClosingIdentity,
  cycleId: string,
  { lines }: ClosedPart,
  covered: readonly CoveredLine[],
): (JournalEntryDraft | null)[] {
  const ofPeriod = covered.filter(({ line }) => within(line.period, identity.period));
  const fees = lines.filter(({ earning, period }) => earning === "earned" && within(period, identity.period));
  const rated = usageRated({
    ...factsOf(identity, `cycle/${cycleId}/rated`),
    cycleId,
    usage: byProduct([...ofPeriod.map(leftToPay), ...trueUps(lines, identity.period).map(booked)]),
    fees: byProduct(fees.map(booked)),
  });
  const burned = creditsBurned({
    ...factsOf(identity, `cycle/${cycleId}/credits`),
    cycleId,
    draws: productDraws(ofPeriod, identity.grantKinds),
  });
  return [rated, burned];
}

/** What a period makes more than was billed of it, or less: that goes back to who paid for it. */
function correctionEntry(
  identity: ClosingIdentity,
  { period, lines, givenBack }: Correction,
  covered: readonly CoveredLine[],
): JournalEntryDraft | null {
  const correctionId = correctionIdOf(identity.subscriptionId, period, identity.revisionOf(period));
  const billed = covered.filter(({ line }) => within(line.period, period));
  const fees = lines.filter(({ earning }) => earning === "earned");
  const returned = givenBack.flatMap((given) => given.returned);
  return lateUsageAdjusted({
    ...factsOf(identity, `correction/${correctionId}`),
    correctionId,
    period,
    differences: [
      ...byProduct([...billed.map(leftToPay), ...trueUps(lines, period).map(booked)]),
      ...byProduct(fees.map(booked)).map((fee) => ({ ...fee, isFee: true })),
      ...givenBack.map(({ line, money, moneyToBalance }) => ({
        productKey: line.product,
        amount: ledgerAmount(-money),
        toBalance: moneyToBalance,
        isFee: line.earning === "earned",
      })),
    ],
    burned: productDraws(billed, identity.grantKinds),
    restored: returnedTo("grant", returned),
    credited: returnedTo("balance", returned),
    lapsed: returnedTo("lapsed", returned),
  });
}

/** Names the run that bills a period: with its revision where an earlier invoice of it was voided. */
export const cycleIdOf = (subscriptionId: string, period: Period, revision: number): string =>
  `${subscriptionId}/${isoOf(period.start)}${revision === 0 ? "" : `/${revision}`}`;

/** Names a correction of a period: its revision counts how often the period has been rated again. */
export const correctionIdOf = (subscriptionId: string, period: Period, revision: number): string =>
  `${subscriptionId}/${isoOf(period.start)}/${revision}`;

function returnedTo(place: ReturnedDraw["to"], returned: readonly ReturnedDraw[]): ProductDraw[] {
  return returned
    .filter(({ to }) => to === place)
    .map(({ grantId, kind, product, amount }) => ({ grantId, kind, productKey: product, amount }));
}

function productDraws(
  covered: readonly CoveredLine[],
  kinds: ReadonlyMap<string, CreditGrantKind>,
): ProductDraw[] {
  return covered.flatMap(({ line, draws }) =>
    draws.map(({ grantId, amount }) => ({
      grantId,
      amount,
      kind: kinds.get(grantId) ?? "paid",
      productKey: line.product,
    })),
  );
}

/** The usage among the lines, with what each drew. */
function coverLines(lines: readonly InvoiceLine[], draws: readonly LineDraw[]): CoveredLine[] {
  return lines.flatMap((line, index) => {
    if (!isUsage(line)) return [];
    const ofLine = draws.filter((draw) => draw.line === index);
    const drawn = ofLine.reduce((sum, { amount }) => sum + amount, 0n);
    return [{ line, uncovered: ledgerAmount(ledgerAmountOfExact(line.exactMinor) - drawn), draws: ofLine }];
  });
}

interface ProductAmount {
  readonly productKey: string;
  readonly amount: LedgerAmount;
}

const leftToPay = ({ line, uncovered }: CoveredLine): ProductAmount => ({
  productKey: line.product,
  amount: uncovered,
});

const booked = (line: InvoiceLine): ProductAmount => ({
  productKey: line.product,
  amount: bookedAmount(line),
});

/** What is no price's: credit does not pay for it. */
function trueUps(lines: readonly InvoiceLine[], of: Period): InvoiceLine[] {
  return lines.filter(
    (line) =>
      line.earning === "unbilled" && "adjustment" in line.detail && !isUsage(line) && within(line.period, of),
  );
}

/** A discount lowers the revenue of the product that it is given on. */
function byProduct(amounts: readonly ProductAmount[]): ProductAmount[] {
  return [...Map.groupBy(amounts, ({ productKey }) => productKey)].map(([productKey, ofProduct]) => ({
    productKey,
    amount: ledgerAmount(ofProduct.reduce((sum, { amount }) => sum + amount, 0n)),
  }));
}

function within(inner: Period, outer: Period): boolean {
  return inner.start >= outer.start && inner.end <= outer.end;
}

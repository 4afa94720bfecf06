import type { Instant, Period } from "../calendar/index.ts";
import { isoOf } from "../calendar/index.ts";
import type { CreditGrantKind, Draw } from "../credits/index.ts";
import {
  creditsBurned,
  customerBalanceApplied,
  type EntryFacts,
  invoiceIssued,
  type JournalEntryDraft,
  lateUsageAdjusted,
  type ProductDraw,
  revenueRecognised,
  usageRated,
} from "../ledger/index.ts";
import {
  type Currency,
  type LedgerAmount,
  ledgerAmount,
  ledgerAmountOfExact,
  ledgerAmountOfMoney,
  type Money,
  negateMoney,
  subtractMoney,
  sumMoney,
} from "../money/index.ts";
import type { ClosedPeriod } from "./close-period.ts";
import type { InvoiceLine } from "./invoice-line.ts";
import { type InvoiceTotals, isUsage } from "./invoice-totals.ts";

/** Whose invoice it is, and when it is issued. */
export interface InvoiceIdentity {
  readonly invoiceId: string;
  readonly customerId: string;
  readonly subscriptionId: string | null;
  readonly currency: Currency;
  readonly issuedAt: Instant;
}

/** A usage line with what is left of it for the customer to pay, and what each grant pays. */
interface CoveredLine {
  readonly line: InvoiceLine;
  readonly uncovered: LedgerAmount;
  readonly draws: readonly Draw[];
}

/**
 * The entry of an issued invoice, and of the customer balance that pays part of it.
 */
export function invoiceEntries(
  identity: InvoiceIdentity,
  lines: readonly InvoiceLine[],
  totals: InvoiceTotals,
): JournalEntryDraft[] {
  const { invoiceId, subscriptionId, currency } = identity;
  const of = (earning: InvoiceLine["earning"]) => lines.filter((line) => line.earning === earning);
  const carried = lines.filter(({ kind }) => kind === "carried_forward");
  const accrued = [...of("unbilled"), ...of("earned")].filter((line) => !carried.includes(line));
  const notUsage = sumOf(
    accrued.filter((line) => !isUsage(line)),
    currency,
  );
  const deferred =
    subscriptionId === null ? [] : of("deferred").map(({ amount }) => ({ subscriptionId, amount }));
  const issued = invoiceIssued({
    ...factsOf(identity, `invoice/${invoiceId}/issued`),
    invoiceId,
    accrued: {
      billed: subtractMoney(sumOf(accrued, currency), totals.creditsApplied),
      booked: ledgerAmount(totals.uncoveredUsage + ledgerAmountOfMoney(notUsage)),
    },
    inAdvance: deferred.filter(({ amount }) => amount.amountMinor > 0n),
    prorationCredits: deferred
      .filter(({ amount }) => amount.amountMinor < 0n)
      .map((credit) => ({ ...credit, amount: negateMoney(credit.amount) })),
    creditPurchases: of("prepayment").map(({ amount }) => ({ purchaseId: invoiceId, amount })),
    ...(carried.length === 0 ? {} : { carriedForward: negateMoney(sumOf(carried, currency)) }),
  });
  const applied =
    totals.balanceApplied.amountMinor > 0n
      ? customerBalanceApplied({
          ...factsOf(identity, `invoice/${invoiceId}/balance`),
          applicationId: invoiceId,
          invoiceId,
          amount: totals.balanceApplied,
        })
      : null;
  return [issued, applied].filter((entry) => entry !== null);
}

export interface ClosingIdentity extends InvoiceIdentity {
  readonly subscriptionId: string;
  readonly period: Period;
  readonly grantKinds: ReadonlyMap<string, CreditGrantKind>;
  /** How often the period of each correction has been rated, this run included. */
  readonly revisionOf: (period: Period) => number;
  /** What was charged in advance for the period, per product, less what was handed back. */
  readonly advance: readonly { readonly productKey: string; readonly amount: Money }[];
}

/** All entries of a closed period, in the order in which they build on each other. */
export function closingEntries(identity: ClosingIdentity, closed: ClosedPeriod): JournalEntryDraft[] {
  const { subscriptionId, period, advance } = identity;
  const cycleId = `${subscriptionId}/${isoOf(period.start)}`;
  const covered = coverLines(closed.lines.filter(isUsage), closed.totals.draws);
  const entries: (JournalEntryDraft | null)[] = [
    ...usageEntries(identity, cycleId, closed, covered),
    ...closed.corrections.map((correction) => correctionEntry(identity, correction, covered)),
    ...invoiceEntries(identity, closed.lines, closed.totals),
    revenueRecognised({
      ...factsOf(identity, `cycle/${cycleId}/recognised`),
      subscriptionId,
      cycleId,
      items: advance,
    }),
  ];
  return entries.filter((entry) => entry !== null);
}

/** The period's own usage and fees in arrears, and what credits pay of the usage. */
function usageEntries(
  identity: ClosingIdentity,
  cycleId: string,
  { lines }: ClosedPeriod,
  covered: readonly CoveredLine[],
): (JournalEntryDraft | null)[] {
  const ofPeriod = covered.filter(({ line }) => line.kind === "usage");
  const rated = usageRated({
    ...factsOf(identity, `cycle/${cycleId}/rated`),
    cycleId,
    usage: ofPeriod.map(({ line, uncovered }) => ({ productKey: line.product, amount: uncovered })),
    fees: lines
      .filter(({ earning }) => earning === "earned")
      .map(({ product, amount }) => ({ productKey: product, amount: ledgerAmountOfMoney(amount) })),
  });
  const burned = creditsBurned({
    ...factsOf(identity, `cycle/${cycleId}/credits`),
    cycleId,
    draws: productDraws(ofPeriod, identity.grantKinds),
  });
  return [rated, burned];
}

/** What late usage of an earlier period makes more, or less: then it goes to the customer's balance. */
function correctionEntry(
  identity: ClosingIdentity,
  { period, lines }: ClosedPeriod["corrections"][number],
  covered: readonly CoveredLine[],
): JournalEntryDraft | null {
  const correctionId = `${identity.subscriptionId}/${isoOf(period.start)}/${identity.revisionOf(period)}`;
  const billed = covered.filter(({ line }) => line.kind === "late_usage" && within(line.period, period));
  const tooMuch = lines.filter(({ amount }) => amount.amountMinor < 0n);
  return lateUsageAdjusted({
    ...factsOf(identity, `correction/${correctionId}`),
    correctionId,
    period,
    differences: [
      ...billed.map(({ line, uncovered }) => ({ productKey: line.product, amount: uncovered })),
      ...tooMuch.map((line) => ({ productKey: line.product, amount: ledgerAmountOfMoney(line.amount) })),
    ],
    burned: productDraws(billed, identity.grantKinds),
  });
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

/** Hands the draws, which pay for all usage together, out to the lines in their order. */
function coverLines(lines: readonly InvoiceLine[], draws: readonly Draw[]): CoveredLine[] {
  const left = draws.map((draw) => ({ ...draw }));
  return lines.map((line) => {
    let uncovered = ledgerAmountOfExact(line.exactMinor);
    const taken: Draw[] = [];
    for (const draw of left) {
      const amount = draw.amount < uncovered ? draw.amount : uncovered;
      if (amount === 0n) continue;
      taken.push({ grantId: draw.grantId, amount });
      draw.amount = ledgerAmount(draw.amount - amount);
      uncovered = ledgerAmount(uncovered - amount);
    }
    return { line, uncovered, draws: taken };
  });
}

function factsOf({ customerId, currency, issuedAt }: InvoiceIdentity, sourceKey: string): EntryFacts {
  return { sourceKey, customerId, currency, occurredAt: issuedAt, effectiveAt: issuedAt };
}

function sumOf(lines: readonly InvoiceLine[], currency: Currency): Money {
  return sumMoney(
    lines.map(({ amount }) => amount),
    currency,
  );
}

function within(inner: Period, outer: Period): boolean {
  return inner.start >= outer.start && inner.end <= outer.end;
}

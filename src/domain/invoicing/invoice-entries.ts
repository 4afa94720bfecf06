import type { Instant, Period } from "../calendar/index.ts";
import { isoOf } from "../calendar/index.ts";
import type { CreditGrantKind, Draw, LineDraw } from "../credits/index.ts";
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
import type { InvoiceTotals } from "./invoice-totals.ts";
import type { ReturnedDraw } from "./returned-draws.ts";
import { isUsage } from "./usage-credit.ts";

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
  const covered = coverLines(closed.lines, closed.totals.draws);
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

/** What late usage of an earlier period makes more, or less: that goes back to who paid for it. */
function correctionEntry(
  identity: ClosingIdentity,
  { period, givenBack }: ClosedPeriod["corrections"][number],
  covered: readonly CoveredLine[],
): JournalEntryDraft | null {
  const correctionId = correctionIdOf(identity, period);
  const billed = covered.filter(({ line }) => line.kind === "late_usage" && within(line.period, period));
  const returned = givenBack.flatMap((given) => given.returned);
  return lateUsageAdjusted({
    ...factsOf(identity, `correction/${correctionId}`),
    correctionId,
    period,
    differences: [
      ...billed.map(({ line, uncovered }) => ({ productKey: line.product, amount: uncovered })),
      ...givenBack.map(({ line, money, moneyToBalance }) => ({
        productKey: line.product,
        amount: ledgerAmount(-money),
        toBalance: moneyToBalance,
      })),
    ],
    burned: productDraws(billed, identity.grantKinds),
    restored: returnedTo("grant", returned),
    credited: returnedTo("balance", returned),
    lapsed: returnedTo("lapsed", returned),
  });
}

/** The correction of a period by this closing: its number counts how often the period has been rated again. */
export function correctionIdOf(
  { subscriptionId, revisionOf }: Pick<ClosingIdentity, "subscriptionId" | "revisionOf">,
  period: Period,
): string {
  return `${subscriptionId}/${isoOf(period.start)}/${revisionOf(period)}`;
}

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

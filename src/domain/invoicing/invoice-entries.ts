import type { Instant } from "../calendar/index.ts";
import {
  customerBalanceApplied,
  type EntryFacts,
  invoiceIssued,
  type JournalEntryDraft,
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
import type { InvoiceLine } from "./invoice-line.ts";
import type { InvoiceTotals } from "./invoice-totals.ts";
import { taxByJurisdiction } from "./tax-lines.ts";
import { isUsage } from "./usage-credit.ts";

/** Whose invoice it is, and when it is issued. */
export interface InvoiceIdentity {
  readonly invoiceId: string;
  readonly customerId: string;
  readonly currency: Currency;
  readonly issuedAt: Instant;
}

/** The lines of a subscription; of none where credits are bought. */
export interface InvoicedPart {
  readonly subscriptionId: string | null;
  readonly lines: readonly InvoiceLine[];
}

/**
 * The entry of an issued invoice, and of the customer balance that pays part of it.
 */
export function invoiceEntries(
  identity: InvoiceIdentity,
  parts: readonly InvoicedPart[],
  totals: InvoiceTotals,
): JournalEntryDraft[] {
  const { invoiceId, currency } = identity;
  const lines = parts.flatMap((part) => part.lines);
  const of = (earning: InvoiceLine["earning"]) => lines.filter((line) => line.earning === earning);
  const carried = lines.filter(({ kind }) => kind === "carried_forward");
  const accrued = [...of("unbilled"), ...of("earned")].filter((line) => !carried.includes(line));
  const notUsage = accrued
    .filter((line) => !isUsage(line))
    .reduce((sum, line) => sum + bookedAmount(line), 0n);
  const deferred = parts.flatMap((part) => deferredAmounts(part, currency));
  const tax = taxByJurisdiction(lines);
  const issued = invoiceIssued({
    ...factsOf(identity, `invoice/${invoiceId}/issued`),
    invoiceId,
    accrued: {
      billed: subtractMoney(sumOf(accrued, currency), totals.creditsApplied),
      booked: ledgerAmount(totals.uncoveredUsage + notUsage),
    },
    inAdvance: deferred.filter(({ amount }) => amount.amountMinor > 0n),
    prorationCredits: deferred
      .filter(({ amount }) => amount.amountMinor < 0n)
      .map((credit) => ({ ...credit, amount: negateMoney(credit.amount) })),
    creditPurchases: of("prepayment").map(({ amount }) => ({ purchaseId: invoiceId, amount })),
    tax: tax.charged,
    taxCredits: tax.givenBack,
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

/** What was booked of a line before it was invoiced: usage and what follows from it exactly, fees as they are charged. */
export function bookedAmount({ earning, exactMinor, amount }: InvoiceLine): LedgerAmount {
  return earning === "unbilled" ? ledgerAmountOfExact(exactMinor) : ledgerAmountOfMoney(amount);
}

/** What was charged for time, or handed back of it, with the discounts on it. */
function deferredAmounts(
  { subscriptionId, lines }: InvoicedPart,
  currency: Currency,
): { readonly subscriptionId: string; readonly amount: Money }[] {
  if (subscriptionId === null) return [];
  const deferred = lines.filter(({ earning }) => earning === "deferred");
  const groups = Map.groupBy(deferred, ({ kind, source, period }) =>
    [
      kind === "proration_credit",
      source?.planKey,
      source?.planVersion,
      source?.priceKey,
      period.start,
    ].join(),
  );
  return [...groups.values()].map((group) => ({ subscriptionId, amount: sumOf(group, currency) }));
}

export function factsOf({ customerId, currency, issuedAt }: InvoiceIdentity, sourceKey: string): EntryFacts {
  return { sourceKey, customerId, currency, occurredAt: issuedAt, effectiveAt: issuedAt };
}

function sumOf(lines: readonly InvoiceLine[], currency: Currency): Money {
  return sumMoney(
    lines.map(({ amount }) => amount),
    currency,
  );
}

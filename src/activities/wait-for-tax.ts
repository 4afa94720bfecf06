import { closableAt, graceAfter, isBilledToItsEnd } from "../db/billing/agreed-rows.ts";
import type { LoadedPeriod } from "../db/billing/period-facts.ts";
import type { StoredSeller } from "../db/billing/seller.ts";
import { type StoredSubscription, updateSubscription } from "../db/billing/subscriptions.ts";
import type { TaxStanding } from "../db/billing/tax-choices.ts";
import { taxOf } from "../db/billing/tax-given.ts";
import { taxOfClosing } from "../db/billing/tax-of-closing.ts";
import type { Tx } from "../db/database.ts";
import { tellTaxWanted } from "../db/notices/notices-of-facts.ts";
import { type Instant, instantOfEpochMs, isoOf, latestOf, type Period } from "../domain/calendar/index.ts";
import { invariant } from "../domain/errors.ts";
import {
  type ClosedTogether,
  carriedOnce,
  closeTogether,
  requireTaxFits,
  type TaxablePart,
  type TaxWait,
  usualTaxPolicy,
  waitForTax,
  withTax,
} from "../domain/invoicing/index.ts";

/** A period that was not closed, because the tax on its invoice is missing. */
export interface PeriodWaitsForTax {
  readonly outcome: "waiting";
  readonly waitsFor: "tax";
  /** When to come again, if nobody says before that it has come. */
  readonly until: string;
  /** From then on operators are shown it. */
  readonly overdueAt: string;
  /** Names the lines that tax is wanted for; null where an earlier period of the subscription waits for its own. */
  readonly quote: string | null;
}

/** A period whose invoice may be taxed. */
interface PeriodToTax {
  readonly row: StoredSubscription;
  readonly facts: LoadedPeriod;
}

/** What periods that one invoice closes come to with their tax, or which tax is missing. */
export type TaxedPeriods<Period extends PeriodToTax> =
  | { readonly periods: readonly Period[]; readonly closed: ClosedTogether; readonly missing: null }
  | { readonly missing: MissingTax };

/** Of which lines it is missing. */
export interface MissingTax {
  readonly quote: string;
  readonly standing: TaxStanding;
  readonly closed: ClosedTogether;
  readonly taxable: readonly TaxablePart[];
}

/** Puts the tax on the invoice of periods that was given for exactly its lines. Nobody reckons tax: it is as it was. */
export async function taxedPeriods<Period extends PeriodToTax>(
  tx: Tx,
  toClose: readonly Period[],
  { at, seller }: { readonly at: Instant; readonly seller?: StoredSeller | null | undefined },
): Promise<TaxedPeriods<Period>> {
  const facts = carriedOnce(toClose.map((period) => period.facts));
  const periods = withFacts(toClose, facts);
  const [first] = periods;
  invariant(first, "a period is closed");
  const { customerId } = first.row;
  const closed = closeTogether(facts);
  const {
    standing,
    taxable,
    quote,
    tax: given,
  } = await taxOfClosing(tx, periods, closed, {
    customerId,
    at,
    seller,
  });
  if (quote === null) return { periods, closed, missing: null };
  if (given === undefined) return { missing: { quote, standing, closed, taxable } };
  const tax = taxOf(given, standing.basis);
  requireTaxFits(tax.lines, taxable);
  const taxed = withTax(facts, closed, tax);
  return { periods: withFacts(periods, taxed), closed: closeTogether(taxed), missing: null };
}

const withFacts = <Period extends PeriodToTax>(
  periods: readonly Period[],
  facts: readonly LoadedPeriod[],
): Period[] => periods.map((period, place) => ({ ...period, facts: facts[place] ?? period.facts }));

/** Puts a close off until its tax has come, and tells that it is wanted: once for each quote. */
export async function putOffForTax(
  tx: Tx,
  periods: readonly { readonly row: StoredSubscription; readonly agreed: { readonly period: Period } }[],
  { quote, standing, at }: { readonly quote: string; readonly standing: TaxStanding; readonly at: Instant },
): Promise<PeriodWaitsForTax> {
  const [first] = periods;
  invariant(first, "something is to be taxed");
  const dueAt = latestOf(periods.map((period) => dueAtOf(period, standing)));
  const waits = waitForTax(dueAt, at, standing);
  // Past its limit it is due again and again: the net for missed wake-ups takes it, and V12 shows it.
  for (const { row } of periods) {
    await updateSubscription(tx, row.id, { nextCloseAt: waits.overdueAt, closeWaitsFor: "tax" });
  }
  await tellTaxWanted(tx, first.row, { period: first.agreed.period, quote, at });
  return { ...waiting(waits), quote };
}

/** When a period could have been closed. After the end of a subscription, that is when late usage was due, which its row says, put off or not. */
function dueAtOf(
  { row, agreed }: { readonly row: StoredSubscription; readonly agreed: { readonly period: Period } },
  { waitDays }: Pick<TaxStanding, "waitDays">,
): Instant {
  const at = closableAt(row, agreed.period.end);
  const isPutOff = isBilledToItsEnd(row) && row.closeWaitsFor === "tax";
  return isPutOff ? instantOfEpochMs(at - waitDays * 86_400_000) : at;
}

/** The same for a period whose predecessor waits for tax: it cannot be closed before that one. */
export function waitForEarlier(row: StoredSubscription, period: Period, at: Instant): PeriodWaitsForTax {
  const { until } = waitForTax(graceAfter(row, period.end), at, usualTaxPolicy);
  return { ...waiting({ until, overdueAt: row.nextCloseAt ?? at }), quote: null };
}

const waiting = ({ until, overdueAt }: TaxWait) => ({
  outcome: "waiting" as const,
  waitsFor: "tax" as const,
  until: isoOf(until),
  overdueAt: isoOf(overdueAt),
});

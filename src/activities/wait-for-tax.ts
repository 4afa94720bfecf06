import { graceAfter } from "../db/billing/agreed-rows.ts";
import type { LoadedPeriod } from "../db/billing/period-facts.ts";
import type { StoredSeller } from "../db/billing/seller.ts";
import { type StoredSubscription, updateSubscription } from "../db/billing/subscriptions.ts";
import { type TaxStanding, taxStandingOf } from "../db/billing/tax-choices.ts";
import { findTaxGiven, taxedCycle, taxOf, taxQuoteOf } from "../db/billing/tax-given.ts";
import type { Tx } from "../db/database.ts";
import { tellTaxWanted } from "../db/notices/notices-of-facts.ts";
import { type Instant, isoOf, type Period } from "../domain/calendar/index.ts";
import {
  type ClosedPeriod,
  closePeriod,
  requireTaxFits,
  type TaxWait,
  taxableParts,
  usualTaxPolicy,
  waitForTax,
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

/** What a period comes to with its tax, or which tax is missing. */
export type TaxedPeriod =
  | { readonly facts: LoadedPeriod; readonly closed: ClosedPeriod; readonly missing: null }
  | { readonly missing: { readonly quote: string; readonly standing: TaxStanding } };

/** Puts the tax on a period's invoice that was given for exactly its lines. Nobody reckons tax: it is as it was. */
export async function taxedPeriod(
  tx: Tx,
  { id, customerId }: Pick<StoredSubscription, "id" | "customerId">,
  facts: LoadedPeriod,
  { at, seller }: { readonly at: Instant; readonly seller?: StoredSeller | null | undefined },
): Promise<TaxedPeriod> {
  const closed = closePeriod(facts);
  const standing = await taxStandingOf(tx, { customerId, at }, seller);
  if (standing.handling === "none") return { facts, closed, missing: null };
  const { basis } = standing;
  const parts = taxableParts(closed, basis);
  if (parts.length === 0) return { facts, closed, missing: null };
  const quote = taxQuoteOf(taxedCycle(id, facts.period), basis, parts);
  const given = await findTaxGiven(tx, customerId, quote);
  if (given === undefined) return { missing: { quote, standing } };
  const taxed = { ...facts, tax: taxOf(given, basis) };
  requireTaxFits(taxed.tax.lines, parts);
  return { facts: taxed, closed: closePeriod(taxed), missing: null };
}

/** Puts a close off until its tax has come, and tells that it is wanted: once for each quote. */
export async function putOffForTax(
  tx: Tx,
  row: StoredSubscription,
  period: Period,
  { quote, standing, at }: { readonly quote: string; readonly standing: TaxStanding; readonly at: Instant },
): Promise<PeriodWaitsForTax> {
  const waits = waitForTax(graceAfter(row, period.end), at, standing);
  // Past its limit it is due again and again: the net for missed wake-ups takes it, and V12 shows it.
  await updateSubscription(tx, row.id, { nextCloseAt: waits.overdueAt, closeWaitsFor: "tax" });
  await tellTaxWanted(tx, row, { period, quote, at });
  return { ...waiting(waits), quote };
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

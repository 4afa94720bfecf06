import { type AgreedPeriod, agreedBy, periodOf } from "../db/billing/agreed-period.ts";
import { movedOn } from "../db/billing/agreed-rows.ts";
import { findInvoice } from "../db/billing/invoices.ts";
import { type KnownCatalog, knownCatalog, metersKnown } from "../db/billing/known-catalog.ts";
import { completenessOf } from "../db/billing/period-completeness.ts";
import { loadPeriod } from "../db/billing/period-facts.ts";
import {
  lockedStanding,
  type PeriodStanding,
  type PeriodToRead,
  periodStanding,
} from "../db/billing/period-standing.ts";
import { termsOfRows } from "../db/billing/terms-histories.ts";
import { type Database, inSnapshot, inTransaction, type Tx } from "../db/database.ts";
import { type Instant, instant, isoOf } from "../domain/calendar/index.ts";
import { invariant } from "../domain/errors.ts";
import { SubscriptionRuleError } from "../domain/invoicing/index.ts";
import { withDueChanges } from "./apply-scheduled.ts";
import type { Issued } from "./issue-invoice.ts";
import { endDueGrants, keepUpGrants } from "./keep-up-grants.ts";
import { type Closing, storeClosing } from "./store-closing.ts";
import { type PeriodWaitsForTax, putOffForTax, taxedPeriod, waitForEarlier } from "./wait-for-tax.ts";
import { type PeriodWaits, type WaitingForUsage, waitForSources } from "./wait-for-usage.ts";

export interface ClosePeriodInput {
  readonly subscriptionId: string;
  readonly periodStart: string;
  /** When it is closed; what the invoice carries as its date. */
  readonly at: string;
  /** Somebody wants it closed now, whatever may still come of its usage. */
  readonly finalise?: boolean;
}

export type PeriodOutcome =
  | (Issued & { readonly outcome: "closed" | "closed_before" })
  | PeriodWaits
  | PeriodWaitsForTax;

/** An earlier period of the subscription is still open. Passes by itself: that period has a run of its own. */
export class PeriodOutOfOrderError extends Error {}

/**
 * Closes a period in one transaction: freezes the usage by a snapshot, rates it, applies credits,
 * posts, issues, and moves the subscription on. A period is closed once: whoever comes later is answered with what was
 * done, and may be told to collect it, which is harmless, because collecting is keyed by the invoice.
 * While usage is not complete, nothing is done, and it is said when to come again: until the limit. While tax is missing that is
 * reckoned outside, the same, without one.
 */
export async function closePeriodOnce(
  db: Database,
  input: ClosePeriodInput,
  waiting: WaitingForUsage,
): Promise<PeriodOutcome> {
  return await inTransaction(db, (tx) => closePeriodIn(db, tx, input, waiting));
}

/** The same in the caller's transaction, which may close periods of other customers at the same time. */
export async function closePeriodIn(
  db: Database,
  tx: Tx,
  input: ClosePeriodInput,
  waiting: WaitingForUsage,
): Promise<PeriodOutcome> {
  const { subscriptionId } = input;
  const start = instant(input.periodStart);
  const at = instant(input.at);
  const standing = await lockedPeriod(tx, { subscriptionId, start, asOf: at });
  const { row, closing } = standing;
  if (closing !== undefined) {
    return { outcome: "closed_before", ...(await issuedBefore(tx, closing.invoiceId)) };
  }
  if (row.billedThrough < start) {
    if (row.closeWaitsFor === "tax") return waitForEarlier(row, periodOf(row, start).period, at);
    throw new PeriodOutOfOrderError(`${subscriptionId} is billed through ${isoOf(row.billedThrough)} only`);
  }
  invariant(row.billedThrough === start, "periods are closed one after the other, each from its start");
  const agreed = await agreedOf(tx, standing, knownCatalog(db));
  // Before the snapshot: what a source vouches for here is then in it.
  const usage = await completenessOf(tx, row, agreed, at, standing.sources);
  const waits =
    input.finalise === true ? null : await waitForSources(tx, row, agreed, { usage, at, ...waiting });
  if (waits !== null) return waits;
  return await close(db, tx, standing, agreed, { usage, at });
}

/** What there is of a period once its customer is locked, and all that was agreed for then has been made. */
async function lockedPeriod(tx: Tx, of: PeriodToRead): Promise<PeriodStanding> {
  const { subscriptionId, start } = of;
  const standing = await lockedStanding(tx, of);
  if (standing === undefined) {
    throw new SubscriptionRuleError("subscription_not_found", `there is no subscription "${subscriptionId}"`);
  }
  const { row, nextScheduledAt } = standing;
  const { end } = periodOf(row, start).period;
  const isAhead = (at: Instant | null) => at !== null && at <= end;
  if (!isAhead(nextScheduledAt) && (row.status === "canceled" || !isAhead(row.cancelAt))) return standing;
  await withDueChanges(tx, row, start);
  return (await periodStanding(tx, of)) ?? standing;
}

async function agreedOf(tx: Tx, standing: PeriodStanding, known: KnownCatalog): Promise<AgreedPeriod> {
  const { row, isOnTestClock, metersPublished } = standing;
  const terms = await termsOfRows(tx, standing.terms, known.plans);
  const published = await metersKnown(tx, known, metersPublished);
  return await agreedBy(tx, row, row.billedThrough, { terms, isOnTestClock, published });
}

/** Closes the period that is next, which no usage has to be waited for. */
async function close(
  db: Database,
  tx: Tx,
  standing: PeriodStanding,
  agreed: AgreedPeriod,
  closing: Closing,
): Promise<PeriodOutcome> {
  const { row, isGrantDue, seller } = standing;
  const { at } = closing;
  if (isGrantDue) await keepUpGrants(tx, row.customerId, at);
  // Credit that was given or has ended since is not in what was read before.
  const options = isGrantDue ? {} : { standing };
  const loaded = await loadPeriod((read) => inSnapshot(db, read), tx, row, agreed, at, options);
  const taxed = await taxedPeriod(tx, row, loaded, { at, seller });
  if (taxed.missing !== null) return await putOffForTax(tx, row, agreed.period, { ...taxed.missing, at });
  const { facts, closed } = taxed;
  const issued = await storeClosing(tx, row, facts, closed, {
    ...closing,
    standing,
    movedOn: movedOn(row, agreed),
  });
  // What had run out of time in the period is drawn on no more.
  if (isGrantDue) await endDueGrants(tx, row.customerId, at);
  return { outcome: "closed", ...issued };
}

/** What was issued may still have to be collected: whoever closed the period can have died before saying so. */
async function issuedBefore(tx: Tx, invoiceId: string | null): Promise<Issued> {
  const invoice = invoiceId === null ? undefined : await findInvoice(tx, invoiceId);
  return { invoiceId, collect: invoice?.status === "open" };
}

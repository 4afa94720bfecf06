import { periodOf } from "../db/billing/agreed-period.ts";
import { isBilledToItsEnd, movedOn } from "../db/billing/agreed-rows.ts";
import { findInvoice } from "../db/billing/invoices.ts";
import { knownCatalog } from "../db/billing/known-catalog.ts";
import { lastLateInvoice, lateInvoiceCount } from "../db/billing/late-after-end.ts";
import { completenessOf } from "../db/billing/period-completeness.ts";
import { loadPeriod } from "../db/billing/period-facts.ts";
import { lockedStanding, type PeriodStanding, type PeriodToRead } from "../db/billing/period-standing.ts";
import { type Database, inSnapshot, inTransaction, type Tx } from "../db/database.ts";
import { type Instant, instant, isoOf } from "../domain/calendar/index.ts";
import { invariant } from "../domain/errors.ts";
import { SubscriptionRuleError } from "../domain/invoicing/index.ts";
import type { Issued } from "./issue-invoice.ts";
import { endDueGrants, keepUpGrants } from "./keep-up-grants.ts";
import { agreedOf, type PeriodDue, periodsDue, upToDate } from "./periods-due.ts";
import { type PeriodToStore, storeClosing } from "./store-closing.ts";
import { waitForGrace } from "./wait-for-grace.ts";
import { type PeriodWaitsForTax, putOffForTax, taxedPeriods, waitForEarlier } from "./wait-for-tax.ts";
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

/** An earlier period is still open: of the subscription, or of one that is on the same invoice. Passes by itself: that one has a run of its own. */
export class PeriodOutOfOrderError extends Error {}

/**
 * Closes a period in one transaction, with those of the customer's other subscriptions that are on the same invoice: freezes the
 * usage by a snapshot, rates it, applies credits, posts, issues, and moves the subscriptions on. A period is closed once: whoever
 * comes later, for whichever of them, is answered with what was
 * done, and may be told to collect it, which is harmless, because collecting is keyed by the invoice.
 * While usage is not complete, nothing is done, and it is said when to come again: until the limit. While tax is missing that is
 * reckoned outside, the same, without one. A subscription that has ended and is billed to its end is closed for what came late of
 * its periods, on an invoice of its own.
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
  const isAfterEnd = isBilledToItsEnd(row);
  if (isAfterEnd && row.nextCloseAt === null) {
    return { outcome: "closed_before", ...(await issuedBefore(tx, await lastLateInvoice(tx, row.id))) };
  }
  if (row.billedThrough < start) {
    if (row.closeWaitsFor === "tax") return waitForEarlier(row, periodOf(row, start).period, at);
    throw new PeriodOutOfOrderError(`${subscriptionId} is billed through ${isoOf(row.billedThrough)} only`);
  }
  invariant(row.billedThrough === start, "periods are closed one after the other, each from its start");
  const known = knownCatalog(db);
  const own = { standing, agreed: await agreedOf(tx, standing, known) };
  const { periods, behind } = await periodsDue(tx, own, at, known);
  const isAtOnce = input.finalise === true;
  const waitsForGrace = isAtOnce ? null : await waitForGrace(tx, periods, at);
  if (waitsForGrace !== null) return waitsForGrace;
  const [earlier] = behind;
  if (earlier !== undefined) {
    if (earlier.closeWaitsFor === "tax") return waitForEarlier(earlier, own.agreed.period, at);
    const message = `${earlier.id} has an earlier period to close first, and is invoiced together with ${subscriptionId}`;
    throw new PeriodOutOfOrderError(message);
  }
  // Before the snapshot: what a source vouches for here is then in it.
  const toClose = await Promise.all(
    periods.map(async (period) => {
      const { row: of, sources } = period.standing;
      const usage = await completenessOf(tx, of, period.agreed, at, sources);
      return { ...period, row: of, usage };
    }),
  );
  const waits = isAtOnce || isAfterEnd ? null : await waitForSources(tx, toClose, { at, ...waiting });
  return waits ?? (await close(db, tx, toClose, at));
}

/** What there is of a period once its customer is locked, and all that was agreed for then has been made. */
async function lockedPeriod(tx: Tx, of: PeriodToRead): Promise<PeriodStanding> {
  const { subscriptionId, start, asOf } = of;
  const standing = await lockedStanding(tx, of);
  if (standing === undefined) {
    throw new SubscriptionRuleError("subscription_not_found", `there is no subscription "${subscriptionId}"`);
  }
  const { row } = standing;
  if (row.billedThrough !== start) return standing;
  const [made] = await upToDate(tx, [standing], periodOf(row, start).period.end, asOf);
  return made ?? standing;
}

/** A period that is next, and how complete its usage is. */
type PeriodToClose = PeriodDue & Pick<PeriodToStore, "row" | "usage">;

/** Closes periods of one customer that no usage has to be waited for, in their order. */
async function close(
  db: Database,
  tx: Tx,
  periods: readonly PeriodToClose[],
  at: Instant,
): Promise<PeriodOutcome> {
  const [first] = periods;
  invariant(first, "a period is closed");
  const { customerId } = first.row;
  // Of the customer and the seller, so they are the same for all of them.
  const { isGrantDue, seller } = first.standing;
  if (isGrantDue) await keepUpGrants(tx, customerId, at);
  const toTax = await Promise.all(
    periods.map(async (period) => {
      const { row, agreed, standing } = period;
      // Credit that was given or has ended since is not in what was read before.
      const options = isGrantDue ? {} : { standing };
      const facts = await loadPeriod((read) => inSnapshot(db, read), tx, row, agreed, at, options);
      const revision = isBilledToItsEnd(row) ? await lateInvoiceCount(tx, row.id) : facts.revision;
      return { ...period, facts: { ...facts, revision }, movedOn: movedOn(row, agreed) };
    }),
  );
  const taxed = await taxedPeriods(tx, toTax, { at, seller });
  if (taxed.missing !== null) return await putOffForTax(tx, periods, { ...taxed.missing, at });
  const issued = await storeClosing(tx, taxed.periods, taxed.closed, { at });
  // What had run out of time in the period is drawn on no more.
  if (isGrantDue) await endDueGrants(tx, customerId, at);
  return { outcome: "closed", ...issued };
}

/** What was issued may still have to be collected: whoever closed the period can have died before saying so. */
async function issuedBefore(tx: Tx, invoiceId: string | null): Promise<Issued> {
  const invoice = invoiceId === null ? undefined : await findInvoice(tx, invoiceId);
  return { invoiceId, collect: invoice?.status === "open" };
}

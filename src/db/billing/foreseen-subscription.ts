import type { Instant, Period } from "../../domain/calendar/index.ts";
import { invariant } from "../../domain/errors.ts";
import type { ClosedTogether, InvoiceLine, Terms } from "../../domain/invoicing/index.ts";
import type { Tx } from "../database.ts";
import { advanceLinesAmong, invoicedInAdvance, type StoredAdvanceLine } from "./advance-lines.ts";
import type { AgreedPeriod } from "./agreed-period.ts";
import { movedOn } from "./agreed-rows.ts";
import { chargingInvoices } from "./charging-invoices.ts";
import { type ForeseenInvoice, foreseenCharging } from "./foreseen-charges.ts";
import type { ChangeStanding } from "./planned-change.ts";
import { agreedCancellation, pendingChanges, type ScheduledChange } from "./scheduled-changes.ts";
import { linesOfChanges, type StoredSubscription, termsHistory } from "./subscriptions.ts";

/** A subscription as it will stand when what was agreed for later has come, until some instant; nothing of that is stored. */
export interface ForeseenSubscription {
  readonly row: StoredSubscription;
  /** All that was agreed, ascending. */
  readonly terms: readonly Terms[];
  /** What is still to come, in the order of its time. */
  readonly ahead: readonly ScheduledChange[];
  /** The end that is agreed. */
  readonly cancellation: ScheduledChange | undefined;
  /** On invoices that will have been issued by then, besides those that are. */
  readonly invoiced: readonly InvoiceLine[];
  /** The same as they will have been issued, the oldest first. */
  readonly issued: readonly ForeseenInvoice[];
  /** Of changes, for the invoice of the period. */
  readonly waiting: readonly InvoiceLine[];
  /** What credit notes gave back of its end. */
  readonly returned: readonly InvoiceLine[];
}

/** As it stands now. */
export async function foreseenSubscription(tx: Tx, row: StoredSubscription): Promise<ForeseenSubscription> {
  const [terms, ahead, cancellation, ofChanges] = await Promise.all([
    termsHistory(tx, row.id),
    pendingChanges(tx, row.id),
    agreedCancellation(tx, row.id),
    linesOfChanges(tx, row.id),
  ]);
  return { row, terms, ahead, cancellation, invoiced: [], issued: [], ...ofChanges };
}

/** When the next of what was agreed for later comes; null when nothing does. */
export function nextDueOf({ row, ahead }: ForeseenSubscription): Instant | null {
  if (row.status === "canceled") return null;
  const [next] = ahead;
  if (next === undefined) return row.cancelAt;
  return row.cancelAt !== null && row.cancelAt <= next.effectiveAt ? row.cancelAt : next.effectiveAt;
}

/** With an invoice that it will have been issued. */
export const withInvoice = (
  subscription: ForeseenSubscription,
  invoice: ForeseenInvoice,
): ForeseenSubscription => ({ ...subscription, issued: [...subscription.issued, invoice] });

/** When its period has been closed, on an invoice whose part it has. */
export function afterClosing(
  { row, invoiced, ...subscription }: ForeseenSubscription,
  agreed: AgreedPeriod,
  { parts, totals }: ClosedTogether,
  place: number,
): ForeseenSubscription {
  const before = parts.slice(0, place).flatMap(({ lines }) => lines).length;
  const own = parts[place]?.lines ?? [];
  const invoice = {
    lines: parts.flatMap(({ lines }) => lines),
    own: { from: before, to: before + own.length },
    totals,
  };
  const { billedThrough, nextCloseAt } = movedOn(row, agreed);
  const closed = {
    row: { ...row, billedThrough, nextCloseAt },
    invoiced: [...invoiced, ...own],
    waiting: [],
  };
  return withInvoice({ ...subscription, ...closed }, invoice);
}

/** What was charged in advance for time in a period. */
export async function advanceOf(
  tx: Tx,
  { row, invoiced, waiting, returned }: ForeseenSubscription,
  period: Period,
): Promise<StoredAdvanceLine[]> {
  const foreseen = invoiced.filter(({ earning }) => earning === "deferred");
  const stored = await invoicedInAdvance(tx, row.id, period);
  return advanceLinesAmong([...stored, ...foreseen], { waiting, returned }, period);
}

/** What a change of it finds. */
export function standingOf(tx: Tx, subscription: ForeseenSubscription): ChangeStanding {
  const terms = subscription.terms.at(-1);
  invariant(terms, "a subscription has terms");
  return {
    terms,
    advanceIn: (period) => advanceOf(tx, subscription, period),
    waiting: subscription.waiting,
    chargedOn: async (period) => [
      ...foreseenCharging(subscription.issued, period),
      ...(await chargingInvoices(tx, subscription.row.id, period)),
    ],
  };
}

import { advanceByProduct } from "../db/billing/advance-lines.ts";
import { type AgreedPeriod, agreedPeriod } from "../db/billing/agreed-period.ts";
import { insertReturns } from "../db/billing/credit-draws.ts";
import { factsOfPeriod } from "../db/billing/invoice-facts.ts";
import { findInvoice } from "../db/billing/invoices.ts";
import { type BilledAgain, type LoadedPeriod, loadPeriod } from "../db/billing/period-facts.ts";
import { closingRun, type RunToStore } from "../db/billing/rating-runs.ts";
import {
  type StoredSubscription,
  settleWaitingChanges,
  updateSubscription,
} from "../db/billing/subscriptions.ts";
import { type Database, inSnapshot, inTransaction, type Tx } from "../db/database.ts";
import { addDuration, type Instant, instant, isoOf, type Period } from "../domain/calendar/index.ts";
import { invariant } from "../domain/errors.ts";
import {
  type ClosedPeriod,
  closePeriod,
  closingEntries,
  correctionIdOf,
  cycleIdOf,
  type UsageCompleteness,
} from "../domain/invoicing/index.ts";
import type { JournalEntryDraft } from "../domain/ledger/index.ts";
import { lockedSubscription } from "./apply-change.ts";
import { withDueChanges } from "./apply-scheduled.ts";
import { type Issued, invoiceIdOf, issueInvoice, nothingIssued, storeIssued } from "./issue-invoice.ts";
import { endDueGrants, keepUpGrants } from "./keep-up-grants.ts";
import { completenessOf, type PeriodWaits, type WaitingForUsage, waitForSources } from "./wait-for-usage.ts";

export interface ClosePeriodInput {
  readonly subscriptionId: string;
  readonly periodStart: string;
  /** When it is closed; what the invoice carries as its date. */
  readonly at: string;
}

export type PeriodOutcome = (Issued & { readonly outcome: "closed" | "closed_before" }) | PeriodWaits;

/** An earlier period of the subscription is still open. Passes by itself: that period has a run of its own. */
export class PeriodOutOfOrderError extends Error {}

/**
 * Closes a period in one transaction: freezes the usage by a snapshot, rates it, applies credits,
 * posts, issues, and moves the subscription on. A period is closed once: whoever comes later is answered with what was
 * done, and may be told to collect it, which is harmless, because collecting is keyed by the invoice.
 * While usage is not complete, nothing is done, and it is said when to come again: until the limit.
 */
export async function closePeriodOnce(
  db: Database,
  input: ClosePeriodInput,
  waiting: WaitingForUsage,
): Promise<PeriodOutcome> {
  const { subscriptionId } = input;
  const start = instant(input.periodStart);
  const at = instant(input.at);
  return await inTransaction(db, async (tx) => {
    const row = await withDueChanges(tx, await lockedSubscription(tx, subscriptionId), start);
    const [before, agreed] = await Promise.all([
      closingRun(tx, subscriptionId, start),
      agreedPeriod(tx, row, start),
    ]);
    if (before !== undefined) {
      return { outcome: "closed_before" as const, ...(await issuedBefore(tx, before.invoiceId)) };
    }
    if (row.billedThrough < start) {
      throw new PeriodOutOfOrderError(`${subscriptionId} is billed through ${isoOf(row.billedThrough)} only`);
    }
    invariant(row.billedThrough === start, "periods are closed one after the other, each from its start");
    // Before the snapshot: what a source vouches for here is then in it.
    const usage = await completenessOf(tx, row, agreed, at);
    const waits = await waitForSources(tx, row, agreed, { usage, at, ...waiting });
    if (waits !== null) return waits;
    await keepUpGrants(tx, row.customerId, at);
    const facts = await loadPeriod((read) => inSnapshot(db, read), tx, row, agreed, at);
    const issued = await storeClosing(tx, row, facts, closePeriod(facts), { usage, at });
    await moveOn(tx, row, agreed);
    // What had run out of time in the period is drawn on no more.
    await endDueGrants(tx, row.customerId, at);
    return { outcome: "closed" as const, ...issued };
  });
}

/** What was issued may still have to be collected: whoever closed the period can have died before saying so. */
async function issuedBefore(tx: Tx, invoiceId: string | null): Promise<Issued> {
  const invoice = invoiceId === null ? undefined : await findInvoice(tx, invoiceId);
  return { invoiceId, collect: invoice?.status === "open" };
}

/** When and how complete a period is closed; anew, where its invoice is voided. */
export interface Closing {
  readonly usage: UsageCompleteness;
  readonly at: Instant;
  readonly again?: BilledAgain;
}

/** Issues what a period comes to, books it and keeps its rating, in the caller's transaction. */
export async function storeClosing(
  tx: Tx,
  row: StoredSubscription,
  facts: LoadedPeriod,
  closed: ClosedPeriod,
  { usage, at, again }: Closing,
): Promise<Issued> {
  const { period, currency, grants, late, newEvents } = facts;
  const { id: subscriptionId, customerId } = row;
  const { revision } = facts;
  const sourceKey = `cycle/${cycleIdOf(subscriptionId, period, revision)}`;
  const id = invoiceIdOf(sourceKey);
  const identity = { invoiceId: id, customerId, subscriptionId, currency, issuedAt: at };
  const entries = closingEntries(
    {
      ...identity,
      period,
      grantKinds: new Map(grants.map((grant) => [grant.id, grant.kind])),
      revision,
      revisionOf: revisionsOf(facts),
      // What was charged in advance has been earned when the period was closed first.
      advance: again === undefined ? advanceByProduct(facts.advanceLines, currency) : [],
    },
    closed,
  );
  const { lines, totals } = closed;
  const isAnything = lines.length > 0 || newEvents > 0n || late.length > 0;
  const invoice = {
    id,
    sourceKey,
    kind: "cycle" as const,
    customerId,
    subscriptionId,
    period,
    lines,
    totals,
    usage,
    issuedAt: at,
    facts: factsOfPeriod(facts),
    ...(again === undefined ? {} : { replaces: again.voided.id }),
  };
  const invoiceId = isAnything ? id : null;
  const runs = runsOf(subscriptionId, facts, closed, { invoiceId, ratedAt: at });
  const [issued] = await Promise.all([
    // Without an invoice there may still be something to book: what was charged in advance has now been earned.
    isAnything ? issueInvoice(tx, invoice, entries, { runs }) : storeWithoutInvoice(tx, entries, runs),
    storeReturns(tx, subscriptionId, facts, closed, at),
    invoiceId === null || again !== undefined ? null : settleWaitingChanges(tx, subscriptionId, invoiceId),
  ]);
  return issued;
}

async function storeWithoutInvoice(
  tx: Tx,
  entries: readonly JournalEntryDraft[],
  runs: readonly RunToStore[],
): Promise<Issued> {
  await storeIssued(tx, { invoice: null, entries, runs });
  return nothingIssued;
}

/** The period's own rating, and a further revision of every earlier period that has had usage since. */
function runsOf(
  subscriptionId: string,
  facts: LoadedPeriod,
  closed: ClosedPeriod,
  issued: { readonly invoiceId: string | null; readonly ratedAt: Instant },
): RunToStore[] {
  const run = { subscriptionId, snapshot: facts.snapshot, ...issued };
  const late = facts.late.map(
    (earlier, index): RunToStore => ({
      ...run,
      period: earlier.period,
      revision: earlier.run.last.revision + 1,
      kind: "late",
      afterRevision: earlier.run.revision,
      eventCount: earlier.newEvents,
      rated: closed.late[index]?.rated ?? [],
      adjusted: closed.late[index]?.adjusted ?? [],
      meters: earlier.meters,
    }),
  );
  return [ownRun(facts, closed, { ...run, kind: "closing" }), ...late];
}

function ownRun(
  { period, newEvents, meters, revision, afterRevision }: LoadedPeriod,
  { rated, adjusted }: ClosedPeriod,
  run: Pick<RunToStore, "subscriptionId" | "snapshot" | "invoiceId" | "ratedAt" | "kind">,
): RunToStore {
  return { ...run, revision, afterRevision, eventCount: newEvents, period, rated, adjusted, meters };
}

/** What usage, corrected or come late, gave back to who had paid. */
async function storeReturns(
  tx: Tx,
  subscriptionId: string,
  facts: LoadedPeriod,
  closed: ClosedPeriod,
  at: Instant,
): Promise<void> {
  const corrections = [closed.rest, ...closed.corrections].filter((correction) => correction !== null);
  const revisionOf = revisionsOf(facts);
  for (const { period, givenBack } of corrections) {
    const id = correctionIdOf(subscriptionId, period, revisionOf(period));
    const returned = givenBack.flatMap((given) => given.returned);
    await insertReturns(tx, { type: "usage_correction", id }, returned, at);
  }
}

/** Of the run that rates a period now: its own, or one that has had usage since it was closed. */
export const revisionsOf =
  ({ period, revision, late }: LoadedPeriod) =>
  (of: Period): number =>
    of.start === period.start
      ? revision
      : 1 + (late.find(({ run }) => run.periodStart === of.start)?.run.last.revision ?? -1);

/** The rating of a period by an invoice of its own, and what that gave back to who had paid at thresholds. */
export async function storeOwnRun(
  tx: Tx,
  facts: LoadedPeriod,
  closed: ClosedPeriod,
  run: Pick<RunToStore, "subscriptionId" | "snapshot" | "invoiceId" | "ratedAt" | "kind">,
): Promise<void> {
  await storeIssued(tx, { invoice: null, entries: [], runs: [ownRun(facts, closed, run)] });
  await storeReturns(tx, run.subscriptionId, facts, closed, run.ratedAt);
}

async function moveOn(
  tx: Tx,
  row: StoredSubscription,
  { period, followingEnd }: Pick<AgreedPeriod, "period" | "followingEnd">,
): Promise<void> {
  // An end that was agreed meanwhile may lie inside the next period.
  const end =
    followingEnd === null || row.cancelAt === null || row.cancelAt > followingEnd
      ? followingEnd
      : row.cancelAt;
  await updateSubscription(tx, row.id, {
    billedThrough: period.end,
    nextCloseAt: end === null ? null : addDuration(end, { seconds: row.graceSeconds }, "UTC"),
  });
}

import { advanceByProduct } from "../db/billing/advance-lines.ts";
import { insertReturns } from "../db/billing/credit-draws.ts";
import { factsOfPeriod } from "../db/billing/invoice-facts.ts";
import type { IssuedRows, MovedOn } from "../db/billing/issued-rows.ts";
import type { BilledAgain, LoadedPeriod } from "../db/billing/period-facts.ts";
import type { PeriodStanding } from "../db/billing/period-standing.ts";
import type { RunToStore } from "../db/billing/rating-runs.ts";
import { type StoredSubscription, settleWaitingChanges } from "../db/billing/subscriptions.ts";
import { insertInvoiceTax } from "../db/billing/tax-given.ts";
import type { Tx } from "../db/database.ts";
import type { Instant, Period } from "../domain/calendar/index.ts";
import {
  type ClosedPeriod,
  closingEntries,
  correctionIdOf,
  cycleIdOf,
  type UsageCompleteness,
} from "../domain/invoicing/index.ts";
import { type Issued, invoiceIdOf, issueInvoice, nothingIssued, storeIssued } from "./issue-invoice.ts";

/** When and how complete a period is closed; anew, where its invoice is voided. */
export interface Closing {
  readonly usage: UsageCompleteness;
  readonly at: Instant;
  readonly again?: BilledAgain;
  /** What was read of the period before. */
  readonly standing?: PeriodStanding;
  readonly movedOn?: MovedOn;
}

/** Issues what a period comes to, books it and keeps its rating, in the caller's transaction. */
export async function storeClosing(
  tx: Tx,
  row: StoredSubscription,
  facts: LoadedPeriod,
  closed: ClosedPeriod,
  { usage, at, again, standing, movedOn }: Closing,
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
    isAnything
      ? issueInvoice(tx, invoice, entries, { runs, movedOn, seller: standing?.seller })
      : storeWithoutInvoice(tx, { invoice: null, entries, runs, movedOn, seller: standing?.seller }),
    storeReturns(tx, subscriptionId, facts, closed, at),
    invoiceId === null || again !== undefined || standing?.changes.length === 0
      ? null
      : settleWaitingChanges(tx, subscriptionId, invoiceId),
  ]);
  if (invoiceId !== null && facts.tax !== undefined) await insertInvoiceTax(tx, invoiceId, facts.tax);
  return issued;
}

async function storeWithoutInvoice(tx: Tx, toStore: IssuedRows): Promise<Issued> {
  await storeIssued(tx, toStore);
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

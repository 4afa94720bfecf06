import { advanceByProduct } from "../db/billing/advance-lines.ts";
import { insertReturns } from "../db/billing/credit-draws.ts";
import { factsOfPeriod } from "../db/billing/invoice-facts.ts";
import type { IssuedRows, MovedOn } from "../db/billing/issued-rows.ts";
import type { BilledAgain, LoadedPeriod } from "../db/billing/period-facts.ts";
import type { PeriodStanding } from "../db/billing/period-standing.ts";
import type { RunToStore } from "../db/billing/rating-runs.ts";
import { billReserved } from "../db/billing/reserved-credit.ts";
import { type StoredSubscription, settleWaitingChanges } from "../db/billing/subscriptions.ts";
import { insertInvoiceTax } from "../db/billing/tax-given.ts";
import type { Tx } from "../db/database.ts";
import type { InvoiceKind } from "../db/schema/billing.ts";
import type { Instant, Period } from "../domain/calendar/index.ts";
import { invariant } from "../domain/errors.ts";
import {
  billedTime,
  type ClosedPart,
  type ClosedTogether,
  type ClosingOf,
  correctionIdOf,
  cycleIdOf,
  entriesTogether,
  grantsLeft,
  isOfNoTime,
  type UsageCompleteness,
} from "../domain/invoicing/index.ts";
import { type Issued, invoiceIdOf, issueInvoice, nothingIssued, storeIssued } from "./issue-invoice.ts";

/** A period that is closed: of one subscription, on an invoice of its own or together with others. */
export interface PeriodToStore {
  readonly row: StoredSubscription;
  readonly facts: LoadedPeriod;
  /** How complete it is closed. */
  readonly usage: UsageCompleteness;
  /** What was read of the period before. */
  readonly standing?: PeriodStanding;
  readonly movedOn?: MovedOn;
}

/** When periods are closed; anew, where their invoice is voided. */
export interface Closing {
  readonly at: Instant;
  readonly again?: BilledAgain;
}

/** A period with what it came to. */
type StoredPeriod = PeriodToStore & { readonly closed: ClosedPart };

/** Issues what periods of one customer come to, books it and keeps their ratings, in the caller's transaction. */
export async function storeClosing(
  tx: Tx,
  toStore: readonly PeriodToStore[],
  { parts, totals }: ClosedTogether,
  { at, again }: Closing,
): Promise<Issued> {
  const periods = toStore.flatMap((period, place): StoredPeriod[] => {
    const closed = parts[place];
    return closed === undefined ? [] : [{ ...period, closed }];
  });
  const invoiced = periods.filter(isAnything);
  // Named by the first period that it bills, which no other invoice does.
  const [named] = [...invoiced, ...periods];
  invariant(named, "something is closed");
  const { customerId } = named.row;
  const sourceKey = `cycle/${cycleIdOf(named.row.id, named.facts.period, named.facts.revision)}`;
  const id = invoiceIdOf(sourceKey);
  const identity = { invoiceId: id, customerId, currency: named.facts.currency, issuedAt: at };
  const entries = entriesTogether(
    identity,
    periods.map((period) => ({ of: closingOf(period, again), closed: period.closed })),
    totals,
  );
  const invoice = {
    ...{ id, sourceKey, kind: kindOf(named), customerId, totals, issuedAt: at },
    parts: invoiced.map(partOf),
    ...(again === undefined ? {} : { replaces: again.voided.id }),
  };
  const runs = periods.flatMap((period) =>
    runsOf(period, { invoiceId: invoiced.includes(period) ? id : null, ratedAt: at }),
  );
  const movedOn = periods.flatMap((period) => period.movedOn ?? []);
  const seller = named.standing?.seller;
  const creditLeft = grantsLeft(named.facts.grants, { parts, totals });
  const waited = again === undefined ? invoiced.filter(({ standing }) => standing?.changes.length !== 0) : [];
  for (const { row, facts } of periods) {
    await billReserved(tx, row.id, facts.reserved ?? [], { at, revisionOf: revisionsOf(facts) });
  }
  const [issued] = await Promise.all([
    // Without an invoice there may still be something to book: what was charged in advance has now been earned.
    invoiced.length > 0
      ? issueInvoice(tx, invoice, entries, { runs, movedOn, seller, creditLeft })
      : storeWithoutInvoice(tx, { invoice: null, entries, runs, movedOn, seller }),
    ...periods.map(({ row, facts, closed }) => storeReturns(tx, row.id, facts, closed, at)),
    ...waited.map(({ row }) => settleWaitingChanges(tx, row.id, id)),
  ]);
  const tax = taxOfPeriods(periods);
  if (invoiced.length > 0 && tax !== undefined) await insertInvoiceTax(tx, id, tax);
  return issued;
}

/** After the end there is no period: what came late is invoiced by itself. */
const kindOf = ({ facts: { period } }: StoredPeriod): InvoiceKind =>
  isOfNoTime(period) ? "late_usage" : "cycle";

const taxOfPeriods = (periods: readonly StoredPeriod[]) =>
  periods.find(({ facts }) => facts.tax !== undefined)?.facts.tax;

const isAnything = ({ closed: { lines }, facts: { newEvents, late } }: StoredPeriod): boolean =>
  lines.length > 0 || newEvents > 0n || late.length > 0;

const partOf = ({ row, facts, usage, closed: { lines } }: StoredPeriod) => ({
  ...{ subscriptionId: row.id, period: billedTime(facts), lines },
  ...(isOfNoTime(facts.period) ? {} : { usage }),
  facts: factsOfPeriod(facts),
});

function closingOf({ row, facts }: StoredPeriod, again: BilledAgain | undefined): ClosingOf {
  const { period, currency, grants, revision } = facts;
  return {
    subscriptionId: row.id,
    period,
    grantKinds: new Map(grants.map((grant) => [grant.id, grant.kind])),
    revision,
    revisionOf: revisionsOf(facts),
    // What was charged in advance has been earned when the period was closed first.
    advance: again === undefined && !isOfNoTime(period) ? advanceByProduct(facts.advanceLines, currency) : [],
  };
}

async function storeWithoutInvoice(tx: Tx, toStore: IssuedRows): Promise<Issued> {
  await storeIssued(tx, toStore);
  return nothingIssued;
}

/** The period's own rating, and a further revision of every earlier period that has had usage since. */
function runsOf(
  { row: { id: subscriptionId }, facts, closed }: StoredPeriod,
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
  return isOfNoTime(facts.period) ? late : [ownRun(facts, closed, { ...run, kind: "closing" }), ...late];
}

function ownRun(
  { period, newEvents, meters, revision, afterRevision }: LoadedPeriod,
  { rated, adjusted }: ClosedPart,
  run: Pick<RunToStore, "subscriptionId" | "snapshot" | "invoiceId" | "ratedAt" | "kind">,
): RunToStore {
  return { ...run, revision, afterRevision, eventCount: newEvents, period, rated, adjusted, meters };
}

/** What usage, corrected or come late, gave back to who had paid. */
async function storeReturns(
  tx: Tx,
  subscriptionId: string,
  facts: LoadedPeriod,
  closed: ClosedPart,
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
  closed: ClosedPart,
  run: Pick<RunToStore, "subscriptionId" | "snapshot" | "invoiceId" | "ratedAt" | "kind">,
): Promise<void> {
  await storeIssued(tx, { invoice: null, entries: [], runs: [ownRun(facts, closed, run)] });
  await storeReturns(tx, run.subscriptionId, facts, closed, run.ratedAt);
}

import { and, asc, eq } from "drizzle-orm";
import { type Period, periodIndexAt } from "../../domain/calendar/index.ts";
import { invariant } from "../../domain/errors.ts";
import {
  addUpInvoice,
  type BilledBefore,
  billedTime,
  billSoFar,
  type ClosedTogether,
  closeTogether,
  type InvoiceLine,
  type InvoiceTotals,
  isOfNoTime,
  type LatePeriod,
  type PeriodFacts,
  pricedTerms,
} from "../../domain/invoicing/index.ts";
import type { Tx } from "../database.ts";
import { ratingRun } from "../schema/billing.ts";
import { publishedMeters, type StoredMeter } from "../usage/meters-in-force.ts";
import { activationLines, changeLines, purchaseLines, waitingLines } from "./fact-lines.ts";
import {
  type LatePeriodSeen,
  type MeansSeen,
  type PeriodSeen,
  type UsageSeen,
  usageSeen,
} from "./invoice-facts.ts";
import { type PartToStore, partsOfInvoice, type StoredPart } from "./invoice-parts.ts";
import type { StoredInvoice } from "./invoices.ts";
import { type MeasuredPeriod, periodUsage } from "./period-usage.ts";
import { bookedAdjustments } from "./rated-adjustments.ts";
import { bookedUsage, type StoredRun } from "./rating-runs.ts";
import { anchorsOf, findSubscription, termsHistory } from "./subscriptions.ts";
import { derivedTaxQuote } from "./tax-given.ts";
import { usageUntil } from "./usage-until.ts";

/** An invoice as it follows from the facts that decided it. */
export interface DerivedInvoice {
  readonly parts: readonly PartToStore[];
  readonly totals: InvoiceTotals;
  /** What the meters read, beside what was kept of it at issue. */
  readonly usage: { readonly found: readonly UsageSeen[]; readonly kept: readonly UsageSeen[] };
  /** The quote of its taxable lines, beside that of the tax that it was issued with. */
  readonly taxQuote?: { readonly found: string; readonly kept: string };
}

/** Why an invoice cannot be derived again: then nothing is known, neither good nor bad. */
export class NotDerivableError extends Error {}

/**
 * Derives an issued invoice again: from the usage that its rating saw, the versions of plans and meters, what was agreed, and
 * what was known of the customer's money then; with the functions that made it.
 * @throws NotDerivableError where something it followed from is not there
 */
export async function deriveInvoice(tx: Tx, invoice: StoredInvoice): Promise<DerivedInvoice> {
  const parts = await partsOfInvoice(tx, invoice.id);
  const [first] = parts;
  if (first?.facts === undefined) {
    throw new NotDerivableError("what was known when it was issued was not kept");
  }
  if (first.facts.kind === "period") return await derivePeriods(tx, invoice, parts);
  const { lines, totals } = addUpInvoice(await givenLines(tx, invoice, first.facts), first.facts.means);
  return { parts: [{ ...periodOfPart(first), lines }], totals, usage: { found: [], kept: [] } };
}

const periodOfPart = ({ subscriptionId, periodStart, periodEnd }: StoredPart) => ({
  subscriptionId,
  period: periodStart === null || periodEnd === null ? null : { start: periodStart, end: periodEnd },
});

/** An invoice that closes periods, or bills the first one's usage so far. */
async function derivePeriods(
  tx: Tx,
  invoice: StoredInvoice,
  parts: readonly StoredPart[],
): Promise<DerivedInvoice> {
  const derived: PeriodAgain[] = [];
  for (const { subscriptionId, facts } of parts) {
    invariant(subscriptionId !== null && facts?.kind === "period", "each part is of a subscription's period");
    derived.push(await periodAgain(tx, { ...invoice, subscriptionId }, facts));
  }
  const facts = derived.map((each) => each.facts);
  const closed = invoice.kind === "threshold" ? soFarAgain(facts) : closeTogether(facts);
  return {
    parts: closed.parts.map(({ lines }, place) => ({
      subscriptionId: parts[place]?.subscriptionId ?? null,
      period: billedTimeOf(facts[place]),
      lines,
    })),
    totals: closed.totals,
    usage: { found: derived.flatMap((each) => each.found), kept: derived.flatMap((each) => each.kept) },
    ...derivedTaxQuote(parts, facts, closed),
  };
}

const billedTimeOf = (facts: PeriodFacts | undefined): Period | null =>
  facts === undefined ? null : billedTime(facts);

function soFarAgain(facts: readonly PeriodFacts[]): ClosedTogether {
  const [first] = facts;
  invariant(first, "a threshold is of a period");
  const { totals, ...part } = billSoFar(first);
  return { parts: [part], totals };
}

/** The lines of an invoice that follow from one fact. */
async function givenLines(
  tx: Tx,
  invoice: StoredInvoice,
  { means }: MeansSeen,
): Promise<readonly InvoiceLine[]> {
  switch (invoice.kind) {
    case "activation":
      return await activationLines(tx, invoice);
    case "proration":
      return await changeLines(tx, invoice);
    case "credit_purchase":
      return await purchaseLines(tx, invoice, means.asOf);
    default:
      throw new NotDerivableError(`nobody knows what an invoice of the kind ${invoice.kind} follows from`);
  }
}

/** What decided a part, read again. */
interface PeriodAgain {
  readonly facts: PeriodFacts;
  readonly found: readonly UsageSeen[];
  readonly kept: readonly UsageSeen[];
}

/** The invoice as one of a subscription's. */
type InvoiceOfPart = StoredInvoice & { readonly subscriptionId: string };

async function periodAgain(tx: Tx, invoice: InvoiceOfPart, seen: PeriodSeen): Promise<PeriodAgain> {
  const { subscriptionId, customerId } = invoice;
  const subscription = await findSubscription(tx, subscriptionId);
  invariant(subscription, "the subscription of an invoice exists");
  const published = await publishedMeters(tx);
  const metersOf = (numbers: readonly number[]) => published.filter(({ number }) => numbers.includes(number));
  const terms = (await termsHistory(tx, subscriptionId)).filter(({ effectiveAt }) =>
    seen.termsAt.includes(effectiveAt),
  );
  if (terms.length < seen.termsAt.length) throw new NotDerivableError("terms that were agreed are gone");
  const runs = await runsOf(tx, invoice);
  const { period } = seen.known;
  const measured = (of: Period, meters: readonly StoredMeter[]): MeasuredPeriod => ({
    customerId,
    terms: pricedTerms(terms, periodIndexAt(anchorsOf(subscription), of.start)),
    period: of,
    meters,
    visibleIn: runOf(runs, of).snapshot,
    ...(invoice.kind === "threshold" ? { levelsUntil: seen.known.asOf } : {}),
  });
  const meters = metersOf(seen.meters);
  // What came after the end of a subscription was rated in earlier periods only.
  const own = isOfNoTime(period) ? null : runOf(runs, period);
  const usage = own === null ? [] : await periodUsage(tx, measured(period, meters));
  const late: LatePeriod[] = [];
  const found: UsageSeen[] = usageSeen(usage, meters);
  for (const earlier of seen.late) {
    const again = await lateAgain(tx, earlier, runOf(runs, earlier.period), {
      currency: invoice.currency,
      measured: measured(earlier.period, metersOf(earlier.meters)),
    });
    late.push(again);
    found.push(...usageSeen(again.usage, again.meters));
  }
  const waiting = await waitingLines(tx, invoice);
  const until =
    own === null
      ? []
      : await usageUntil(tx, measured(period, meters), seen.usageUntil, await runBefore(tx, own));
  const before =
    own?.afterRevision == null
      ? {}
      : { before: { ...seen.before, ...(await bookedBefore(tx, own, invoice.currency)) } };
  const facts = { ...seen.known, terms, meters, usage, ...before, late, waiting, usageUntil: until };
  return { facts, found, kept: seen.usage };
}

async function lateAgain(
  tx: Tx,
  seen: LatePeriodSeen,
  run: StoredRun,
  { currency, measured }: { readonly currency: string; readonly measured: MeasuredPeriod },
): Promise<LatePeriod & { readonly meters: readonly StoredMeter[] }> {
  return {
    ...seen,
    meters: measured.meters,
    usage: await periodUsage(tx, measured),
    usageUntil: await usageUntil(tx, measured, seen.usageUntil, await runBefore(tx, run)),
    ...(await bookedBefore(tx, run, currency)),
  };
}

/** The run that a run bills the difference to; null where it bills the period from nothing. */
async function runBefore(tx: Tx, run: StoredRun): Promise<StoredRun | null> {
  if (run.afterRevision === null) return null;
  const { subscriptionId, periodStart, revision } = ratingRun;
  const [before] = await tx
    .select()
    .from(ratingRun)
    .where(
      and(
        eq(subscriptionId, run.subscriptionId),
        eq(periodStart, run.periodStart),
        eq(revision, run.afterRevision),
      ),
    );
  if (before === undefined) throw new NotDerivableError("a rating that it builds on is gone");
  return before;
}

/** What the run came to that a run bills the difference to. */
async function bookedBefore(
  tx: Tx,
  run: StoredRun,
  currency: string,
): Promise<Pick<BilledBefore, "booked" | "adjusted">> {
  invariant(run.afterRevision !== null, "a difference is one to what was billed before");
  const before = { ...run, revision: run.afterRevision };
  return {
    booked: await bookedUsage(tx, before),
    adjusted: await bookedAdjustments(tx, before, currency),
  };
}

async function runsOf(tx: Tx, { id, subscriptionId }: InvoiceOfPart): Promise<StoredRun[]> {
  return await tx
    .select()
    .from(ratingRun)
    .where(and(eq(ratingRun.subscriptionId, subscriptionId), eq(ratingRun.invoiceId, id)))
    .orderBy(asc(ratingRun.periodStart), asc(ratingRun.revision));
}

function runOf(runs: readonly StoredRun[], { start }: Period): StoredRun {
  const run = runs.find(({ periodStart }) => periodStart === start);
  if (run === undefined) throw new NotDerivableError("the rating that it bills is gone");
  return run;
}

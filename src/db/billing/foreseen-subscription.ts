import { type Instant, instant, type Period } from "../../domain/calendar/index.ts";
import { BillingError, invariant } from "../../domain/errors.ts";
import type { InvoiceLine, Terms } from "../../domain/invoicing/index.ts";
import type { SubscriptionChange } from "../../workflows/messages.ts";
import type { Tx } from "../database.ts";
import { advanceLinesAmong, invoicedInAdvance, type StoredAdvanceLine } from "./advance-lines.ts";
import { endedAt, reanchored, statusAfter } from "./agreed-rows.ts";
import { admitScheduled, plannedBoundary } from "./planned-boundary.ts";
import { type ChangeStanding, type PlannedChange, plannedChange } from "./planned-change.ts";
import { requestedChange, requireAsQuoted } from "./requested-change.ts";
import { agreedCancellation, pendingChanges, type ScheduledChange } from "./scheduled-changes.ts";
import { anchoredPeriodAt, type StoredSubscription, termsHistory, waitingChanges } from "./subscriptions.ts";

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
  /** Of changes, for the invoice of the period. */
  readonly waiting: readonly InvoiceLine[];
}

/** What a change, or an end, makes of a subscription, and the lines of its own invoice; empty where it has none. */
export interface ForeseenStep {
  readonly subscription: ForeseenSubscription;
  readonly invoice: readonly InvoiceLine[];
}

/** As it stands now. */
export async function foreseenSubscription(tx: Tx, row: StoredSubscription): Promise<ForeseenSubscription> {
  const [terms, ahead, cancellation, changes] = await Promise.all([
    termsHistory(tx, row.id),
    pendingChanges(tx, row.id),
    agreedCancellation(tx, row.id),
    waitingChanges(tx, row.id),
  ]);
  const waiting = changes.flatMap(({ lines }) => lines);
  return { row, terms, ahead, cancellation, invoiced: [], waiting };
}

/** When the next of what was agreed for later comes; null when nothing does. */
export function nextDueOf({ row, ahead }: ForeseenSubscription): Instant | null {
  if (row.status === "canceled") return null;
  const [next] = ahead;
  if (next === undefined) return row.cancelAt;
  return row.cancelAt !== null && row.cancelAt <= next.effectiveAt ? row.cancelAt : next.effectiveAt;
}

/** The subscription when all that was agreed until an instant has come. */
export async function foreseenUntil(
  tx: Tx,
  subscription: ForeseenSubscription,
  until: Instant,
): Promise<ForeseenSubscription> {
  let standing = subscription;
  for (let at = nextDueOf(standing); at !== null && at <= until; at = nextDueOf(standing)) {
    standing = (await afterDue(tx, standing, at)).subscription;
  }
  return standing;
}

/** Makes what is due at an instant as the run of the subscription will: an end, or the changes that were agreed for it. */
export async function afterDue(
  tx: Tx,
  subscription: ForeseenSubscription,
  at: Instant,
): Promise<ForeseenStep> {
  const { row, ahead } = subscription;
  if (row.cancelAt === at) return await afterEnd(tx, subscription, at);
  const due = ahead.filter(({ effectiveAt }) => effectiveAt === at);
  const left = { ...subscription, ahead: ahead.filter((change) => !due.includes(change)) };
  const isBoundary = anchoredPeriodAt(row, at).period.start === at && row.billedThrough < at;
  return isBoundary ? await afterBoundary(tx, left, at, due) : await afterEach(tx, left, at, due);
}

/** What was charged in advance for time in a period. */
export async function advanceOf(
  tx: Tx,
  { row, invoiced, waiting }: ForeseenSubscription,
  period: Period,
): Promise<StoredAdvanceLine[]> {
  const foreseen = invoiced.filter(({ earning }) => earning === "deferred");
  const stored = await invoicedInAdvance(tx, row.id, period);
  return advanceLinesAmong([...stored, ...foreseen], waiting, period);
}

/** What a change of it finds. */
export function standingOf(tx: Tx, subscription: ForeseenSubscription): ChangeStanding {
  const terms = subscription.terms.at(-1);
  invariant(terms, "a subscription has terms");
  return {
    terms,
    advanceIn: (period) => advanceOf(tx, subscription, period),
    hasWaiting: subscription.waiting.length > 0,
  };
}

async function afterEnd(tx: Tx, subscription: ForeseenSubscription, at: Instant): Promise<ForeseenStep> {
  const { row, cancellation } = subscription;
  const ended = { ...subscription, row: { ...row, ...endedAt(row, at) }, ahead: [], cancellation: undefined };
  if (anchoredPeriodAt(row, at).period.start === at) return { subscription: ended, invoice: [] };
  const change = (cancellation?.request ?? { kind: "cancel", credit: "unused" }) as SubscriptionChange;
  const asked = await requestedChange(tx, change);
  const planned = await plannedChange(tx, row, asked, at, standingOf(tx, subscription));
  return billed({ ...ended, row: { ...row, ...endedAt(row, planned.at) } }, planned);
}

async function afterBoundary(
  tx: Tx,
  subscription: ForeseenSubscription,
  at: Instant,
  due: readonly ScheduledChange[],
): Promise<ForeseenStep> {
  const { row, terms, ahead } = subscription;
  const planned = await plannedBoundary(tx, row, standingOf(tx, subscription).terms, at, due);
  if (planned.ends) return await afterEnd(tx, { ...subscription, row: { ...row, cancelAt: at } }, at);
  const isResumed = planned.outcomes.some(
    ({ change, outcome }) => change.kind === "resume" && outcome === "applied",
  );
  const foreseen: ForeseenSubscription = {
    ...subscription,
    row: { ...row, ...planned.updates },
    terms: planned.after === null ? terms : [...terms, planned.after],
    ahead: isResumed ? ahead.filter(({ cause }) => cause !== "pause") : ahead,
  };
  return { subscription: foreseen, invoice: [] };
}

/** Inside a period each is a change of its own; what the rules do not allow by then is left out. */
async function afterEach(
  tx: Tx,
  subscription: ForeseenSubscription,
  at: Instant,
  due: readonly ScheduledChange[],
): Promise<ForeseenStep> {
  let standing = subscription;
  const invoice: InvoiceLine[] = [];
  for (const scheduled of due) {
    try {
      const step = await afterChange(tx, standing, at, scheduled);
      standing = step.subscription;
      invoice.push(...step.invoice);
    } catch (error) {
      if (!(error instanceof BillingError)) throw error;
    }
  }
  return { subscription: standing, invoice };
}

async function afterChange(
  tx: Tx,
  subscription: ForeseenSubscription,
  at: Instant,
  { subscriptionId, changeId, request }: ScheduledChange,
): Promise<ForeseenStep> {
  const { row, terms, ahead } = subscription;
  const change = request as SubscriptionChange;
  admitScheduled(row, change.kind, at);
  const planned = await plannedChange(
    tx,
    row,
    await requestedChange(tx, change),
    at,
    standingOf(tx, subscription),
  );
  requireAsQuoted(planned, change);
  invariant(planned.after !== null, "an end is agreed with the subscription itself");
  const anchored = planned.anchor === null ? {} : reanchored(row, planned.anchor);
  const changed: ForeseenSubscription = {
    ...subscription,
    row: { ...row, ...statusAfter(change), ...anchored },
    terms: [...terms, planned.after],
    ahead: inOrder([
      ...ahead.filter(({ cause }) => cause !== causeEndedBy[change.kind]),
      ...resumeAfter(change, { subscriptionId, changeId, requestedAt: at }),
    ]),
  };
  return billed(changed, planned);
}

/** Who resumes needs no end of the pause any more, nor a trial that is ended one of its own. */
const causeEndedBy: Readonly<Record<string, ScheduledChange["cause"]>> = {
  resume: "pause",
  end_trial: "trial",
};

function resumeAfter(
  change: SubscriptionChange,
  pause: Pick<ScheduledChange, "subscriptionId" | "changeId" | "requestedAt">,
): ScheduledChange[] {
  if (change.kind !== "pause" || change.resumesAt === undefined) return [];
  const { resumesAt, resumeAnchor: anchor } = change;
  const request = { kind: "resume", ...(anchor === undefined ? {} : { anchor }) };
  const changeId = `${pause.changeId}/resume`;
  return [{ ...pause, changeId, kind: "resume", effectiveAt: instant(resumesAt), request, cause: "pause" }];
}

function billed(subscription: ForeseenSubscription, { lines, waits }: PlannedChange): ForeseenStep {
  const { waiting, invoiced } = subscription;
  return waits
    ? { subscription: { ...subscription, waiting: [...waiting, ...lines] }, invoice: [] }
    : { subscription: { ...subscription, invoiced: [...invoiced, ...lines] }, invoice: lines };
}

/** Of one instant, what was agreed first comes first. */
function inOrder(changes: readonly ScheduledChange[]): ScheduledChange[] {
  return changes.toSorted((one, other) => one.effectiveAt - other.effectiveAt);
}

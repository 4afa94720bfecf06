import { type Instant, instant } from "../../domain/calendar/index.ts";
import { BillingError, invariant } from "../../domain/errors.ts";
import type { InvoiceLine, UnusedTimeNote } from "../../domain/invoicing/index.ts";
import type { SubscriptionChange } from "../../workflows/messages.ts";
import type { Tx } from "../database.ts";
import { endedAt, reanchored, statusAfter } from "./agreed-rows.ts";
import { paidWithMoney } from "./foreseen-charges.ts";
import { type ForeseenSubscription, nextDueOf, standingOf, withInvoice } from "./foreseen-subscription.ts";
import { admitScheduled, plannedBoundary } from "./planned-boundary.ts";
import { type PlannedChange, plannedChange } from "./planned-change.ts";
import { requestedChange, requireAsQuoted } from "./requested-change.ts";
import type { ScheduledChange } from "./scheduled-changes.ts";
import { anchoredPeriodAt } from "./subscriptions.ts";

/** What changes, or an end, make of a subscription, and the lines of the invoice that each has of its own. */
export interface ForeseenStep {
  readonly subscription: ForeseenSubscription;
  readonly invoices: readonly (readonly InvoiceLine[])[];
  /** Of an end that gives money back. */
  readonly notes: readonly UnusedTimeNote[];
}

/** The subscription when all that was agreed until an instant has come. */
export async function foreseenUntil(
  tx: Tx,
  subscription: ForeseenSubscription,
  until: Instant,
): Promise<ForeseenSubscription> {
  let standing = subscription;
  for (let at = nextDueOf(standing); at !== null && at <= until; at = nextDueOf(standing)) {
    const { subscription: then, invoices } = await afterDue(tx, standing, at);
    standing = invoices.reduce((before, lines) => withInvoice(before, paidWithMoney(lines)), then);
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

/** When an end has come, inside a period or with it. */
export async function afterEnd(
  tx: Tx,
  subscription: ForeseenSubscription,
  at: Instant,
): Promise<ForeseenStep> {
  const { row, cancellation } = subscription;
  const ended = { ...subscription, row: { ...row, ...endedAt(row, at) }, ahead: [], cancellation: undefined };
  if (anchoredPeriodAt(row, at).period.start === at) return onItsOwn(ended);
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
  return onItsOwn(foreseen);
}

/** Inside a period each is a change of its own; what the rules do not allow by then is left out. */
async function afterEach(
  tx: Tx,
  subscription: ForeseenSubscription,
  at: Instant,
  due: readonly ScheduledChange[],
): Promise<ForeseenStep> {
  let standing = subscription;
  const invoices: (readonly InvoiceLine[])[] = [];
  for (const scheduled of due) {
    try {
      const step = await afterChange(tx, standing, at, scheduled);
      standing = step.subscription;
      invoices.push(...step.invoices);
    } catch (error) {
      if (!(error instanceof BillingError)) throw error;
    }
  }
  return { subscription: standing, invoices, notes: [] };
}

/** When a change has been made inside a period. @throws BillingError when the rules do not allow it */
export async function afterChange(
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

/** A step that no invoice and no note comes of. */
const onItsOwn = (subscription: ForeseenSubscription): ForeseenStep => ({
  ...{ subscription, invoices: [], notes: [] },
});

function billed(
  before: ForeseenSubscription,
  { lines, waits, notes, returned }: PlannedChange,
): ForeseenStep {
  const { waiting, invoiced } = before;
  const subscription = { ...before, returned: [...before.returned, ...returned] };
  if (waits) {
    return { subscription: { ...subscription, waiting: [...waiting, ...lines] }, invoices: [], notes };
  }
  const invoices = lines.length === 0 ? [] : [lines];
  return { subscription: { ...subscription, invoiced: [...invoiced, ...lines] }, invoices, notes };
}

/** Of one instant, what was agreed first comes first. */
export function inOrder(changes: readonly ScheduledChange[]): ScheduledChange[] {
  return changes.toSorted((one, other) => one.effectiveAt - other.effectiveAt);
}

import {
  type AgreedAnchor,
  agreedPeriodAt,
  anchorAfterTrial,
  changedAnchor,
  type Instant,
  instantOfEpochMs,
  isoOf,
} from "../../domain/calendar/index.ts";
import { BillingError, invariant } from "../../domain/errors.ts";
import type { Terms } from "../../domain/invoicing/index.ts";
import {
  admitCommand,
  statusAfterTrial,
  type TrialEndAction,
  type TrialTerms,
  trialOutcome,
} from "../../domain/lifecycle/index.ts";
import type { SubscriptionChange } from "../../workflows/messages.ts";
import type { Tx } from "../database.ts";
import { reanchored, statusAfter } from "./agreed-rows.ts";
import { findCustomer } from "./customers.ts";
import { changedTerms } from "./planned-change.ts";
import { requestedChange } from "./requested-change.ts";
import type { ScheduledChange } from "./scheduled-changes.ts";
import { requireFitting } from "./subscription-items.ts";
import { anchoredPeriodAt, anchorsOf, type StoredSubscription } from "./subscriptions.ts";

/** What becomes of the changes that were agreed for the beginning of a period. */
export interface PlannedBoundary {
  readonly outcomes: readonly BoundaryOutcome[];
  /** The period's first terms; null where nothing was made, or where the subscription ends with a trial. */
  readonly after: Terms | null;
  readonly ends: boolean;
  readonly updates: Partial<StoredSubscription>;
}

export interface BoundaryOutcome {
  readonly change: ScheduledChange;
  readonly outcome: "applied" | "refused" | "superseded";
  /** Why it was refused. */
  readonly refusal?: BillingError;
}

/** What is agreed at the boundary so far. */
interface Agreed {
  readonly row: StoredSubscription;
  readonly terms: Terms;
}

/**
 * Works out changes that are due where a period begins, and stores nothing: the period's first terms are theirs, so nothing is
 * prorated. Another interval begins with it.
 * @param before the terms until then
 */
export async function plannedBoundary(
  tx: Tx,
  row: StoredSubscription,
  before: Terms,
  at: Instant,
  changes: readonly ScheduledChange[],
): Promise<PlannedBoundary> {
  let agreed: Agreed = { row, terms: { ...before, effectiveAt: at } };
  const outcomes: BoundaryOutcome[] = [];
  for (const change of changes) {
    try {
      if (agreed.row.status === "canceled") {
        outcomes.push({ change, outcome: "superseded" });
        continue;
      }
      agreed = await changed(tx, agreed, change, at);
      outcomes.push({ change, outcome: "applied" });
    } catch (error) {
      if (!(error instanceof BillingError)) throw error;
      outcomes.push({ change, outcome: "refused", refusal: error });
    }
  }
  const { status } = agreed.row;
  if (status === "canceled") return { outcomes, after: null, ends: true, updates: {} };
  if (!outcomes.some(({ outcome }) => outcome === "applied")) {
    return { outcomes, after: null, ends: false, updates: {} };
  }
  const trial = changes.find(({ kind }) => kind === "end_trial")?.request as TrialTerms | undefined;
  const anchor = anchorFrom(row, agreed.terms, at, trial ?? null);
  const updates = { status, ...(anchor === null ? {} : reanchored(row, anchor)) };
  return { outcomes, after: agreed.terms, ends: false, updates };
}

async function changed(
  tx: Tx,
  { row, terms }: Agreed,
  { kind, request }: ScheduledChange,
  at: Instant,
): Promise<Agreed> {
  admitScheduled(row, kind as SubscriptionChange["kind"], at);
  if (kind === "end_trial") {
    const action = await actionAfterTrial(tx, row, request as TrialTerms);
    const after: Terms = { ...terms, paused: action !== "convert", usage: "billed" };
    return { row: { ...row, status: statusAfterTrial[action] }, terms: after };
  }
  const wanted = await requestedChange(tx, request as SubscriptionChange);
  invariant(wanted.kind !== "cancel", "an end is agreed with the subscription itself");
  const after = await changedTerms(tx, terms, wanted, at);
  const owner = { id: row.customerId, currency: row.currency };
  await requireFitting(tx, owner, row.id, after.items);
  return { row: { ...row, ...statusAfter({ kind }) }, terms: after };
}

/** What follows a trial may depend on whether the customer has a payment method by then. */
async function actionAfterTrial(
  tx: Tx,
  { customerId }: StoredSubscription,
  trial: TrialTerms,
): Promise<TrialEndAction> {
  const customer = await findCustomer(tx, customerId);
  return trialOutcome(trial, customer?.paymentMethod != null);
}

/** Where periods count from, from the boundary on, where that changes: after a trial, and with another interval. */
function anchorFrom(
  row: StoredSubscription,
  { items }: Terms,
  at: Instant,
  trial: TrialTerms | null,
): AgreedAnchor | null {
  const plan = items[0]?.plan;
  invariant(plan, "a subscription has a plan");
  const { interval, anchor: rule } = plan;
  const periods = { rule, interval, timeZone: row.timeZone };
  const { period, agreed } = agreedPeriodAt(anchorsOf(row), instantOfEpochMs(at - 1));
  if (trial !== null) return anchorAfterTrial(period, trial.anchor, periods);
  const { unit, count } = agreed.anchor.interval;
  if (unit === interval.unit && count === interval.count) return null;
  return changedAnchor(agreed.anchor, periods, at, "reset");
}

/** Refuses what the state does not allow by now. */
export function admitScheduled(row: StoredSubscription, kind: SubscriptionChange["kind"], at: Instant): void {
  const { period } = anchoredPeriodAt(row, at);
  admitCommand(
    {
      status: row.status,
      cancelAt: null,
      periodStart: isoOf(period.start),
      periodEnd: isoOf(period.end),
    },
    { kind, at: isoOf(at) },
  );
}

import { createHash } from "node:crypto";
import {
  type AnchoredPeriod,
  beginsInside,
  type Instant,
  instantOfEpochMs,
  isoOf,
  type Period,
} from "../../domain/calendar/index.ts";
import { invariant } from "../../domain/errors.ts";
import {
  type ChangeFacts,
  chargedTime,
  type DecidedChange,
  decideChange,
  decideEnding,
  quotedText,
  type RequestedChange,
  SubscriptionRuleError,
  type Terms,
  type TermsItem,
} from "../../domain/invoicing/index.ts";
import type { Money } from "../../domain/money/index.ts";
import type { Tx } from "../database.ts";
import { advanceLinesOf, type StoredAdvanceLine } from "./advance-lines.ts";
import { checkedSeats, itemFor, requireFitting } from "./subscription-items.ts";
import {
  anchoredPeriodAt,
  anchorsOf,
  type StoredSubscription,
  termsHistory,
  waitingChanges,
} from "./subscriptions.ts";

/** What a change comes to, before anything is done. */
export interface PlannedChange extends DecidedChange {
  readonly at: Instant;
  /** Agreed from then on; null when the subscription ends. */
  readonly after: Terms | null;
  /** The lines go on the invoice of the period: as the plan or the change says, or because that has to come first. */
  readonly waits: boolean;
  /** What an end pays back as money, where that is asked for. */
  readonly refund: Money | null;
  /** Names these lines at this instant: the same, exactly when the lines are. */
  readonly quote: string;
}

/** What a change finds of its subscription, beside the row. */
export interface ChangeStanding {
  /** Agreed until then. */
  readonly terms: Terms;
  /** What was charged in advance for time in a period. */
  readonly advanceIn: (period: Period) => Promise<StoredAdvanceLine[]>;
  /** Whether lines of changes wait for the invoice of the period. */
  readonly hasWaiting: boolean;
}

/**
 * Works out a change of a subscription at an instant, and stores nothing: the preview, and the first half of the change.
 * @param standing as it is stored, when left out
 * @throws SubscriptionRuleError when the rules do not allow it
 */
export async function plannedChange(
  tx: Tx,
  row: StoredSubscription,
  change: RequestedChange,
  asked: Instant,
  standing?: ChangeStanding,
): Promise<PlannedChange> {
  const found = standing ?? (await storedStanding(tx, row));
  const { terms: before, hasWaiting } = found;
  const at = instantOfChange(row, before, asked);
  const inTrial = row.status === "trialing" && change.kind !== "end_trial";
  const facts = { ...(await changeFacts(row, found, at)), inTrial };
  const mustWait = facts.charged === null || hasWaiting;
  if (change.kind === "cancel") {
    const { lines, refund } = decideEnding(facts, at, change.unused);
    const decided = { lines, settle: "now", anchor: null } as const;
    return { ...decided, at, after: null, waits: mustWait, refund, quote: quoteOf(at, lines) };
  }
  const after = await changedTerms(tx, before, change, at);
  await requireFitting(tx, { id: row.customerId, currency: row.currency }, row.id, after.items);
  const decided = decideChange(facts, after, change);
  if (decided.anchor !== null) requireNotCanceling(row);
  const waits = mustWait || decided.settle === "next_invoice";
  return { ...decided, at, after, waits, refund: null, quote: quoteOf(at, decided.lines) };
}

async function storedStanding(tx: Tx, { id }: StoredSubscription): Promise<ChangeStanding> {
  const terms = (await termsHistory(tx, id)).at(-1);
  invariant(terms, "a subscription has terms");
  const hasWaiting = (await waitingChanges(tx, id)).some(({ lines }) => lines.length > 0);
  return { terms, hasWaiting, advanceIn: (period) => advanceLinesOf(tx, id, period) };
}

/** An end was agreed for the end of a period: no other period begins before it. */
function requireNotCanceling({ cancelAt }: StoredSubscription): void {
  if (cancelAt === null) return;
  throw new SubscriptionRuleError(
    "subscription_canceling",
    `the subscription ends ${isoOf(cancelAt)}, so no new period can begin before: change it within its interval`,
    "proration.anchor",
  );
}

/**
 * Two changes never share an instant: the later one comes a millisecond after. Nor does a change share that at which a
 * period begins that is not charged yet: it is charged by the terms of its start.
 */
function instantOfChange(row: StoredSubscription, before: Terms, asked: Instant): Instant {
  const at = instantOfEpochMs(Math.max(asked, before.effectiveAt + 1));
  const anchored = anchoredPeriodAt(row, at);
  return at === anchored.period.start && !isCharged(row, anchored) ? instantOfEpochMs(at + 1) : at;
}

/** What begins inside a period is charged at once; any other period when the one before it closes. */
function isCharged(row: StoredSubscription, { period, agreed }: AnchoredPeriod): boolean {
  if (row.billedThrough >= period.start) return true;
  return period.start === agreed.effectiveAt && beginsInside(anchorsOf(row), agreed);
}

async function changeFacts(
  row: StoredSubscription,
  { terms, advanceIn }: ChangeStanding,
  at: Instant,
): Promise<ChangeFacts> {
  const anchored = anchoredPeriodAt(row, at);
  const charged = isCharged(row, anchored) ? chargedTime(await advanceIn(anchored.period)) : null;
  return { terms, anchors: anchorsOf(row), timeZone: row.timeZone, charged };
}

export async function changedTerms(
  tx: Tx,
  before: Terms,
  change: Exclude<RequestedChange, { kind: "cancel" }>,
  effectiveAt: Instant,
): Promise<Terms> {
  const [main, ...addOns] = before.items;
  invariant(main, "a subscription has a plan");
  switch (change.kind) {
    case "change_plan":
      return {
        ...before,
        effectiveAt,
        items: [await itemFor(tx, { ...change, seats: change.seats ?? main.seats }), ...addOns],
      };
    case "change_quantity":
      // The plan stays in the version that was agreed; only the seats are new.
      return { ...before, effectiveAt, items: [{ ...main, seats: checkedSeats(change.seats) }, ...addOns] };
    case "add_add_on":
      return {
        ...before,
        effectiveAt,
        items: [...before.items, await itemFor(tx, change)],
      };
    case "remove_add_on":
      return { ...before, effectiveAt, items: [main, ...without(addOns, change.planKey)] };
    case "pause":
      return { ...before, effectiveAt, paused: true, usage: change.usage ?? "billed" };
    case "resume":
    case "end_trial":
      return { ...before, effectiveAt, paused: false, usage: "billed" };
  }
}

/** @throws SubscriptionRuleError when it is not there, as the plan itself never is */
function without(addOns: readonly TermsItem[], planKey: string): readonly TermsItem[] {
  const left = addOns.filter(({ plan }) => plan.key !== planKey);
  if (left.length < addOns.length) return left;
  const message = `"${planKey}" is no add-on of the subscription`;
  throw new SubscriptionRuleError("add_on_not_found", message, "plan");
}

function quoteOf(at: Instant, lines: DecidedChange["lines"]): string {
  return createHash("sha256").update(quotedText(at, lines)).digest("hex").slice(0, 24);
}

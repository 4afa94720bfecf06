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
  type ChargedWhere,
  type ChargingInvoice,
  chargedTime,
  type DecidedChange,
  decideChange,
  decideEnding,
  type InvoiceLine,
  quotedText,
  type RequestedChange,
  SubscriptionRuleError,
  type Terms,
  type TermsItem,
  type UnusedTimeNote,
} from "../../domain/invoicing/index.ts";
import { currency, sumMoney } from "../../domain/money/index.ts";
import type { Tx } from "../database.ts";
import { advanceLinesAmong, advanceLinesOf, type StoredAdvanceLine } from "./advance-lines.ts";
import { chargingInvoices } from "./charging-invoices.ts";
import { checkedSeats, itemFor, requireFitting } from "./subscription-items.ts";
import {
  anchoredPeriodAt,
  anchorsOf,
  type StoredSubscription,
  termsHistory,
  waitingChanges,
} from "./subscriptions.ts";
import type { KnownPlans } from "./terms-histories.ts";

/** What a change comes to, before anything is done. */
export interface PlannedChange extends DecidedChange {
  readonly at: Instant;
  /** Agreed from then on; null when the subscription ends. */
  readonly after: Terms | null;
  /** The lines go on the invoice of the period: as the plan or the change says, or because that has to come first. */
  readonly waits: boolean;
  /** Credit notes by which an end gives unused time back, where that is asked for. */
  readonly notes: readonly UnusedTimeNote[];
  /** What they gave back, as credits: no invoice has them. */
  readonly returned: readonly InvoiceLine[];
  /** Names these lines at this instant: the same, exactly when the lines are. */
  readonly quote: string;
}

/** What a change finds of its subscription, beside the row. */
export interface ChangeStanding {
  /** Agreed until then. */
  readonly terms: Terms;
  /** What was charged in advance for time in a period. */
  readonly advanceIn: (period: Period) => Promise<StoredAdvanceLine[]>;
  /** Lines of changes that wait for the invoice of the period. */
  readonly waiting: readonly InvoiceLine[];
  /** On which invoices time in a period was charged, the newest first. */
  readonly chargedOn: (period: Period) => Promise<readonly ChargingInvoice[]>;
  /** Whether the customer has no other subscription; it is asked when left out. */
  readonly isAlone?: boolean;
  /** Versions of plans that were read before. */
  readonly plans?: KnownPlans;
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
  const { terms: before, waiting } = found;
  const at = instantOfChange(row, before, asked);
  const inTrial = row.status === "trialing" && change.kind !== "end_trial";
  const facts = { ...(await changeFacts(row, found, at)), inTrial };
  const mustWait = facts.charged === null || waiting.length > 0;
  if (change.kind === "cancel") {
    const where = change.unused === "refund" ? await chargedWhere(row, found, at) : undefined;
    const ending = decideEnding(facts, at, change.unused, where);
    const decided = { ...ending, settle: "now", anchor: null } as const;
    return { ...decided, at, after: null, waits: mustWait, quote: quoteOf(at, ending.lines, ending.notes) };
  }
  const after = await changedTerms(tx, before, change, at, found.plans);
  const customer = { id: row.customerId, currency: row.currency };
  await requireFitting(tx, customer, row.id, after.items, found);
  const decided = decideChange(facts, after, change);
  if (decided.anchor !== null) requireNotCanceling(row);
  const waits = mustWait || decided.settle === "next_invoice";
  return { ...decided, at, after, waits, notes: [], returned: [], quote: quoteOf(at, decided.lines) };
}

async function storedStanding(tx: Tx, { id }: StoredSubscription): Promise<ChangeStanding> {
  const terms = (await termsHistory(tx, id)).at(-1);
  invariant(terms, "a subscription has terms");
  return {
    terms,
    waiting: (await waitingChanges(tx, id)).flatMap(({ lines }) => lines),
    advanceIn: (period) => advanceLinesOf(tx, id, period),
    chargedOn: (period) => chargingInvoices(tx, id, period),
  };
}

/** Where the period of an end was charged, invoiced or not. */
async function chargedWhere(
  row: StoredSubscription,
  { waiting, chargedOn }: ChangeStanding,
  at: Instant,
): Promise<ChargedWhere> {
  const { period } = anchoredPeriodAt(row, at);
  const ofTime = advanceLinesAmong([], { waiting, returned: [] }, period);
  return {
    invoices: await chargedOn(period),
    waiting: sumMoney(
      ofTime.map(({ amount }) => amount),
      currency(row.currency),
    ),
  };
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
  plans?: KnownPlans,
): Promise<Terms> {
  const [main, ...addOns] = before.items;
  invariant(main, "a subscription has a plan");
  switch (change.kind) {
    case "change_plan":
      return {
        ...before,
        effectiveAt,
        items: [await itemFor(tx, { ...change, seats: change.seats ?? main.seats }, plans), ...addOns],
      };
    case "change_quantity":
      // The plan stays in the version that was agreed; only the seats are new.
      return { ...before, effectiveAt, items: [{ ...main, seats: checkedSeats(change.seats) }, ...addOns] };
    case "add_add_on":
      return {
        ...before,
        effectiveAt,
        items: [...before.items, await itemFor(tx, change, plans)],
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

function quoteOf(...quoted: Parameters<typeof quotedText>): string {
  return createHash("sha256")
    .update(quotedText(...quoted))
    .digest("hex")
    .slice(0, 24);
}

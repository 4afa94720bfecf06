import {
  type AgreedAnchor,
  agreedPeriodAt,
  changedAnchor,
  type Instant,
  periodIndexAt,
} from "../calendar/index.ts";
import type { PlanVersion, PriceOverride, Settlement } from "../catalog/index.ts";
import { invariant } from "../errors.ts";
import { withDiscounts } from "./advance-discounts.ts";
import type { ChargedPrice } from "./charged-time.ts";
import type { InvoiceLine } from "./invoice-line.ts";
import { type ChangeCourse, endingCredits, prorationLines } from "./proration-lines.ts";
import { pricedTerms, type Terms, type UsageTreatment } from "./terms.ts";
import { prorationOf } from "./time-charge.ts";
import { advanceLines } from "./time-charges.ts";
import { type ChargedWhere, refundUnused, type UnusedTimeNote } from "./unused-refund.ts";

/** A change that is asked for. */
export type RequestedChange = ChangeChoices &
  (
    | {
        readonly kind: "change_plan";
        readonly planKey: string;
        readonly seats?: number;
        /** What is agreed instead of the plan's prices. */
        readonly overrides?: readonly PriceOverride[];
      }
    | { readonly kind: "change_quantity"; readonly seats: number }
    | {
        readonly kind: "add_add_on";
        readonly planKey: string;
        readonly seats: number;
        readonly overrides?: readonly PriceOverride[];
      }
    | { readonly kind: "remove_add_on"; readonly planKey: string }
    | { readonly kind: "cancel"; readonly unused: UnusedTime }
    | { readonly kind: "pause"; readonly usage?: UsageTreatment }
    | { readonly kind: "resume" }
    /** Before its time: what is paid begins with the change. */
    | { readonly kind: "end_trial" }
  );

/** What was agreed and charged when a change comes. */
export interface ChangeFacts {
  /** In force until the change. */
  readonly terms: Terms;
  readonly anchors: readonly AgreedAnchor[];
  readonly timeZone: string;
  /** For the period in course, in advance; null while the period before is still open, with which it is charged. */
  readonly charged: readonly ChargedPrice[] | null;
  /** Whether a trial goes on, whatever changes: where periods lie is decided when it ends. */
  readonly inTrial?: boolean;
}

/** What a change says for itself, whatever the plan does. */
export interface ChangeChoices {
  readonly settle?: Settlement;
  /** Whether a new period begins with it. */
  readonly anchor?: "keep" | "reset";
}

export interface DecidedChange {
  readonly lines: readonly InvoiceLine[];
  readonly settle: Settlement;
  /** From when on periods count by another anchor, where they do. */
  readonly anchor: AgreedAnchor | null;
}

/**
 * What becomes of the money when terms change: the plan that is agreed then decides, unless the change says otherwise. A
 * preview and the change itself are this same function.
 */
export function decideChange(facts: ChangeFacts, after: Terms, choices: ChangeChoices = {}): DecidedChange {
  const { anchors, timeZone, charged } = facts;
  const at = after.effectiveAt;
  const { settle = prorationOf(planOf(after)).settle } = choices;
  const { period, full } = agreedPeriodAt(anchors, at);
  const anchor = begunAnchor(facts, after, choices);
  const history = anchor === null ? anchors : [...anchors, anchor];
  const next = anchor === null ? null : agreedPeriodAt(history, at);
  const [before = facts.terms] = pricedTerms([facts.terms], periodIndexAt(anchors, at));
  const periodIndex = periodIndexAt(history, at);
  const [priced = after] = pricedTerms([after], periodIndex);
  const prorated = prorationLines(before, priced, { period, full, timeZone, charged, next }, at);
  const frame = { full: next?.full ?? full, timeZone };
  const whole = advanceLines(priced, frame.full, frame);
  const lines = withDiscounts(settle === "none" ? prorated.filter(isWholeCharge) : prorated, {
    terms: priced,
    periodIndex,
    whole,
  });
  return { lines, settle, anchor };
}

/** The anchor that begins with a change: of another interval, or where a new period is asked for. */
function begunAnchor(
  { anchors, timeZone, inTrial = false }: ChangeFacts,
  after: Terms,
  { anchor: chosen }: ChangeChoices,
): AgreedAnchor | null {
  if (inTrial) return null;
  const plan = planOf(after);
  const { anchor: current } = agreedPeriodAt(anchors, after.effectiveAt).agreed;
  const isOtherInterval =
    plan.interval.unit !== current.interval.unit || plan.interval.count !== current.interval.count;
  const isReset = isOtherInterval && prorationOf(plan).intervalChange === "reset_and_charge";
  const choice = chosen ?? (isReset ? "reset" : "keep");
  if (choice === "keep" && !isOtherInterval) return null;
  const periods = { rule: plan.anchor, interval: plan.interval, timeZone };
  return changedAnchor(current, periods, after.effectiveAt, choice);
}

function planOf({ items }: Terms): PlanVersion {
  const plan = items[0]?.plan;
  invariant(plan, "a subscription has a plan");
  return plan;
}

/** A period that begins is charged, also where parts of periods are not. */
function isWholeCharge({ kind }: InvoiceLine): boolean {
  return kind === "flat" || kind === "seats";
}

/** What becomes of charges for time that is left when a subscription ends. */
export type UnusedTime = "credit" | "refund" | "none";

export interface DecidedEnding {
  /** Credits on an invoice: they lower what is owed, and else go to the customer's balance. */
  readonly lines: readonly InvoiceLine[];
  /** Credit notes on what charged the time, where money is to go back. */
  readonly notes: readonly UnusedTimeNote[];
  /** What these gave back, as credits: no invoice has them. */
  readonly returned: readonly InvoiceLine[];
}

/**
 * What becomes of the money when a subscription ends at `at`, inside a period.
 * @param where the period was charged: what is to be refunded goes back to there
 */
export function decideEnding(
  facts: ChangeFacts,
  at: Instant,
  unused: UnusedTime,
  where?: ChargedWhere,
): DecidedEnding {
  if (unused === "none") return { lines: [], notes: [], returned: [] };
  const { anchors, timeZone, charged } = facts;
  const { period, full } = agreedPeriodAt(anchors, at);
  const [terms = facts.terms] = pricedTerms([facts.terms], periodIndexAt(anchors, at));
  const course: ChangeCourse = { period, full, timeZone, charged, next: null };
  const lines = endingCredits(terms, course, at);
  // What is not charged yet is charged less.
  if (unused === "credit" || charged === null || where === undefined) {
    return { lines, notes: [], returned: [] };
  }
  return refundUnused(lines, where);
}

/**
 * Everything of a decided change that a customer was shown, as one text: it is the same when the change is made if, and only
 * if, the lines are the same to the cent, and what goes back goes to the same places.
 */
export function quotedText(
  at: Instant,
  lines: readonly InvoiceLine[],
  notes: readonly UnusedTimeNote[] = [],
): string {
  const quoted = lines.map(({ kind, source, period, quantity, amount }) => [
    kind,
    source?.planKey ?? "",
    source?.planVersion ?? 0,
    source?.priceKey ?? "",
    period.start,
    period.end,
    quantity?.text ?? "",
    amount.amountMinor.toString(),
    amount.currency,
  ]);
  const quotedNotes = notes.map(({ invoiceId, lines: credited, planned }) => [
    invoiceId,
    credited.map(({ line, amount }) => [line, amount.amountMinor.toString()]),
    ...[planned.lowersDue, planned.toBalance, planned.toRefund].map(({ amountMinor }) =>
      amountMinor.toString(),
    ),
  ]);
  return JSON.stringify(notes.length === 0 ? [at, quoted] : [at, quoted, quotedNotes]);
}

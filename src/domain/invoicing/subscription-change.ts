import { type AgreedAnchor, agreedPeriodAt, changedAnchor, type Instant } from "../calendar/index.ts";
import type { Settlement } from "../catalog/index.ts";
import { BillingError, invariant } from "../errors.ts";
import { type Money, negateMoney, sumMoney } from "../money/index.ts";
import type { ChargedPrice } from "./charged-time.ts";
import type { InvoiceLine } from "./invoice-line.ts";
import { type ChangeCourse, endingCredits, prorationLines } from "./proration-lines.ts";
import type { Terms } from "./terms.ts";
import { prorationOf } from "./time-charge.ts";

/** What was agreed and charged when a change comes. */
export interface ChangeFacts {
  /** In force until the change. */
  readonly terms: Terms;
  readonly anchors: readonly AgreedAnchor[];
  readonly timeZone: string;
  /** For the period in course, in advance; null while the period before is still open, with which it is charged. */
  readonly charged: readonly ChargedPrice[] | null;
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
  const { terms, anchors, timeZone, charged } = facts;
  const at = after.effectiveAt;
  const plan = after.items[0]?.plan;
  invariant(plan, "a subscription has a plan");
  const { settle: settlement, intervalChange } = prorationOf(plan);
  const { agreed, period, full } = agreedPeriodAt(anchors, at);
  const { interval } = agreed.anchor;
  const isOtherInterval = plan.interval.unit !== interval.unit || plan.interval.count !== interval.count;
  const byPlan = isOtherInterval && intervalChange === "reset_and_charge" ? "reset" : "keep";
  const choice = choices.anchor ?? byPlan;
  const anchor =
    isOtherInterval || choice === "reset"
      ? changedAnchor(agreed.anchor, { rule: plan.anchor, interval: plan.interval, timeZone }, at, choice)
      : null;
  const next = anchor === null ? null : agreedPeriodAt([...anchors, anchor], at);
  const settle = choices.settle ?? settlement;
  const lines = prorationLines(terms, after, { period, full, timeZone, charged, next }, at);
  return { lines: settle === "none" ? lines.filter(isWholeCharge) : lines, settle, anchor };
}

/** A period that begins is charged, also where parts of periods are not. */
function isWholeCharge({ kind }: InvoiceLine): boolean {
  return kind === "flat" || kind === "seats";
}

/** What becomes of charges for time that is left when a subscription ends. */
export type UnusedTime = "credit" | "refund" | "none";

export interface DecidedEnding {
  /** Credits: they lower what is owed, and else go to the customer's balance. */
  readonly lines: readonly InvoiceLine[];
  /** What of them is to be paid back as money; null when nothing is to be. */
  readonly refund: Money | null;
}

/** What becomes of the money when a subscription ends at `at`, inside a period. */
export function decideEnding(facts: ChangeFacts, at: Instant, unused: UnusedTime): DecidedEnding {
  if (unused === "none") return { lines: [], refund: null };
  const { terms, anchors, timeZone, charged } = facts;
  const { period, full } = agreedPeriodAt(anchors, at);
  const course: ChangeCourse = { period, full, timeZone, charged, next: null };
  const lines = endingCredits(terms, course, at);
  const [first] = lines;
  if (unused === "credit" || first === undefined) return { lines, refund: null };
  const credits = lines.map(({ amount }) => amount);
  return { lines, refund: negateMoney(sumMoney(credits, first.amount.currency)) };
}

/** Money cannot be paid back yet: asked for at a cancellation, it is refused before anything is done. */
export class RefundUnavailableError extends BillingError {
  readonly code = "refund_unavailable";

  constructor() {
    super(
      'unused time cannot be refunded: ask for "credit", which goes to the customer\'s balance',
      "unused",
    );
  }
}

/**
 * Everything of a decided change that a customer was shown, as one text: it is the same when the change is made if, and only
 * if, the lines are the same to the cent.
 */
export function quotedText(at: Instant, lines: readonly InvoiceLine[]): string {
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
  return JSON.stringify([at, quoted]);
}

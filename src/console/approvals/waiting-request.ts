import type { WaitingKind } from "../commands/decide.ts";
import { formatAmount } from "../format/amount.ts";
import { counted } from "../format/quantity.ts";
import { wordsFor } from "../format/words.ts";
import type { Adjustment, CreditNote, RecurringCreditGrant, UsageCorrection } from "../reads/resources.ts";

/** A request that waits for a second person, of whichever kind. */
export interface WaitingRequest {
  readonly kind: WaitingKind;
  readonly id: string;
  /** What would be done, in words. */
  readonly what: string;
  /** Null for a correction of usage, which may be about several. */
  readonly customer: string | null;
  readonly invoice: string | null;
  /** What it comes to for the customer; null where nobody can say, or nothing limits it. */
  readonly amount: { readonly minor: string; readonly currency: string } | null;
  readonly reasonCode: string;
  readonly words: string | null;
  readonly requestedBy: string;
  readonly requestedAt: string;
  /** Why one key is not enough. */
  readonly why: string;
}

const verbs: Readonly<Record<Adjustment["kind"], string>> = {
  grant_credit: "Grant credit of",
  void_grant: "Void what is left of a grant,",
  adjust_grant: "Change a grant by",
  credit_balance: "Credit the balance with",
  debit_balance: "Debit the balance by",
};

export function waitingAdjustment(adjustment: Adjustment): WaitingRequest {
  const { id, kind, customer, change_minor: change, currency, approval } = adjustment;
  const shown = kind === "adjust_grant" ? change : change.replace("-", "");
  return {
    ...requested(adjustment),
    kind: "adjustment",
    id,
    what: `${verbs[kind]} ${formatAmount(shown, currency)}`,
    customer,
    amount: { minor: change, currency },
    words: adjustment.reason,
    why: aboveLimit(approval.counted_minor, approval.limit_minor, currency),
  };
}

export function waitingRecurring(recurring: RecurringCreditGrant): WaitingRequest {
  const { id, customer, amount_minor, currency, interval, total_minor: total, approval } = recurring;
  return {
    ...requested(recurring),
    kind: "recurring_grant",
    id,
    what: `Grant ${formatAmount(amount_minor, currency)} ${every(interval)}`,
    customer,
    amount: total === null ? null : { minor: total, currency },
    words: recurring.reason,
    why: total === null ? "It has no end" : aboveLimit(total, approval.limit_minor, currency),
  };
}

export function waitingCreditNote(note: CreditNote): WaitingRequest {
  const { id, customer, invoice, total_minor, currency, approval } = note;
  return {
    ...requested(note),
    kind: "credit_note",
    id,
    what: `Credit ${formatAmount(total_minor, currency)} of an invoice`,
    customer,
    invoice,
    amount: { minor: total_minor, currency },
    words: note.reason,
    why: aboveLimit(approval.counted_minor, approval.limit_minor, currency),
  };
}

export function waitingCorrection(correction: UsageCorrection): WaitingRequest {
  const { id, kind, event_count: count, backfill, approval } = correction;
  const events = counted(count, "usage event");
  const verb = kind === "void" ? "Void" : "Amend";
  return {
    ...requested(correction),
    kind: "usage_correction",
    id,
    what: backfill === null ? `${verb} ${events}` : `Revert a backfill of ${events}`,
    customer: null,
    amount: null,
    words: correction.note,
    why: approval.changes_billed
      ? "It changes what was billed"
      : `${counted(approval.counted, "event")} within a day; the limit is ${approval.limit}`,
  };
}

/** "every month", "every 2 weeks". */
export const every = ({ unit, count }: RecurringCreditGrant["interval"]): string =>
  count === 1 ? `every ${unit}` : `every ${counted(count, unit)}`;

const requested = (request: {
  readonly requested_by: string;
  readonly requested_at: string;
  readonly reason_code: string;
}) => ({
  invoice: null,
  reasonCode: wordsFor(request.reason_code),
  requestedBy: request.requested_by,
  requestedAt: request.requested_at,
});

function aboveLimit(countedMinor: string, limitMinor: string | null, currency: string): string {
  if (limitMinor === null) return `Everything in ${currency.toUpperCase()} needs a second key`;
  const sum = formatAmount(countedMinor.replace("-", ""), currency);
  return `${sum} is above the limit of ${formatAmount(limitMinor, currency)}`;
}

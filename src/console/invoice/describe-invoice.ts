import { formatAmount } from "../format/amount.ts";
import { formatDay, formatPeriod, formatTime } from "../format/time.ts";
import { wordsFor } from "../format/words.ts";
import type { InvoiceDetail } from "../reads/resources.ts";

type Described = Pick<
  InvoiceDetail,
  | "kind"
  | "status"
  | "currency"
  | "period_start"
  | "period_end"
  | "total_minor"
  | "amount_paid_minor"
  | "issued_at"
  | "paid_at"
  | "payment_attempts"
  | "dunning"
  | "usage_complete_until"
  | "usage_held_back_by"
>;

/** An invoice's state in sentences. */
export function describeInvoice(invoice: Described, timeZone: string): string {
  const { kind, currency, total_minor, period_start: start, period_end: end, issued_at } = invoice;
  const period = start === null || end === null ? "" : ` for ${formatPeriod({ start, end }, timeZone)}`;
  const head = `${wordsFor(kind)}${period}, issued on ${formatDay(issued_at, timeZone)}`;
  const state = stateSentence(invoice, timeZone);
  return `${head}: ${formatAmount(total_minor, currency)}. ${state}${missingUsage(invoice, timeZone)}`;
}

/** What it does not hold although it closes the period: who was behind is why. */
function missingUsage(invoice: Described, timeZone: string): string {
  const { usage_complete_until: until, usage_held_back_by: source } = invoice;
  if (until === null || source === null) return "";
  return ` Its usage is complete until ${formatTime(until, timeZone)} only: ${source} was behind.`;
}

function stateSentence(invoice: Described, timeZone: string): string {
  const { status, paid_at, total_minor, amount_paid_minor } = invoice;
  if (status === "void") return "It was voided: nothing is owed.";
  if (status === "uncollectible") return "It was given up as uncollectible.";
  if (status === "open") return openSentence(invoice, timeZone);
  if (amount_paid_minor === "0" && total_minor === "0") return "There was nothing to pay.";
  return paid_at === null
    ? "It is paid."
    : `It was paid on ${formatDay(paid_at, timeZone)}${afterAttempts(invoice)}.`;
}

function afterAttempts({ payment_attempts: attempts }: Described): string {
  const declined = attempts.filter(({ outcome }) => outcome !== "paid").length;
  if (declined === 0) return "";
  return declined === 1 ? ", after one failed attempt" : `, after ${declined} failed attempts`;
}

function openSentence({ payment_attempts: attempts, dunning }: Described, timeZone: string): string {
  const last = attempts.at(-1);
  if (last === undefined) return "It is waiting to be paid.";
  const reason = last.decline_code === null ? "" : ` (${wordsFor(last.decline_code).toLowerCase()})`;
  const failed = `The last attempt to collect it failed on ${formatDay(last.attempted_at, timeZone)}${reason}.`;
  if (dunning?.state === "awaiting_payment_method") return `${failed} A new payment method is needed.`;
  const next = dunning?.next_attempt_at ?? null;
  return next === null ? failed : `${failed} The next is on ${formatDay(next, timeZone)}.`;
}

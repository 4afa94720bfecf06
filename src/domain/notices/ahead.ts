import { Temporal } from "temporal-polyfill";
import { type Instant, instantOfEpochMs } from "../calendar/index.ts";

/** How many days before something its notice is given. */
export type NoticeAhead = {
  readonly upcomingInvoiceDays: number;
  readonly trialEndingDays: number;
};

/** What holds where a plan does not say otherwise. */
export const usualNoticeAhead: NoticeAhead = { upcomingInvoiceDays: 7, trialEndingDays: 3 };

/** Days before the end of its last month that a card is said to expire. */
export const cardExpiringDays = 30;

/** Of the credit that was given, at most so much is left when it is said to run low, in percent. */
export const creditsLowPercent = 20;

const dayMs = 86_400_000;

/** The instant some days before another; days of 24 hours, as a notice is no matter of the calendar. */
export function daysBefore(at: Instant, days: number): Instant {
  return instantOfEpochMs(at - days * dayMs);
}

/**
 * When the notice of an invoice ahead is due; null when its period is no longer than the time ahead, for then one invoice's
 * notice would come with the other's.
 */
export function upcomingNoticeAt(
  invoiceAt: Instant,
  periodStart: Instant,
  { upcomingInvoiceDays: days }: NoticeAhead,
): Instant | null {
  const at = daysBefore(invoiceAt, days);
  return days > 0 && at > periodStart ? at : null;
}

/** The instant some days after another. */
export function daysAfter(at: Instant, days: number): Instant {
  return daysBefore(at, -days);
}

/** When the end of a trial is told; at once when the trial is no longer than the time ahead. */
export function trialNoticeAt(
  trialEndsAt: Instant,
  startedAt: Instant,
  { trialEndingDays: days }: NoticeAhead,
): Instant {
  const at = daysBefore(trialEndsAt, days);
  return at > startedAt ? at : startedAt;
}

/** When a card's expiry is told, and when it expires: with the end of its last month, where its owner is. */
export function cardNoticeAt(
  { expMonth, expYear }: { readonly expMonth: number; readonly expYear: number },
  zone: string,
): { readonly at: Instant; readonly endsAt: Instant } {
  const isDecember = expMonth === 12;
  const month = isDecember ? 1 : expMonth + 1;
  const year = isDecember ? expYear + 1 : expYear;
  const start = Temporal.PlainDate.from({ year, month, day: 1 }).toZonedDateTime(zone);
  const endsAt = instantOfEpochMs(start.epochMilliseconds);
  return { at: daysBefore(endsAt, cardExpiringDays), endsAt };
}

/** Whether so little is left of credit that it is said to run low; of nothing, nothing is. */
export function isLow(remaining: bigint, granted: bigint): boolean {
  return granted > 0n && remaining * 100n <= granted * BigInt(creditsLowPercent);
}

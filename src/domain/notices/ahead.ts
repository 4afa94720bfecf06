import { type Instant, instantOfEpochMs } from "../calendar/index.ts";

/** How many days before something its notice is given. */
export interface NoticeAhead {
  readonly upcomingInvoiceDays: number;
  readonly trialEndingDays: number;
}

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

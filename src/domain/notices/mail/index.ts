import { noticeKinds } from "../kinds.ts";
import type { ComposedNotice, NoticeData, NoticeKind } from "../notice.ts";
import * as billing from "./billing-letters.ts";
import * as budgets from "./budget-letters.ts";
import type { Letter, Mail, MailReader } from "./letter.ts";
import { letterHtml } from "./letter-html.ts";
import { letterText } from "./letter-text.ts";
import { refundFailed } from "./refund-letter.ts";
import * as subscriptions from "./subscription-letters.ts";

export type { Letter, Mail, MailReader } from "./letter.ts";

type Writers = {
  readonly [Kind in NoticeKind]: ((data: NoticeData[Kind], reader: MailReader) => Letter | null) | null;
};

/** What each kind says in English; null where there is nothing to be said to a person. */
const letters: Writers = {
  "invoice.upcoming": billing.upcoming,
  "invoice.issued": billing.issued,
  "invoice.tax_wanted": null,
  "invoice.payment_failed": billing.paymentFailed,
  "invoice.payment_recovered": billing.recovered,
  "invoice.dunning": null,
  "usage.threshold_reached": billing.threshold,
  "subscription.trial_ending": subscriptions.trialEnding,
  "subscription.changed": subscriptions.changed,
  "subscription.paused": subscriptions.paused,
  "subscription.resumed": subscriptions.resumed,
  "subscription.canceled": subscriptions.canceled,
  "payment_method.expiring": billing.cardExpiring,
  "refund.failed": refundFailed,
  "credits.low": billing.creditsLow,
  "credits.expired": billing.creditsExpired,
  "budget.share_reached": budgets.shareReached,
  "budget.limit_reached": budgets.limitReached,
  "budget.overrun_forecast": budgets.overrunForecast,
  "budget.recovered": null,
  "top_up.stopped": budgets.topUpStopped,
  "top_up.limit_reached": budgets.topUpLimit,
  "webhook_endpoint.disabled": subscriptions.endpointDisabled,
  "webhook_endpoint.test": null,
};

function letterOf<Kind extends NoticeKind>(notice: ComposedNotice<Kind>, reader: MailReader): Letter | null {
  return letters[notice.type]?.(notice.data, reader) ?? null;
}

/** Whether a notice is one that a person is written of. */
export function isMailed(notice: ComposedNotice): boolean {
  const anybody: MailReader = { name: "", timeZone: "UTC", seller: null };
  return noticeKinds[notice.type].byEmail && letterOf(notice, anybody) !== null;
}

/** The e-mail that says what a notice says, in its reader's days and hours; null when there is none of its kind. */
export function mailOf(notice: ComposedNotice, reader: MailReader): Mail | null {
  const letter = letterOf(notice, reader);
  if (letter === null) return null;
  return { subject: letter.subject, text: letterText(letter, reader), html: letterHtml(letter, reader) };
}

import type { NoticeKind } from "./notice.ts";

export interface KindOfNotice {
  /** What has happened, as documentation says it. */
  readonly when: string;
  /** Whether the customer gets an e-mail, unless it is suppressed. */
  readonly byEmail: boolean;
  /** The permanent key, with what it is made from. */
  readonly key: string;
}

/** Every kind there is. */
export const noticeKinds: Readonly<Record<NoticeKind, KindOfNotice>> = {
  "invoice.upcoming": {
    when: "A period's invoice is some days ahead: 7, or as the plan says.",
    byEmail: true,
    key: "invoice-upcoming/{subscription}/{invoice at}",
  },
  "invoice.issued": {
    when: "An invoice was issued, of whatever kind; with nothing to be paid, too.",
    byEmail: true,
    key: "invoice-issued/{invoice}",
  },
  "invoice.tax_wanted": {
    when: "A period could be closed but for its tax, which a service outside reckons: for exactly these lines, once.",
    byEmail: false,
    key: "tax-wanted/{subscription}/{period start}/{quote}",
  },
  "invoice.payment_failed": {
    when: "A charge was declined, the first or a later one.",
    byEmail: true,
    key: "payment-failed/{invoice}/{attempt}",
  },
  "invoice.payment_recovered": {
    when: "An invoice whose payment had failed was paid.",
    byEmail: true,
    key: "payment-recovered/{invoice}",
  },
  "invoice.dunning": {
    when: "Dunning has reached a moment for which its policy names a notice: your own system writes it.",
    byEmail: false,
    key: "dunning/{invoice}/{fact}/{moment}/{notice}",
  },
  "refund.failed": {
    when: "A refund did not reach the customer, at once or after it had seemed to: the money is in their balance with us.",
    byEmail: true,
    key: "refund-failed/{refund}",
  },
  "usage.threshold_reached": {
    when: "Usage reached a billing threshold before the period's end, and was invoiced.",
    byEmail: true,
    key: "threshold-reached/{invoice}",
  },
  "subscription.trial_ending": {
    when: "A trial ends in some days: 3, or as the plan says.",
    byEmail: true,
    key: "trial-ending/{subscription}/{trial end}",
  },
  "subscription.changed": {
    when: "Plan, seats, add-ons or the agreed end of a subscription have changed.",
    byEmail: true,
    key: "subscription-change/{subscription}/{change}",
  },
  "subscription.paused": {
    when: "A subscription was paused.",
    byEmail: true,
    key: "subscription-change/{subscription}/{change}",
  },
  "subscription.resumed": {
    when: "A paused subscription goes on.",
    byEmail: true,
    key: "subscription-change/{subscription}/{change}",
  },
  "subscription.canceled": {
    when: "A subscription has ended.",
    byEmail: true,
    key: "subscription-canceled/{subscription}/{end}",
  },
  "payment_method.expiring": {
    when: "The card on file expires within 30 days.",
    byEmail: true,
    key: "card-expiring/{customer}/{payment method}",
  },
  "credits.low": {
    when: "At most a fifth is left of the credit that a customer has been given or has bought.",
    byEmail: true,
    key: "credits-low/{customer}/{currency}/{newest grant}",
  },
  "credits.expired": {
    when: "Credit has expired with something left of it, which is lost.",
    byEmail: true,
    key: "credits-expired/{grant}",
  },
  "budget.share_reached": {
    when: "Of a budget or an allowance so much is used as an alert says.",
    byEmail: true,
    key: "alert/{alert}/{crossing}",
  },
  "budget.limit_reached": {
    when: "A budget or an allowance of which an alert says so is used up.",
    byEmail: true,
    key: "alert/{alert}/{crossing}",
  },
  "budget.overrun_forecast": {
    when: "A budget or an allowance will be overrun before its window ends, if usage goes on as so far.",
    byEmail: true,
    key: "alert/{alert}/{crossing}",
  },
  "budget.recovered": {
    when: "What an alert told of is over: less is used, or more is allowed. Not when a window begins anew.",
    byEmail: false,
    key: "alert/{alert}/{crossing}/recovered",
  },
  "top_up.stopped": {
    when: "Credit is no longer bought by itself: the charge was declined, or no invoice could be issued.",
    byEmail: true,
    key: "top-up-stopped/{rule}",
  },
  "top_up.limit_reached": {
    when: "Credit would be bought by itself, and the limit of the month is reached.",
    byEmail: true,
    key: "top-up-limit/{rule}/{month}",
  },
  "webhook_endpoint.disabled": {
    when: "An endpoint was disabled: everything sent to it had failed for days, or it answered 410. Goes to the operator.",
    byEmail: true,
    key: "endpoint-disabled/{endpoint}/{failing since}",
  },
  "webhook_endpoint.test": {
    when: "Somebody asked for it. Goes to the one endpoint it is to test.",
    byEmail: false,
    key: "endpoint-test/{request}",
  },
};

export const allNoticeKinds = Object.keys(noticeKinds) as NoticeKind[];

/** What may be asked not to be sent by e-mail. */
export const kindsByEmail = allNoticeKinds.filter(
  (kind) => noticeKinds[kind].byEmail && kind !== "webhook_endpoint.disabled",
);

/** What a change of a subscription is told as; null when something else tells of it: its end has a notice of its own. */
export function kindOfChange(
  change: string,
): Extract<NoticeKind, "subscription.changed" | "subscription.paused" | "subscription.resumed"> | null {
  if (change === "pause") return "subscription.paused";
  if (change === "resume") return "subscription.resumed";
  return change === "cancel" ? null : "subscription.changed";
}

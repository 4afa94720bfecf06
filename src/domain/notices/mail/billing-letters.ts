import { instant, type Period } from "../../calendar/index.ts";
import { dayText, moneyText, periodText, timeText } from "../../invoicing/document/figures.ts";
import { currency, money } from "../../money/index.ts";
import type { NoticeData } from "../notice.ts";
import type { Letter, MailReader } from "./letter.ts";

type Write<Kind extends keyof NoticeData> = (data: NoticeData[Kind], reader: MailReader) => Letter | null;

/** "$12.50" of the amounts that notices carry. */
export const amountText = (minor: string, code: string): string =>
  moneyText(money(BigInt(minor), currency(code)));

const onDay = (iso: string, { timeZone }: MailReader) => dayText(instant(iso), timeZone);

function periodOf(start: string | null, end: string | null, { timeZone }: MailReader) {
  if (start === null || end === null) return [];
  const period: Period = { start: instant(start), end: instant(end) };
  return [{ name: "Period", text: periodText(period, timeZone) }];
}

const ofSubscription = (plan: string | null) => (plan === null ? "your subscription" : `your ${plan} plan`);

export const upcoming: Write<"invoice.upcoming"> = (data, reader) => {
  const { total_so_far_minor: soFar, currency: code, invoice_at: at, plan } = data;
  const day = onDay(at, reader);
  return {
    subject: `Your next invoice comes on ${day}`,
    title: `Your next invoice comes on ${day}`,
    headline: soFar === null ? null : { name: "So far", text: amountText(soFar, code), tone: "plain" },
    paragraphs: [
      `This is a reminder that the next invoice for ${ofSubscription(plan)} will be issued on ${day}.`,
      ...(soFar === null ? [] : ["What you use until the end of the period is added to the amount above."]),
      "You need not do anything: it will be charged to your payment method on file.",
    ],
    particulars: periodOf(data.period_start, data.period_end, reader),
    action: null,
  };
};

export const issued: Write<"invoice.issued"> = (data, reader) => {
  // The notice of the threshold tells of the same invoice.
  if (data.kind === "threshold") return null;
  const amount = amountText(data.total_minor, data.currency);
  return {
    subject: data.is_to_be_paid
      ? `Invoice ${data.number}: ${amount}`
      : `Invoice ${data.number}: nothing to pay`,
    title: `Invoice ${data.number}`,
    headline: { name: data.is_to_be_paid ? "Amount due" : "Nothing to pay", text: amount, tone: "plain" },
    paragraphs: data.is_to_be_paid
      ? ["Your invoice has been issued. It will be charged to your payment method on file."]
      : ["Your invoice has been issued. Your credit or balance has paid for all of it."],
    particulars: [
      { name: "Invoice", text: data.number },
      ...periodOf(data.period_start, data.period_end, reader),
    ],
    action: null,
  };
};

export const paymentFailed: Write<"invoice.payment_failed"> = (data, reader) => {
  const amount = amountText(data.total_minor, data.currency);
  const next = data.next_attempt_at;
  return {
    subject: `Your payment of ${amount} did not go through`,
    title: "Your payment did not go through",
    headline: { name: "Amount due", text: amount, tone: "bad" },
    paragraphs: [
      `We could not charge your payment method for invoice ${data.number}. ${reasonOf(data.decline_code, data.decline_class)}`,
      next === null
        ? "Please update your payment method, or pay the invoice with another one."
        : `We will try again on ${timeText(instant(next), reader.timeZone)}. If you use another payment method before then, it is charged at once.`,
    ],
    particulars: [
      { name: "Invoice", text: data.number },
      { name: "Attempt", text: String(data.attempt) },
    ],
    action: data.pay_url === null ? null : { label: "Pay this invoice", url: data.pay_url },
  };
};

/** Why a charge was declined, as its owner may be told: a bank's suspicion is not passed on. */
function reasonOf(code: string | null, kind: string | null): string {
  if (code === "no_payment_method") return "There is no payment method on file.";
  if (code === "expired_card") return "The card has expired.";
  if (code === "insufficient_funds") return "The account does not have enough funds at the moment.";
  if (kind === "authentication") return "Your bank asks you to confirm the payment.";
  return "Your bank has declined the payment.";
}

export const recovered: Write<"invoice.payment_recovered"> = (data) => ({
  subject: `Thank you: invoice ${data.number} is paid`,
  title: "Your payment went through",
  headline: { name: "Paid", text: amountText(data.total_minor, data.currency), tone: "good" },
  paragraphs: [`Invoice ${data.number} is paid. Everything is in order again; there is nothing left to do.`],
  particulars: [{ name: "Invoice", text: data.number }],
  action: null,
});

export const threshold: Write<"usage.threshold_reached"> = (data, reader) => ({
  subject: `Your usage was invoiced: ${amountText(data.total_minor, data.currency)}`,
  title: "Your usage has reached a billing threshold",
  headline: { name: "Amount due", text: amountText(data.total_minor, data.currency), tone: "plain" },
  paragraphs: [
    `Your usage in this period has come to an amount at which it is invoiced without waiting for the period's end: invoice ${data.number}.`,
    "What is invoiced now is not invoiced again later.",
  ],
  particulars: [
    { name: "Invoice", text: data.number },
    ...periodOf(data.period_start, data.period_end, reader),
  ],
  action: null,
});

export const cardExpiring: Write<"payment_method.expiring"> = ({ brand, last4, exp_month, exp_year }) => {
  const month = `${String(exp_month).padStart(2, "0")}/${exp_year}`;
  const name = `${brand.charAt(0).toUpperCase()}${brand.slice(1)}`;
  return {
    subject: `Your card ending in ${last4} expires soon`,
    title: "Your card expires soon",
    headline: { name: `${name} ending in ${last4}`, text: month, tone: "bad" },
    paragraphs: [
      "The card that we have on file for you expires at the end of this month.",
      "Please replace it before then, so that your next payment goes through.",
    ],
    particulars: [],
    action: null,
  };
};

export const creditsLow: Write<"credits.low"> = ({ currency: code, remaining_minor, granted_minor }) => ({
  subject: `Your credit is running low: ${amountText(remaining_minor, code)} left`,
  title: "Your credit is running low",
  headline: { name: "Left", text: amountText(remaining_minor, code), tone: "bad" },
  paragraphs: [
    `Of ${amountText(granted_minor, code)} of credit, ${amountText(remaining_minor, code)} is left.`,
    "Usage beyond it is invoiced at the prices of your plan.",
  ],
  particulars: [],
  action: null,
});

export const creditsExpired: Write<"credits.expired"> = ({ currency: code, expired_minor }) => {
  const [whole = "0"] = expired_minor.split(".");
  if (whole === "0") return null;
  return {
    subject: `${amountText(whole, code)} of your credit has expired`,
    title: "Some of your credit has expired",
    headline: { name: "Expired", text: amountText(whole, code), tone: "plain" },
    paragraphs: ["This part of your credit has reached its last day and can no longer be used."],
    particulars: [],
    action: null,
  };
};

import { formatAmount, isZeroAmount } from "../format/amount.ts";
import { counted } from "../format/quantity.ts";
import { formatDay } from "../format/time.ts";
import { wordsFor } from "../format/words.ts";
import type { Customer, Invoice, Subscription } from "../reads/resources.ts";
import { isOver } from "./leading-status.ts";

export interface CustomerFacts {
  readonly customer: Pick<Customer, "name" | "currency" | "time_zone" | "payment_method">;
  readonly subscriptions: readonly Pick<
    Subscription,
    "status" | "items" | "current_period" | "cancel_at" | "canceled_at"
  >[];
  readonly openInvoices: readonly Pick<Invoice, "total_minor" | "amount_paid_minor">[];
  readonly planName: (planKey: string) => string;
}

/** A customer's state in sentences, the most important first: for someone who is on the phone with them. */
export function describeCustomer(facts: CustomerFacts): string {
  return [...subscriptionSentences(facts), owedSentence(facts), cardSentence(facts)].join(" ");
}

/** What is still to be paid on these invoices, in minor units. */
export function openBalanceMinor(invoices: CustomerFacts["openInvoices"]): string {
  return invoices
    .reduce(
      (sum, { total_minor, amount_paid_minor }) => sum + BigInt(total_minor) - BigInt(amount_paid_minor),
      0n,
    )
    .toString();
}

/** "Pro with 5 seats and Extra tokens". */
export function describeItems(items: Subscription["items"], planName: (planKey: string) => string): string {
  const names = items.map(({ plan, seats }) =>
    seats > 1 ? `${planName(plan)} with ${counted(seats, "seat")}` : planName(plan),
  );
  return new Intl.ListFormat("en", { type: "conjunction" }).format(names);
}

function subscriptionSentences({ customer, subscriptions, planName }: CustomerFacts): string[] {
  const running = subscriptions.filter((subscription) => !isOver(subscription));
  if (subscriptions.length === 0) return [`${customer.name} has no subscription yet.`];
  const [latest] = subscriptions
    .map(({ canceled_at }) => canceled_at ?? "")
    .toSorted()
    .reverse();
  if (running.length === 0 && latest) {
    return [`${customer.name}’s subscription ended on ${formatDay(latest, customer.time_zone)}.`];
  }
  if (running.length === 0) return [`${customer.name}’s subscription never began: it was not paid.`];
  return running.map((subscription) => {
    const on = `${customer.name} is on ${describeItems(subscription.items, planName)}`;
    return `${on}, ${conditionOf(subscription, customer.time_zone)}.`;
  });
}

const states: Readonly<Record<string, string>> = {
  past_due: "past due after a failed payment",
  trialing: "on trial",
};

function conditionOf(
  { status, cancel_at, current_period }: CustomerFacts["subscriptions"][number],
  timeZone: string,
): string {
  if (status === "paused") return "paused: nothing is charged in advance";
  if (status === "incomplete") return "which begins when its first invoice is paid";
  const end = current_period === null ? "" : formatDay(current_period.end, timeZone);
  const next = end === "" ? "" : `; this period ends on ${end}`;
  const state = states[status] ?? "active";
  return cancel_at === null ? state + next : `${state} until it ends on ${formatDay(cancel_at, timeZone)}`;
}

function owedSentence({ customer: { currency }, openInvoices }: CustomerFacts): string {
  const owed = openBalanceMinor(openInvoices);
  if (isZeroAmount(owed)) return "Nothing is owed.";
  return `${formatAmount(owed, currency)} is open on ${counted(openInvoices.length, "invoice")}.`;
}

function cardSentence({ customer: { payment_method: card } }: CustomerFacts): string {
  if (card === null) return "There is no payment method on file.";
  return `${wordsFor(card.brand)} ending in ${card.last4} is on file.`;
}

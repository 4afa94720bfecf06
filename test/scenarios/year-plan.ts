import { addDuration, type Instant, instant, isoOf } from "../../src/domain/calendar/index.ts";
import { type Dice, diceOf, oneOf } from "../support/dice.ts";

/** A request of a customer: `{customer}` and `{subscription}` in its path and body are filled in when it is made. */
export interface YearRequest {
  readonly method: "POST" | "DELETE";
  readonly path: string;
  readonly body?: Record<string, unknown>;
}

/** What one customer does at an instant, in this order. */
export interface YearDoing {
  readonly customer: string;
  /** Of the request, so that it may be made again. */
  readonly key: string;
  readonly does:
    | YearRequest
    /** How the next charges of the card on file end. */
    | { readonly declines: readonly string[] }
    /** Takes back the first change that is agreed for later. */
    | "withdraw";
}

export interface YearStep {
  readonly at: string;
  readonly doings: readonly YearDoing[];
}

export interface YearOptions {
  readonly seed: number;
  readonly customers: number;
  readonly months: number;
}

const beginning = instant("2026-01-01T00:00:00Z");
/** Things are done at noon of every third day, so that several customers do something at each instant. */
const daysOfStep = 3;

/** A year, or less, of customers with every kind of change that a subscription knows; the same for the same seed. */
export function yearOf({ seed, customers, months }: YearOptions): YearStep[] {
  const dice = diceOf(seed);
  const days = months * 30;
  const steps = Array.from({ length: Math.ceil(days / daysOfStep) }, (_, nth) => ({
    at: isoOf(addDuration(beginning, { days: nth * daysOfStep, hours: 12 }, "UTC")),
    doings: [] as YearDoing[],
  }));
  for (let number = 0; number < customers; number++) {
    const customer = `customer-${number}`;
    // Everybody begins in the first month.
    const begins = dice(10);
    for (const [place, step] of steps.entries()) {
      if (place < begins) continue;
      const does =
        place === begins ? beginningOf(dice, instant(step.at), number) : someday(dice, step.at, number);
      for (const each of does) {
        step.doings.push({ customer, key: `${customer}/${place}/${step.doings.length}`, does: each });
      }
    }
  }
  // The last closings, and what failed in them.
  const end = { at: isoOf(addDuration(beginning, { days: days + 2, hours: 12 }, "UTC")), doings: [] };
  return [...steps, end];
}

const subscriptionPath = "/v1/subscriptions/{subscription}";
const customerPath = "/v1/customers/{customer}";
const post = (path: string, body: Record<string, unknown> = {}): YearRequest => ({
  method: "POST",
  path,
  body,
});

/** Cards are shared out, as the networks count how often each is declined, whoever pays with it. */
const cards = ["pm_card_visa", "pm_card_mastercard", "pm_card_amex", "pm_card_visa_debit"];

function beginningOf(dice: Dice, at: Instant, number: number): YearDoing["does"][] {
  const plan = oneOf(dice, ["solo", "team", "team", "metered", "tried", "yearly", "later"]);
  const choices: Record<string, unknown>[] = [
    {},
    {},
    { start_at: isoOf(addDuration(at, { days: -40 }, "UTC")) },
    { start_at: isoOf(addDuration(at, { days: -20 }, "UTC")), billed_through: isoOf(at) },
    { pay_within_seconds: 86_400 },
  ];
  const items = [{ plan, seats: 1 + dice(6) }];
  const card = cards[number % cards.length];
  return [
    post("/v1/customers", {
      id: "{customer}",
      name: "{customer}",
      email: "{customer}@example.com",
      currency: "usd",
      test_clock: "year",
    }),
    post(`${customerPath}/payment-methods`, { token: card }),
    post("/v1/subscriptions", {
      id: "{subscription}",
      customer: "{customer}",
      items,
      ...oneOf(dice, choices),
    }),
  ];
}

/** On most days usage, on some a change. */
function someday(dice: Dice, at: string, number: number): YearDoing["does"][] {
  // Usage that comes late is billed with the next period, so it is of those who never end: their cards always work.
  const isFaithful = number % 3 === 0;
  const does: YearDoing["does"][] = [];
  if (dice(2) === 0) does.push(usage(dice, at, isFaithful && dice(5) === 0));
  if (dice(6) === 0) does.push(change(dice, instant(at), isFaithful));
  if (!isFaithful && dice(40) === 0)
    does.push({ declines: Array.from({ length: 1 + dice(5) }, () => oneOf(dice, declines)) });
  if (dice(30) === 0) does.push(post(`${customerPath}/payment-methods`, { token: oneOf(dice, cards) }));
  if (dice(30) === 0) does.push(credit(dice, instant(at)));
  return does;
}

const declines = ["insufficient_funds", "insufficient_funds", "generic_decline", "lost_card"];

/** Today's, or late: of a period that may be closed. */
function usage(dice: Dice, at: string, isLate: boolean): YearRequest {
  const daysAgo = isLate ? 5 + dice(30) : 0;
  const time = isoOf(addDuration(instant(at), { days: -daysAgo, hours: -1 }, "UTC"));
  const event = { id: `{customer} ${at}`, source: "year", customer: "{customer}", type: "api.calls", time };
  return post("/v1/events", { events: [{ ...event, data: { calls: 1 + dice(400) } }] });
}

function change(dice: Dice, at: Instant, isFaithful: boolean): YearDoing["does"] {
  const later = { at: isoOf(addDuration(at, { days: 1 + dice(40) }, "UTC")) };
  const when = oneOf<unknown>(dice, ["now", "now", "period_end", later]);
  const seats = 1 + dice(9);
  const plan = oneOf(dice, ["solo", "team", "team", "metered", "yearly", "later"]);
  return oneOf<() => YearDoing["does"]>(dice, [
    () => post(`${subscriptionPath}/change-plan`, { plan, seats, when }),
    () => post(`${subscriptionPath}/change-plan`, { plan, seats, when }),
    () => post(`${subscriptionPath}/change-quantity`, { seats, when }),
    () => post(`${subscriptionPath}/change-quantity`, { seats, when }),
    () => post(`${subscriptionPath}/add-ons`, { plan: "support", when }),
    () => post(`${subscriptionPath}/remove-add-on`, { plan: "support", when }),
    () => post(`${subscriptionPath}/pause`, { when }),
    () => post(`${subscriptionPath}/pause`, { usage: "refused", resumes_at: later.at }),
    () => post(`${subscriptionPath}/resume`, { when }),
    () => post(`${subscriptionPath}/resume`),
    () => post(`${subscriptionPath}/end-trial`),
    () => (isFaithful ? "withdraw" : post(`${subscriptionPath}/cancel`, { when })),
    () => post(`${subscriptionPath}/uncancel`),
    () => post(`${subscriptionPath}/uncancel`),
    () => reopening(plan, seats),
    () => reopening(plan, seats),
    () => "withdraw",
  ])();
}

/** Refused as long as the subscription goes on. */
const reopening = (plan: string, seats: number) =>
  post("/v1/subscriptions", {
    id: "{next subscription}",
    customer: "{customer}",
    items: [{ plan, seats }],
    reactivates: "{subscription}",
    trial: "none",
  });

function credit(dice: Dice, at: Instant): YearRequest {
  const amount_minor = String(100 * (1 + dice(40)));
  if (dice(2) === 0) return post(`${customerPath}/credit-purchases`, { amount_minor });
  const expires_at = isoOf(addDuration(at, { days: 20 + dice(60) }, "UTC"));
  return post(`${customerPath}/credit-grants`, { amount_minor, reason_code: "promotion", expires_at });
}

import type { Schemas } from "../../src/sdk/index.ts";
import type { System } from "./system.ts";

export interface StoryOptions {
  /** The customer, its test clock and its subscription are all called so. */
  readonly id: string;
  readonly plan: string;
  readonly seats?: number;
  /** A test card; one that works when left out. */
  readonly card?: string;
  /** A clock that others live on too; one of its own when left out. */
  readonly clock?: string;
}

/** Stories begin with April 2026, which has 30 days; May has 31. */
const beginning = "04-01";

/** `05-01` or `05-01 00:30`, of 2026, as the API wants it. */
export function isoTime(time: string): string {
  const [date, hour = "00:00"] = time.split(" ");
  return `2026-${date}T${hour}:00Z`;
}

export async function createClock({ client }: System, id: string): Promise<void> {
  await client.post("/v1/test-clocks", { body: { id, at: isoTime(beginning) } });
}

/** A customer with a card that works and a subscription, through the public API. */
export async function beginStory(
  system: System,
  { id, plan, seats = 1, card = "pm_card_visa", clock = id }: StoryOptions,
) {
  const { client } = system;
  if (clock === id) await createClock(system, id);
  const person = { id, name: id, email: `${id}@example.com`, currency: "usd", test_clock: clock };
  await client.post("/v1/customers", { body: person });
  const story = new Story(system, id, clock);
  const paymentMethod = await story.newCard(card);
  await client.post("/v1/subscriptions", { body: { id, customer: id, items: [{ plan, seats }] } });
  return Object.assign(story, { paymentMethod });
}

/** What may happen to a customer, each through the public API. */
export class Story {
  readonly #system: System;
  readonly #id: string;
  readonly #clock: string;
  readonly #path: { readonly path: { readonly id: string } };

  constructor(system: System, id: string, clock: string) {
    this.#system = system;
    this.#id = id;
    this.#clock = clock;
    this.#path = { path: { id } };
  }

  /** Time passes. */
  async until(time: string): Promise<void> {
    await this.#system.advance(this.#clock, isoTime(time));
  }

  async uses(calls: number, time: string): Promise<void> {
    const event = { id: `${this.#id} ${time}`, source: "scenario", customer: this.#id, type: "api.calls" };
    const events = [{ ...event, time: isoTime(time), data: { calls } }];
    await this.#system.client.post("/v1/events", { body: { events } });
  }

  /** Answers with the card's id at Stripe. */
  async newCard(token: string): Promise<string> {
    const card = await this.#system.client.post("/v1/customers/{id}/payment-methods", {
      params: this.#path,
      body: { token },
    });
    return card.id;
  }

  /** How the next charges of a card end; after that it works. */
  async declines(paymentMethod: string, outcomes: readonly string[]): Promise<void> {
    const body = { payment_method: paymentMethod, outcomes };
    await this.#system.surroundings.account.control("cards/script", body);
  }

  changePlan(plan: string, seats: number) {
    return this.#system.client.post("/v1/subscriptions/{id}/change-plan", {
      params: this.#path,
      body: { plan, seats },
    });
  }

  changeSeats(seats: number) {
    return this.#system.client.post("/v1/subscriptions/{id}/change-quantity", {
      params: this.#path,
      body: { seats },
    });
  }

  cancel(when: "now" | "period_end") {
    return this.#system.client.post("/v1/subscriptions/{id}/cancel", { params: this.#path, body: { when } });
  }

  pause() {
    return this.#system.client.post("/v1/subscriptions/{id}/pause", { params: this.#path, body: {} });
  }

  resume() {
    return this.#system.client.post("/v1/subscriptions/{id}/resume", { params: this.#path, body: {} });
  }

  buyCredits(amountMinor: string) {
    return this.#system.client.post("/v1/customers/{id}/credit-purchases", {
      params: this.#path,
      body: { amount_minor: amountMinor },
    });
  }

  grantCredits(amountMinor: string) {
    return this.#system.client.post("/v1/customers/{id}/credit-grants", {
      params: this.#path,
      body: { amount_minor: amountMinor, reason_code: "promotion" },
    });
  }

  /** Every charge of an invoice: `first declined 2026-05-01T01:00`. */
  async attempts(invoice: number): Promise<string[]> {
    const { payment_attempts: attempts = [] } = (await this.invoices())[invoice] ?? {};
    return attempts.map(
      ({ cause, outcome, attempted_at: time }) => `${cause} ${outcome} ${time.slice(0, 16)}`,
    );
  }

  async status(): Promise<string> {
    return (await this.#system.client.get("/v1/subscriptions/{id}", { params: this.#path })).status;
  }

  /** Every invoice so far, the oldest first. */
  async invoices(): Promise<Schemas["InvoiceDetail"][]> {
    const { client } = this.#system;
    const { data } = await client.get("/v1/invoices", { params: { query: { customer: this.#id } } });
    const details = data.map(({ id }) => client.get("/v1/invoices/{id}", { params: { path: { id } } }));
    return (await Promise.all(details)).toSorted((one, other) => (one.number < other.number ? -1 : 1));
  }

  /** The same as sums: `cycle: 60 + 3000 − 200 credits = 2860, paid`. */
  async sums(): Promise<string[]> {
    return (await this.invoices()).map(sumOf);
  }

  /** Each credit grant, those that were paid for first: `paid: 350 left, active`. */
  async credits(): Promise<string[]> {
    const grants = await this.#system.client.get("/v1/customers/{id}/credit-grants", { params: this.#path });
    return grants.data
      .map((grant) => `${grant.kind}: ${grant.remaining_minor} left, ${grant.status}`)
      .toSorted();
  }

  /** Cents that we owe the customer. */
  async balance(): Promise<string> {
    const balances = await this.#system.client.get("/v1/customers/{id}/balances", { params: this.#path });
    return balances.data.find(({ account }) => account.startsWith("2200/"))?.balance_minor ?? "0";
  }
}

function sumOf(invoice: Schemas["InvoiceDetail"]): string {
  const { kind, lines, credits_applied_minor: credits, balance_applied_minor: balance, status } = invoice;
  const deductions = [
    { amount: credits, of: " credits" },
    { amount: balance, of: " balance" },
  ].filter(({ amount }) => amount !== "0");
  const terms = [
    ...lines.map((line) => signed(line.amount_minor)),
    ...deductions.map(({ amount, of }) => signed(negative(amount)) + of),
  ];
  const sum = terms.join(" ").replace(/^\+ /, "").replace(/^− /, "−");
  return `${kind}: ${sum} = ${invoice.total_minor}, ${status}`;
}

const signed = (amount: string) => (amount.startsWith("-") ? `− ${amount.slice(1)}` : `+ ${amount}`);
const negative = (amount: string) => (amount.startsWith("-") ? amount.slice(1) : `-${amount}`);

import { setTimeout } from "node:timers/promises";
import { type Instant, instant, isoOf } from "../../domain/calendar/index.ts";
import { BillingError } from "../../domain/errors.ts";
import {
  createReckonerClient,
  ReckonerApiError,
  type ReckonerClient,
  type ReckonerClientOptions,
  type Schemas,
} from "../../sdk/index.ts";
import { createUsageReporter, type UsageAnswer } from "../../sdk/usage/node.ts";
import { catalog, seller } from "./catalog.ts";
import type { CardToken, DemoCustomer } from "./customers.ts";

export type SentEvent = {
  readonly id: string;
  readonly source: string;
  readonly customer: string;
  readonly type: string;
  readonly time: string;
  readonly data: Record<string, string | number>;
};

/** The clock does not move on: what it waits for can be seen in the Temporal UI. */
export class ClockStuckError extends BillingError {
  readonly code = "demo_clock_stuck";
}

/** Some events were not answered for a long time. */
export class UsageNotAnsweredError extends BillingError {
  readonly code = "demo_usage_not_answered";
}

/** How long the API may take for all the usage of one stop. */
const answersWithinMs = 120_000;

const pollMs = 100;
const slowAfterMs = 10_000;

/**
 * All writes of the demo, in its own words. Each has a key made from its fact, for ever: doing it again, after whatever
 * went wrong, is doing it once.
 */
export class DemoApi {
  readonly #access: ReckonerClientOptions & { readonly apiKey: string };
  readonly #reckoner: ReckonerClient;
  readonly #run: string;
  readonly #patienceMs: number;

  /**
   * @param run the demo's name: its test clock, and what all its keys start with
   * @param patienceMs how long the clock may stand at one instant while everything due then is done
   */
  constructor(access: ReckonerClientOptions & { readonly apiKey: string }, run: string, patienceMs: number) {
    this.#access = access;
    this.#reckoner = createReckonerClient(access);
    this.#run = run;
    this.#patienceMs = patienceMs;
  }

  /** What is sold, and who sells it. */
  async publishCatalog(): Promise<void> {
    await this.#reckoner.put("/v1/catalog", { body: catalog });
    await this.#reckoner.put("/v1/seller", { body: seller });
  }

  async createClock(at: Instant): Promise<void> {
    const body = { id: this.#run, at: isoOf(at) };
    await this.#reckoner.post("/v1/test-clocks", { params: this.#keyed("clock"), body });
  }

  /** Where the demo's clock is once it stands still; null when there is none. */
  async clockAtRest(show: (doing: string) => void = () => {}): Promise<Instant | null> {
    let movedAt = performance.now();
    let seenAt = "";
    for (;;) {
      const clock = await this.#findClock();
      if (clock === null) return null;
      if (clock.status === "ready") return instant(clock.current_at);
      if (clock.current_at !== seenAt) movedAt = performance.now();
      seenAt = clock.current_at;
      const standsMs = performance.now() - movedAt;
      if (standsMs > this.#patienceMs) throw this.#stuck(seenAt);
      const since = standsMs < slowAfterMs ? "" : ` for ${Math.round(standsMs / 1_000)} s`;
      show(`the clock is at ${seenAt.slice(0, 16).replace("T", " ")}${since}`);
      await setTimeout(pollMs);
    }
  }

  async advance(to: Instant, show: (doing: string) => void): Promise<void> {
    const iso = isoOf(to);
    await this.#reckoner.post("/v1/test-clocks/{id}/advance", {
      params: { path: { id: this.#run }, ...this.#keyed(`advance/${iso}`) },
      body: { to: iso },
    });
    await this.clockAtRest(show);
  }

  async createCustomer({ id, name, email }: DemoCustomer): Promise<void> {
    const body = { id, name, email, currency: "usd", time_zone: "UTC", test_clock: this.#run };
    await this.#reckoner.post("/v1/customers", { params: this.#keyed(`customer/${id}`), body });
  }

  /** @param occasion tells the cards of one customer apart */
  async setCard(customerId: string, token: CardToken, occasion: string): Promise<void> {
    await this.#reckoner.post("/v1/customers/{id}/payment-methods", {
      params: { path: { id: customerId }, ...this.#keyed(`card/${customerId}/${occasion}`) },
      body: { token },
    });
  }

  async subscribe({ id, plan, seats }: DemoCustomer): Promise<void> {
    await this.#reckoner.post("/v1/subscriptions", {
      params: this.#keyed(`subscription/${id}`),
      // One subscription each: it is called as its customer is.
      body: { id, customer: id, items: [{ plan, seats }] },
    });
  }

  async buyCredits(customerId: string, amountMinor: string): Promise<void> {
    await this.#reckoner.post("/v1/customers/{id}/credit-purchases", {
      params: { path: { id: customerId }, ...this.#keyed(`credits/${customerId}`) },
      body: { amount_minor: amountMinor },
    });
  }

  async changePlan(
    customerId: string,
    change: { readonly plan: string; readonly seats: number },
  ): Promise<void> {
    await this.#reckoner.post("/v1/subscriptions/{id}/change-plan", {
      params: { path: { id: customerId }, ...this.#keyed(`change-plan/${customerId}`) },
      body: change,
    });
  }

  async cancelAtPeriodEnd(customerId: string): Promise<void> {
    await this.#reckoner.post("/v1/subscriptions/{id}/cancel", {
      params: { path: { id: customerId }, ...this.#keyed(`cancel/${customerId}`) },
      body: { when: "period_end" },
    });
  }

  /**
   * What became of each event, by its id: reported as the services of a product report, who batch, compress and repeat.
   * @throws UsageNotAnsweredError
   */
  async sendEvents(events: readonly SentEvent[]): Promise<ReadonlyMap<string, UsageAnswer>> {
    const answers = new Map<string, UsageAnswer>();
    let trouble = "";
    const reporter = createUsageReporter({
      apiUrl: this.#access.baseUrl,
      apiKey: this.#access.apiKey,
      onAnswer: (answer) => void answers.set(answer.id, answer),
      onProblem: ({ code, detail }) => {
        if (!code.startsWith("event_")) trouble = `: ${detail}`;
      },
    });
    for (const event of events) reporter.report(event);
    const isAnswered = await reporter.flush({ deadlineMs: answersWithinMs });
    await reporter.close({ deadlineMs: 0 });
    if (isAnswered) return answers;
    throw new UsageNotAnsweredError(
      `usage is not answered${trouble}: is npm start running? Then run the demo again`,
    );
  }

  async #findClock(): Promise<Schemas["TestClock"] | null> {
    try {
      return await this.#reckoner.get("/v1/test-clocks/{id}", { params: { path: { id: this.#run } } });
    } catch (error) {
      if (error instanceof ReckonerApiError && error.code === "test_clock_not_found") return null;
      throw error;
    }
  }

  #keyed(fact: string) {
    return { header: { "Idempotency-Key": `${this.#run}/${fact}` } };
  }

  #stuck(at: string): ClockStuckError {
    return new ClockStuckError(
      `the test clock has stood at ${at} for ${Math.round(this.#patienceMs / 60_000)} minutes: ` +
        `see in the Temporal UI what clock/${this.#run} waits for, then run the demo again`,
    );
  }
}

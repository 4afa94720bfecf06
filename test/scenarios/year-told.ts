import { setTimeout as delay } from "node:timers/promises";
import type { System } from "../support/system.ts";
import { yearCatalog } from "./year-catalog.ts";
import type { YearDoing, YearRequest, YearStep } from "./year-plan.ts";

/** What became of everything that was asked: `customer-3/12/0: 201` or the code of its refusal. */
export type YearAnswers = readonly string[];

export interface Disturbance {
  /** Begun with each step, and told when it is over. */
  during(step: YearStep, isOver: () => boolean): Promise<void>;
}

/** So many customers do something at once. */
const atOnceMax = 6;
/** A request is repeated for as long, and a clock may stand still: whoever was killed is missed only after ten seconds. */
const patienceMs = 120_000;

/** Lives a year through the public API: at each instant the clock is moved, and then everybody does what is planned. */
export async function tellYear(
  system: System,
  steps: readonly YearStep[],
  disturbance?: Disturbance,
): Promise<YearAnswers> {
  const { client } = system;
  await client.put("/v1/catalog", { body: yearCatalog });
  await client.post("/v1/test-clocks", { body: { id: "year", at: "2026-01-01T00:00:00Z" } });
  const teller = new Teller(system);
  for (const step of steps) {
    let isOver = false;
    const disturbed = disturbance?.during(step, () => isOver);
    try {
      await system.advance("year", step.at, { patienceMs });
      await teller.tell(step.doings);
    } finally {
      isOver = true;
    }
    await disturbed;
  }
  return teller.answers.toSorted();
}

class Teller {
  readonly answers: string[] = [];
  readonly #system: System;
  /** How many subscriptions each customer has had. */
  readonly #subscriptions = new Map<string, number>();
  readonly #cards = new Map<string, string>();

  constructor(system: System) {
    this.#system = system;
  }

  /** Each customer does one thing after the other; customers do not wait for each other. */
  async tell(doings: readonly YearDoing[]): Promise<void> {
    const turns = Map.groupBy(doings, ({ customer }) => customer).values();
    const teller = async () => {
      for (const turn of turns) for (const doing of turn) await this.#do(doing);
    };
    await Promise.all(Array.from({ length: atOnceMax }, teller));
  }

  async #do({ customer, key, does }: YearDoing): Promise<void> {
    if (does === "withdraw") return await this.#withdraw(customer, key);
    if ("declines" in does) {
      const body = { payment_method: this.#cards.get(customer), outcomes: does.declines };
      await this.#system.surroundings.account.control("cards/script", body);
      return;
    }
    const { status, body } = await this.#ask(customer, key, does);
    this.answers.push(`${key} ${does.path}: ${body.code ?? status}`);
    if (does.path === "/v1/subscriptions" && status < 300) {
      this.#subscriptions.set(customer, this.#count(customer) + 1);
    }
    if (does.path.endsWith("/payment-methods")) this.#cards.set(customer, String(body.id));
  }

  async #withdraw(customer: string, key: string): Promise<void> {
    const path = `/v1/subscriptions/${this.#subscriptionOf(customer)}/scheduled-changes`;
    const { body } = await this.#request("GET", path, key);
    const ahead = (body.data ?? []) as readonly { readonly id: string; readonly status: string }[];
    const first = ahead.find(({ status }) => status === "pending");
    if (first === undefined) return;
    const { status } = await this.#request("DELETE", `${path}/${first.id}`, key);
    this.answers.push(`${key} withdraw ${first.id}: ${status}`);
  }

  async #ask(customer: string, key: string, { method, path, body }: YearRequest) {
    const names: Record<string, string> = {
      "{customer}": customer,
      "{subscription}": this.#subscriptionOf(customer),
      "{next subscription}": `${customer}-${this.#count(customer)}`,
    };
    const filled = (text: string) => text.replaceAll(/\{[a-z ]+\}/g, (name) => names[name] ?? name);
    const content = body === undefined ? undefined : filled(JSON.stringify(body));
    return await this.#request(method, filled(path), key, content);
  }

  /** Asks again, under the same key, until there is an answer that is not about a part that is away. */
  async #request(method: string, path: string, key: string, body?: string) {
    const { apiUrl, apiKey } = this.#system.surroundings;
    const authorization = `Bearer ${apiKey}`;
    const type = body === undefined ? undefined : { "content-type": "application/json" };
    const headers = { authorization, "idempotency-key": key, ...type };
    const deadline = performance.now() + patienceMs;
    for (;;) {
      const response = await fetch(`${apiUrl}${path}`, { method, headers, ...(body && { body }) });
      const { status } = response;
      const answer = JSON.parse((await response.text()) || "{}") as Record<string, unknown>;
      const isPassing = status >= 500 || answer.code === "idempotency_in_progress";
      if (!isPassing || performance.now() > deadline) return { status, body: answer };
      await delay(200);
    }
  }

  #count(customer: string): number {
    return this.#subscriptions.get(customer) ?? 0;
  }

  /** The newest one; the first one before there is any. */
  #subscriptionOf(customer: string): string {
    return `${customer}-${Math.max(0, this.#count(customer) - 1)}`;
  }
}

import { setTimeout as delay } from "node:timers/promises";
import { expect } from "vitest";
import type { BatchAnswer } from "../api/support/ingest-api.ts";
import { batchAt, batchesOf, batchText, clients, type SentEvent } from "./soak-batches.ts";
import { idOf } from "./soak-events.ts";

export interface SoakTarget {
  /** All lead to the same database. */
  readonly urls: readonly string[];
  readonly key: string;
}

/** An API that neither answers nor goes away is asked again after so long. */
const patienceMs = 60_000;

/** Eight clients, one request at a time each, that repeat a batch unchanged until it is answered. */
export class SoakClients {
  /** Events of the batches that were answered. */
  answered = 0;
  /** As the answers say: what was answered to nobody is known to the database alone. */
  accepted = 0;
  /** Requests that were not answered, by what came instead. */
  readonly unanswered: Record<string, number> = {};
  /** Events of batches that were sent more than once. */
  inDoubt = 0;
  readonly #target: SoakTarget;
  readonly #events: number;

  /** @param events a multiple of the number of clients */
  constructor(target: SoakTarget, events: number) {
    this.#target = target;
    this.#events = events;
  }

  /** Settles when everything was answered. */
  async run(): Promise<void> {
    await Promise.all(Array.from({ length: clients }, (_, client) => this.#sendAll(client)));
  }

  async #sendAll(client: number): Promise<void> {
    for (let place = 0; place < batchesOf(this.#events); place++) {
      const batch = batchAt(this.#events, client, place);
      if (batch.length > 0) this.#note(batch, await this.#insist(batch, client + place));
    }
  }

  async #insist(batch: readonly SentEvent[], first: number): Promise<BatchAnswer> {
    const text = batchText(batch);
    for (let attempt = 0; ; attempt++) {
      const { urls, key } = this.#target;
      const answer = await send(urls[(first + attempt) % urls.length] ?? "", key, text);
      if (typeof answer !== "string") return answer;
      this.unanswered[answer] = (this.unanswered[answer] ?? 0) + 1;
      if (attempt === 0) this.inDoubt += batch.length;
      await delay(100);
    }
  }

  #note(batch: readonly SentEvent[], { results, ...numbers }: BatchAnswer): void {
    const contradictions = batch.filter(({ version }) => version === "other");
    expect(results.map(({ id, status }) => `${id} ${status}`)).toEqual(
      contradictions.map(({ index }) => `${idOf(index)} conflict`),
    );
    const { accepted, duplicates, ...others } = numbers;
    expect(others).toEqual({ conflicts: contradictions.length, invalid: 0, quarantined: 0 });
    expect(accepted + duplicates + contradictions.length).toBe(batch.length);
    this.accepted += accepted;
    this.answered += batch.length;
  }
}

/** The answer, or what came instead. */
async function send(url: string, key: string, body: string): Promise<BatchAnswer | string> {
  try {
    const response = await fetch(`${url}/v1/events?results=problems`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body,
      signal: AbortSignal.timeout(patienceMs),
    });
    const text = await response.text();
    if (response.ok) return JSON.parse(text) as BatchAnswer;
    if (response.status === 429 || response.status === 503) return String(response.status);
    throw new SoakRefusedError(`${response.status}: ${text}`);
  } catch (error) {
    if (error instanceof SoakRefusedError) throw error;
    return error instanceof Error && error.name === "TimeoutError" ? "no answer" : "cut off";
  }
}

/** To send it again would not help. */
class SoakRefusedError extends Error {}

import { webhookFaultActions } from "../http/fault-rules.ts";
import type { Instruments } from "../http/instruments.ts";
import { thinNotification } from "../resources/emit-thin.ts";
import { render } from "../resources/render.ts";
import type { Account } from "../state/account.ts";
import type { Accounts } from "../state/accounts.ts";
import type { WebhookEndpoint } from "../state/objects.ts";
import type { Delivery } from "../state/own-objects.ts";
import { signatureHeader } from "./signature.ts";

const timeoutMs = 10_000;
/** `reorder` holds a delivery back this long, so that events after it arrive first. */
const reorderMs = 400;

/**
 * Delivers events as real signed posts. Deliveries run side by side, so their order is not kept; each outcome
 * is committed, so that a restart goes on where it stopped.
 */
export class WebhookOutbox {
  readonly #accounts: Accounts;
  readonly #instruments: Instruments;
  readonly #retryDelaysMs: readonly number[];
  readonly #timers = new Map<string, NodeJS.Timeout>();
  readonly #abort = new AbortController();
  readonly #spoiled = new Map<string, "bad_signature" | "duplicate">();

  constructor(accounts: Accounts, instruments: Instruments, retryDelaysMs: readonly number[]) {
    this.#accounts = accounts;
    this.#instruments = instruments;
    this.#retryDelaysMs = retryDelaysMs;
    accounts.onPendingDelivery((account, delivery) => this.#schedule(account, delivery));
  }

  /** Takes up what was pending when the process last ended. */
  resume(): void {
    for (const account of this.#accounts.all()) {
      for (const delivery of account.rows("delivery").newestFirst()) {
        if (delivery.state === "pending") this.#schedule(account, delivery);
      }
    }
  }

  close(): void {
    this.#abort.abort();
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }

  #schedule(account: Account, delivery: Delivery): void {
    if (this.#abort.signal.aborted) return;
    clearTimeout(this.#timers.get(delivery.id));
    const waitMs = Math.max(0, delivery.next_attempt_at_ms - Date.now());
    const timer = setTimeout(() => {
      this.#timers.delete(delivery.id);
      void this.#attempt(account, delivery.id);
    }, waitMs);
    this.#timers.set(delivery.id, timer);
  }

  async #attempt(account: Account, deliveryId: string): Promise<void> {
    const delivery = account.rows("delivery").get(deliveryId);
    const endpoint = delivery && account.rows("webhook_endpoint").get(delivery.endpoint);
    const event = delivery && eventNamed(account, delivery.event);
    if (!delivery || !event || delivery.state !== "pending") return;
    if (endpoint?.status !== "enabled")
      return this.#conclude(account, delivery, { ok: false, result: "endpoint gone" }, false);
    if (delivery.attempts === 0 && this.#heldBack(account, delivery, event.type)) return;
    const payload = this.#accounts.transact(account, (tx) =>
      JSON.stringify(event.object === "event" ? render(tx, event) : thinNotification(event)),
    );
    const spoiled = this.#spoiled.get(delivery.id);
    this.#spoiled.delete(delivery.id);
    const outcome = await this.#post(endpoint, payload, spoiled === "bad_signature");
    if (spoiled === "duplicate") await this.#post(endpoint, payload, false);
    if (this.#abort.signal.aborted) return;
    this.#conclude(account, delivery, outcome, true);
  }

  /** Applies a webhook fault to a first attempt. True when it must not be sent now. */
  #heldBack(account: Account, delivery: Delivery, eventType: string): boolean {
    if (delivery.last_result === "held back") return false;
    const fault = this.#instruments
      .faults(account)
      .fire(webhookFaultActions, { name: eventType }, delivery.event);
    switch (fault?.action) {
      case "drop":
        this.#accounts.transact(account, (tx) =>
          tx.put({ ...delivery, state: "dropped", last_result: "dropped" }),
        );
        return true;
      case "delay":
      case "reorder": {
        const waitMs = fault.action === "delay" ? fault.milliseconds : reorderMs;
        const held = { ...delivery, next_attempt_at_ms: Date.now() + waitMs, last_result: "held back" };
        this.#accounts.transact(account, (tx) => tx.put(held));
        return true;
      }
      case "bad_signature":
      case "duplicate":
        this.#spoiled.set(delivery.id, fault.action);
        return false;
      default:
        return false;
    }
  }

  async #post(
    endpoint: WebhookEndpoint,
    payload: string,
    isSpoiled: boolean,
  ): Promise<{ ok: boolean; result: string }> {
    const nowMs = Date.now();
    const valid = endpoint.secrets.filter(({ expires_at_ms: expiry }) => expiry === null || expiry > nowMs);
    const secrets = isSpoiled ? ["whsec_of_somebody_else"] : valid.map(({ secret }) => secret);
    try {
      const response = await fetch(endpoint.url, {
        method: "POST",
        redirect: "manual",
        headers: {
          "Content-Type": "application/json; charset=utf-8",
          "Stripe-Signature": signatureHeader(payload, secrets, Math.floor(nowMs / 1000)),
          "User-Agent": "Stripe/1.0 (stand-in)",
        },
        body: payload,
        signal: AbortSignal.any([this.#abort.signal, AbortSignal.timeout(timeoutMs)]),
      });
      await response.body?.cancel();
      return { ok: response.ok, result: `HTTP ${response.status}` };
    } catch (error) {
      return { ok: false, result: error instanceof Error ? error.message : "failed" };
    }
  }

  #conclude(
    account: Account,
    delivery: Delivery,
    outcome: { ok: boolean; result: string },
    mayRetry: boolean,
  ): void {
    const wasForgotten = account.rows("delivery").get(delivery.id) === undefined;
    if (wasForgotten) return;
    const attempts = delivery.attempts + 1;
    const delayMs = mayRetry ? this.#retryDelaysMs[delivery.attempts] : undefined;
    const after: Delivery = {
      ...delivery,
      attempts,
      last_result: outcome.result,
      state: outcome.ok ? "delivered" : delayMs === undefined ? "failed" : "pending",
      next_attempt_at_ms: Date.now() + (delayMs ?? 0),
    };
    this.#accounts.transact(account, (tx) => tx.put(after));
  }
}

const eventNamed = (account: Account, id: string) =>
  account.rows("event").get(id) ?? account.rows("thin_event").get(id);

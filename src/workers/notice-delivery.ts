import type { Logger } from "pino";
import { Counter, type Registry } from "prom-client";
import { inTransaction } from "../db/database.ts";
import { composeNotices } from "../db/notices/compose-notices.ts";
import { type ClaimedDelivery, claimDeliveries, finishAttempt } from "../db/notices/deliveries.ts";
import { noteFailing, noteWorking } from "../db/notices/endpoints.ts";
import type { Instant } from "../domain/calendar/index.ts";
import { retryAfterMs } from "../domain/notices/index.ts";
import { type AttemptParts, attemptDelivery } from "./notice-attempt.ts";
import { type RepeatedWork, repeatWork } from "./repeated-work.ts";

export interface NoticeDeliveryOptions extends AttemptParts {
  readonly logger: Logger;
  readonly metrics: Registry;
  /** How often it is looked for what is new or due. */
  readonly everyMs?: number;
}

/** Attempts that are under way at once in one process, and of those to one receiver. */
const [atOnceMax, perReceiverMax] = [32, 8];

/**
 * For as long as the worker runs: composes what is to be told, and delivers what is due, at least once, under the same id each
 * time. Any number of workers may do it. One that dies loses nothing: what it had claimed is claimed again after a minute.
 */
export function startNoticeDelivery(options: NoticeDeliveryOptions): RepeatedWork {
  const { logger, everyMs = 500 } = options;
  const deliverer = new Deliverer(options);
  const composing = repeatWork({
    everyMs,
    logger,
    failing: "notices cannot be composed; trying again",
    again: "notices are composed again",
    work: () => deliverer.compose(),
  });
  const delivering = repeatWork({
    everyMs,
    logger,
    failing: "notices cannot be delivered; trying again",
    again: "notices are delivered again",
    work: () => deliverer.deliver(),
  });
  return {
    async stop() {
      await Promise.all([composing.stop(), delivering.stop()]);
      await deliverer.settled();
    },
  };
}

/** What is under way in one process. */
class Deliverer {
  readonly #options: NoticeDeliveryOptions;
  readonly #underWay = new Map<string, { readonly receiver: string; readonly ending: Promise<void> }>();
  /** Notices that could not be composed: left out until the next look that finds nothing else. */
  #uncomposed = new Set<string>();
  readonly #attempts: Counter<"channel" | "outcome">;

  constructor(options: NoticeDeliveryOptions) {
    this.#options = options;
    this.#attempts = new Counter({
      name: "reckoner_notice_attempts_total",
      help: "Attempts to deliver a notice",
      labelNames: ["channel", "outcome"],
      registers: [options.metrics],
    });
  }

  async compose(): Promise<boolean> {
    const { db, mail, operatorEmail, now, logger } = this.#options;
    const { composed, failures } = await composeNotices(db, {
      now: now(),
      hasMail: mail !== null,
      hasOperator: operatorEmail !== null,
      except: this.#uncomposed,
    });
    for (const [id, error] of failures) {
      logger.error({ notice_id: id, err: error }, "a notice cannot be composed");
      this.#uncomposed.add(id);
    }
    if (composed.length + failures.size === 0) this.#uncomposed = new Set();
    return composed.length + failures.size > 0;
  }

  /** Takes on what is due as far as there is room; true when there may be more. */
  async deliver(): Promise<boolean> {
    const { db, mail, now } = this.#options;
    const room = atOnceMax - this.#underWay.size;
    if (room === 0) {
      await Promise.race([...this.#underWay.values()].map(({ ending }) => ending));
      return true;
    }
    const claimed = await claimDeliveries(db.orm, {
      now: now(),
      limit: room,
      perReceiverMax,
      underWay: this.#perReceiver(),
      hasMail: mail !== null,
    });
    for (const each of claimed) this.#take(each);
    return claimed.length > 0;
  }

  async settled(): Promise<void> {
    await Promise.all([...this.#underWay.values()].map(({ ending }) => ending));
  }

  #perReceiver(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const { receiver } of this.#underWay.values()) counts[receiver] = (counts[receiver] ?? 0) + 1;
    return counts;
  }

  #take(claimed: ClaimedDelivery): void {
    const { logger } = this.#options;
    // Its claim runs out, and then it is made again.
    const lost = (error: unknown) =>
      logger.warn({ delivery_id: claimed.id, err: error }, "what became of a notice was not written down");
    const ending = this.#attempt(claimed)
      .catch(lost)
      .finally(() => this.#underWay.delete(claimed.id));
    this.#underWay.set(claimed.id, { receiver: claimed.endpoint_id ?? "email", ending });
  }

  async #attempt(claimed: ClaimedDelivery): Promise<void> {
    const { db, now, logger } = this.#options;
    const { retryAfterMs: askedForMs, isGone, ...outcome } = await attemptDelivery(this.#options, claimed);
    const endedAt = now();
    const pauseMs = retryAfterMs(claimed.round, Math.random(), askedForMs);
    const retryAt = pauseMs === null ? null : ((endedAt + pauseMs) as Instant);
    const isDelivered = outcome.error === null;
    await inTransaction(db, async (tx) => {
      await finishAttempt(tx, claimed, outcome, { now: endedAt, retryAt });
      const { endpoint_id: endpointId } = claimed;
      if (endpointId === null) return;
      if (isDelivered) await noteWorking(tx, endpointId);
      else await noteFailing(tx, endpointId, endedAt, isGone);
    });
    const channel = claimed.endpoint_id === null ? "email" : "webhook";
    this.#attempts.inc({ channel, outcome: isDelivered ? "delivered" : "failed" });
    const { status, latencyMs: latency_ms, error } = outcome;
    const about = { delivery_id: claimed.id, attempt: claimed.attempt, status, latency_ms };
    if (isDelivered) logger.debug(about, "notice delivered");
    else logger.info({ ...about, error, given_up: retryAt === null }, "notice not delivered");
  }
}

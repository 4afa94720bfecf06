import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { Registry } from "prom-client";
import { insertCustomer } from "../../../src/db/billing/customers.ts";
import { type Database, inSnapshot, inTransaction, openDatabase } from "../../../src/db/database.ts";
import { addSecret, newSigningSecret } from "../../../src/db/notices/endpoint-secrets.ts";
import { insertEndpoint } from "../../../src/db/notices/endpoints.ts";
import { enqueueNotice, noticeIdOf } from "../../../src/db/notices/enqueue-notice.ts";
import { attemptsOfDelivery, findDelivery } from "../../../src/db/notices/notices.ts";
import { type Instant, instant, instantOfEpochMs } from "../../../src/domain/calendar/index.ts";
import type { NoticeKind } from "../../../src/domain/notices/index.ts";
import { createLogger } from "../../../src/logger.ts";
import { type NoticeDeliveryOptions, startNoticeDelivery } from "../../../src/workers/notice-delivery.ts";
import { cloneDatabase } from "../../support/postgres.ts";

/** A database with a customer, and the part that delivers notices, on a wall clock that is moved by hand. */
export class PostOffice {
  readonly db: Database;
  readonly appUrl: string;
  readonly sealingKeys: readonly Uint8Array[] = [randomBytes(32)];
  /** Everything that was logged, as text. */
  log = "";
  readonly #drop: () => Promise<unknown>;
  readonly #stopping: (() => Promise<unknown>)[] = [];
  #aheadMs = 0;

  private constructor(appUrl: string, drop: () => Promise<unknown>) {
    this.appUrl = appUrl;
    this.db = openDatabase({ url: appUrl, poolSize: 10 });
    this.#drop = drop;
  }

  static async open(): Promise<PostOffice> {
    const { appUrl, drop } = await cloneDatabase();
    const office = new PostOffice(appUrl, drop);
    await insertCustomer(office.db.orm, {
      id: "acme",
      name: "Acme <Robotics>",
      email: "billing@acme.test",
      currency: "usd",
      timeZone: "Europe/Berlin",
      testClockId: null,
      createdAt: instant("2026-01-01T00:00:00Z"),
    });
    return office;
  }

  now = (): Instant => instantOfEpochMs(Date.now() + this.#aheadMs);

  /** Lets time pass on the wall clock that deliveries go by. */
  pass(ms: number): void {
    this.#aheadMs += ms;
  }

  /** Starts delivering; with private addresses allowed, as receivers of tests have no others. */
  start(options: Partial<NoticeDeliveryOptions> = {}): { stop(): Promise<void> } {
    const logger = createLogger({ level: "debug", format: "json" }, "worker", {
      write: (line) => {
        this.log += line;
      },
    });
    const running = startNoticeDelivery({
      db: this.db,
      now: this.now,
      logger,
      metrics: new Registry(),
      sealingKeys: this.sealingKeys,
      post: { timeoutMs: 2_000, privateAllowed: true },
      mail: null,
      operatorEmail: null,
      everyMs: 20,
      ...options,
    });
    this.#stopping.push(() => running.stop());
    return running;
  }

  /** Gives the endpoint's secret. */
  async endpoint(id: string, url: string, kinds: NoticeKind[] | null = null): Promise<string> {
    const secret = newSigningSecret();
    const at = this.now();
    await inTransaction(this.db, async (tx) => {
      await insertEndpoint(tx, { id, url, description: null, kinds, createdAt: at });
      await addSecret(tx, this.sealingKeys, { endpointId: id, text: secret, at }, at);
    });
    return secret;
  }

  /** Tells of a card that expires. Gives the notice's id. */
  async tell(key: string, customerId = "acme"): Promise<string> {
    await inTransaction(this.db, (tx) =>
      enqueueNotice(tx, {
        key,
        kind: "payment_method.expiring",
        customerId,
        subject: { brand: "visa", last4: "4242", expMonth: 3, expYear: 2026 },
        occurredAt: instant("2026-03-01T00:00:00Z"),
      }),
    );
    return noticeIdOf(key);
  }

  /** A delivery and its log, once it has come so far. */
  async delivery(id: string, until: (found: Awaited<ReturnType<PostOffice["look"]>>) => boolean) {
    const deadline = performance.now() + 20_000;
    for (;;) {
      const found = await this.look(id);
      if (until(found)) return found;
      if (performance.now() > deadline) throw new Error(`waited in vain: ${JSON.stringify(found)}`);
      await delay(10);
    }
  }

  /** As of one moment: an attempt is written together with what follows from it. */
  look(id: string) {
    return inSnapshot(this.db, async (tx) => {
      const found = await findDelivery(tx, id);
      const attempts = await attemptsOfDelivery(tx, id);
      return { state: found?.state, next: found?.nextAttemptAt ?? 0, attempts };
    });
  }

  async close(): Promise<void> {
    for (const stop of this.#stopping) await stop();
    await this.db.close();
    await this.#drop();
  }
}

export const until = async (condition: () => boolean | Promise<boolean>, ms = 20_000): Promise<void> => {
  const deadline = performance.now() + ms;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error("waited in vain");
    await delay(10);
  }
};

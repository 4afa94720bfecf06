import type { Logger } from "pino";
import { Gauge, type Registry } from "prom-client";
import { type WebhookBacklog, webhookBacklog } from "../db/billing/webhook-inbox.ts";
import type { Database } from "../db/database.ts";

const gauges = [
  {
    name: "reckoner_webhooks_waiting",
    help: "Webhooks that were received and are not applied yet.",
    of: ({ waiting }: WebhookBacklog) => waiting,
  },
  {
    name: "reckoner_webhooks_parked",
    help: "Webhooks that could not be applied and wait for a person.",
    of: ({ parked }: WebhookBacklog) => parked,
  },
  {
    name: "reckoner_webhooks_oldest_waiting_seconds",
    help: "Time since the oldest waiting webhook was received; 0 when none waits.",
    of: ({ oldestWaitingSeconds }: WebhookBacklog) => oldestWaitingSeconds,
  },
];

/** Says at each scrape how the webhook inbox stands; while the database is away, nothing. */
export function measureWebhookInbox(db: Database, logger: Logger, metrics: Registry): void {
  let looking: Promise<WebhookBacklog | undefined> | undefined;

  /** The gauges are collected side by side: one look answers all of them. */
  function look(): Promise<WebhookBacklog | undefined> {
    looking ??= webhookBacklog(db.orm)
      .catch((error: unknown) => {
        logger.warn({ err: error }, "the webhook inbox cannot be measured");
        return undefined;
      })
      .finally(() => {
        looking = undefined;
      });
    return looking;
  }

  for (const { name, help, of } of gauges) {
    new Gauge({
      name,
      help,
      registers: [metrics],
      async collect() {
        const backlog = await look();
        // Not zero: nobody knows.
        if (backlog === undefined) this.remove();
        else this.set(of(backlog));
      },
    });
  }
}

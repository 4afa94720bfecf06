import type { Logger } from "pino";
import type { Registry } from "prom-client";
import { type WebhookBacklog, webhookBacklog } from "../db/billing/webhook-inbox.ts";
import type { Database } from "../db/database.ts";
import { type BacklogGauge, measureBacklog } from "./backlog-gauges.ts";

const gauges: readonly BacklogGauge<WebhookBacklog>[] = [
  {
    name: "reckoner_webhooks_waiting",
    help: "Webhooks that were received and are not applied yet.",
    of: ({ waiting }) => waiting,
  },
  {
    name: "reckoner_webhooks_parked",
    help: "Webhooks that could not be applied and wait for a person.",
    of: ({ parked }) => parked,
  },
  {
    name: "reckoner_webhooks_oldest_waiting_seconds",
    help: "Time since the oldest waiting webhook was received; 0 when none waits.",
    of: ({ oldestWaitingSeconds }) => oldestWaitingSeconds,
  },
];

/** Says at each scrape how the webhook inbox stands; while the database is away, nothing. */
export function measureWebhookInbox(db: Database, logger: Logger, metrics: Registry): void {
  const read = () => webhookBacklog(db.orm);
  measureBacklog({ what: "the webhook inbox", read, gauges, logger, metrics });
}

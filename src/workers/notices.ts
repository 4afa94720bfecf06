import type { Logger } from "pino";
import { Gauge, type Registry } from "prom-client";
import type { WorkerConfig } from "../config.ts";
import type { Database } from "../db/database.ts";
import { type DeliveryBacklog, deliveryBacklog } from "../db/notices/deliveries.ts";
import type { Instant } from "../domain/calendar/index.ts";
import { startNoticeDelivery } from "./notice-delivery.ts";
import { startNoticeLookahead } from "./notice-lookahead.ts";
import { smtpSender } from "./notice-mail.ts";
import type { RepeatedWork } from "./repeated-work.ts";

/** Longer than anybody takes who takes a notice and works on it later. */
const postTimeoutMs = 15_000;

export interface NoticesOptions extends Pick<WorkerConfig, "webhookEndpoints" | "mail"> {
  readonly db: Database;
  readonly now: () => Instant;
  readonly logger: Logger;
  readonly metrics: Registry;
}

/** All that has to do with telling customers: looking ahead, delivering, and saying how that stands. */
export function startNotices({
  webhookEndpoints: { sealingKeys, privateAllowed },
  mail: { smtp, operatorEmail },
  ...parts
}: NoticesOptions): RepeatedWork {
  const mail = smtp === undefined ? null : smtpSender(smtp);
  const post = { timeoutMs: postTimeoutMs, privateAllowed };
  const lookahead = startNoticeLookahead(parts);
  const delivery = startNoticeDelivery({ ...parts, sealingKeys, post, mail, operatorEmail });
  measureBacklog(parts);
  return {
    async stop() {
      await Promise.all([lookahead.stop(), delivery.stop()]);
      mail?.close();
    },
  };
}

const gauges = [
  {
    name: "reckoner_notices_waiting",
    help: "Deliveries of notices that are to be made.",
    of: ({ waiting }: DeliveryBacklog) => waiting,
  },
  {
    name: "reckoner_notices_to_compose",
    help: "Notices that are not composed yet.",
    of: ({ toCompose }: DeliveryBacklog) => toCompose,
  },
  {
    name: "reckoner_notices_oldest_due_seconds",
    help: "Time for which the oldest delivery has been due; 0 when none is.",
    of: ({ oldestDueSeconds }: DeliveryBacklog) => oldestDueSeconds,
  },
];

function measureBacklog({
  db,
  now,
  logger,
  metrics,
}: Pick<NoticesOptions, "db" | "now" | "logger" | "metrics">): void {
  for (const { name, help, of } of gauges) {
    new Gauge({
      name,
      help,
      registers: [metrics],
      async collect() {
        try {
          this.set(of(await deliveryBacklog(db.orm, now())));
        } catch (error) {
          logger.warn({ err: error }, "the backlog of notices cannot be measured");
          // Not zero: nobody knows.
          this.remove();
        }
      },
    });
  }
}

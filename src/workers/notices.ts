import type { Logger } from "pino";
import type { Registry } from "prom-client";
import type { WorkerConfig } from "../config.ts";
import type { Database } from "../db/database.ts";
import { type DeliveryBacklog, deliveryBacklog } from "../db/notices/deliveries.ts";
import type { Instant } from "../domain/calendar/index.ts";
import { type BacklogGauge, measureBacklog } from "./backlog-gauges.ts";
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
  const { db, now, logger, metrics } = parts;
  const read = () => deliveryBacklog(db.orm, now());
  measureBacklog({ what: "the backlog of notices", read, gauges, logger, metrics });
  return {
    async stop() {
      await Promise.all([lookahead.stop(), delivery.stop()]);
      mail?.close();
    },
  };
}

const gauges: readonly BacklogGauge<DeliveryBacklog>[] = [
  {
    name: "reckoner_notices_waiting",
    help: "Deliveries of notices that are to be made.",
    of: ({ waiting }) => waiting,
  },
  {
    name: "reckoner_notices_to_compose",
    help: "Notices that are not composed yet.",
    of: ({ toCompose }) => toCompose,
  },
  {
    name: "reckoner_notices_oldest_due_seconds",
    help: "Time for which the oldest delivery has been due; 0 when none is.",
    of: ({ oldestDueSeconds }) => oldestDueSeconds,
  },
];

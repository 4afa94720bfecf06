import type { Client } from "@temporalio/client";
import type { DatabaseConfig, StripeConfig } from "./config.ts";
import { operationLog } from "./db/billing/stripe-operations.ts";
import { turnsOf } from "./db/billing/stripe-turns.ts";
import { type Database, openDatabase } from "./db/database.ts";
import { type Instant, instantOfEpochMs } from "./domain/calendar/index.ts";
import { createStripe, type StripeRail, stripeRail } from "./stripe/index.ts";
import { TemporalGateway } from "./temporal/gateway.ts";
import { TemporalOperators } from "./temporal/operators.ts";
import { TemporalQueues } from "./temporal/queues.ts";

/** What API and workers both act on. */
export interface Parts {
  readonly db: Database;
  readonly rail: StripeRail;
  readonly gateway: TemporalGateway;
  /** How operators look at runs and act on them. */
  readonly operators: TemporalOperators;
  readonly queues: TemporalQueues;
  /** The wall clock. */
  readonly now: () => Instant;
}

/** The database, Stripe and Temporal put together as configured. */
export function compose(
  database: DatabaseConfig,
  stripe: StripeConfig,
  client: Client,
  taskQueue: string,
  applicationName: string,
): Parts {
  const db = openDatabase({ ...database, applicationName });
  return {
    db,
    rail: railTo(stripe, db),
    gateway: new TemporalGateway(client, taskQueue),
    operators: new TemporalOperators(client, taskQueue),
    queues: new TemporalQueues(client, taskQueue),
    now,
  };
}

const now = (): Instant => instantOfEpochMs(Date.now());

function railTo({ apiKey, apiBase, collecting, pace }: StripeConfig, db: Database): StripeRail {
  const base = apiBase && `${apiBase.protocol}://${apiBase.host}:${apiBase.port}`;
  const opened = (key: string) => createStripe({ apiKey: key, apiBase: base, takeTurn: turnsOf(db, pace) });
  return stripeRail(opened(apiKey), operationLog(db), collecting, opened);
}

import { integer, primaryKey, text } from "drizzle-orm/pg-core";
import { access } from "./access.ts";
import { instantColumn } from "./columns.ts";

/** What operators can do: to runs, and to task queues. */
export const operationActions = [
  "retry",
  "skip",
  "reset",
  "cancel",
  "signal",
  "pause_queue",
  "unpause_queue",
] as const;
export type OperationAction = (typeof operationActions)[number];

const asked = {
  id: text().primaryKey(),
  action: text().$type<OperationAction>().notNull(),
  /** What runs are told. */
  signal: text(),
  /** By which they were found; null when they were named. */
  query: text(),
  reason: text().notNull(),
  targets: integer().notNull(),
  requestedBy: text("requested_by").notNull(),
  requestedAt: instantColumn("requested_at").notNull(),
};

export const operation = access.table("operation", asked);

export const operationTarget = access.table(
  "operation_target",
  {
    operationId: text("operation_id").notNull(),
    position: integer().notNull(),
    /** A workflow's id, or the name of a queue. */
    target: text().notNull(),
    runId: text("run_id"),
  },
  (table) => [primaryKey({ columns: [table.operationId, table.position] })],
);

export const operationOutcome = access.table(
  "operation_outcome",
  {
    operationId: text("operation_id").notNull(),
    position: integer().notNull(),
    outcome: text().$type<"done" | "refused">().notNull(),
    code: text(),
    detail: text(),
  },
  (table) => [primaryKey({ columns: [table.operationId, table.position] })],
);

/** An operation and how far it is. */
export const operationStanding = access
  .view("operation_standing", {
    ...asked,
    done: integer().notNull(),
    refused: integer().notNull(),
    pending: integer().notNull(),
  })
  .existing();

import { bigint, customType, integer, primaryKey, text, uuid } from "drizzle-orm/pg-core";
import { instantColumn } from "./columns.ts";
import { usage } from "./usage.ts";

const bytesColumn = customType<{ data: Buffer }>({ dataType: () => "bytea" });

/** How far each partition of a log was read. */
export const logPosition = usage.table(
  "log_position",
  {
    topicId: uuid("topic_id").notNull(),
    partition: integer().notNull(),
    topic: text().notNull(),
    /** Where reading began. */
    firstOffset: bigint("first_offset", { mode: "bigint" }).notNull(),
    nextOffset: bigint("next_offset", { mode: "bigint" }).notNull(),
    claim: bigint({ mode: "bigint" }).notNull(),
    claimedBy: text("claimed_by").notNull(),
    claimedAt: instantColumn("claimed_at").notNull(),
    movedAt: instantColumn("moved_at"),
  },
  (table) => [primaryKey({ columns: [table.topicId, table.partition] })],
);

/** What was in a log and could not be taken in. */
export const logRefusal = usage.table(
  "log_refusal",
  {
    topicId: uuid("topic_id").notNull(),
    partition: integer().notNull(),
    messageOffset: bigint("message_offset", { mode: "bigint" }).notNull(),
    /** From 1 in its message; 0: the message as a whole. */
    eventNumber: integer("event_number").notNull(),
    code: text().notNull(),
    field: text(),
    detail: text().notNull(),
    content: bytesColumn().notNull(),
    contentBytes: bigint("content_bytes", { mode: "bigint" }).notNull(),
    recordedAt: instantColumn("recorded_at").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.topicId, table.partition, table.messageOffset, table.eventNumber] }),
  ],
);

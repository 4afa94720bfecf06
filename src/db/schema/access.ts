import { customType, integer, json, pgSchema, primaryKey, text } from "drizzle-orm/pg-core";
import { instantColumn } from "./columns.ts";

export const access = pgSchema("access");

const bytesColumn = customType<{ data: Uint8Array }>({ dataType: () => "bytea" });

/**
 * What a key may do: a verb (`read`, `write`, `operate`, `approve`, `admin`) for everything, or for one resource of the
 * matrix, as in `usage:write`.
 */
export type Scope = string;

export const apiKey = access.table("api_key", {
  id: text().primaryKey(),
  prefix: text().notNull(),
  secretHash: bytesColumn("secret_hash").notNull(),
  name: text().notNull(),
  scopes: text().array().$type<Scope[]>().notNull(),
  createdAt: instantColumn("created_at").notNull(),
  expiresAt: instantColumn("expires_at"),
  revokedAt: instantColumn("revoked_at"),
  createdBy: text("created_by"),
  replaces: text(),
  lastUsedAt: instantColumn("last_used_at"),
});

/** Somebody who signs in; what they may do is what their provider said of them when they last did. */
export const person = access.table("person", {
  id: text().primaryKey(),
  issuer: text().notNull(),
  subject: text().notNull(),
  name: text().notNull(),
  email: text(),
  roles: text().array().notNull(),
  createdAt: instantColumn("created_at").notNull(),
  signedInAt: instantColumn("signed_in_at").notNull(),
});

export const session = access.table("session", {
  id: text().primaryKey(),
  personId: text("person_id").notNull(),
  secretHash: bytesColumn("secret_hash").notNull(),
  createdAt: instantColumn("created_at").notNull(),
  usedAt: instantColumn("used_at").notNull(),
  expiresAt: instantColumn("expires_at").notNull(),
  endedAt: instantColumn("ended_at"),
});

export const portalToken = access.table("portal_token", {
  id: text().primaryKey(),
  customerId: text("customer_id").notNull(),
  secretHash: bytesColumn("secret_hash").notNull(),
  createdBy: text("created_by").notNull(),
  createdAt: instantColumn("created_at").notNull(),
  expiresAt: instantColumn("expires_at").notNull(),
  revokedAt: instantColumn("revoked_at"),
});

export const idempotencyKey = access.table(
  "idempotency_key",
  {
    actor: text().notNull(),
    key: text().notNull(),
    operation: text().notNull(),
    requestHash: bytesColumn("request_hash").notNull(),
    claimedUntil: instantColumn("claimed_until").notNull(),
    claim: integer().notNull().default(1),
    status: integer(),
    response: json(),
  },
  (table) => [primaryKey({ columns: [table.actor, table.key] })],
);

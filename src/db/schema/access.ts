import { customType, integer, json, pgSchema, primaryKey, text } from "drizzle-orm/pg-core";
import { instantColumn } from "./columns.ts";

export const access = pgSchema("access");

const bytesColumn = customType<{ data: Uint8Array }>({ dataType: () => "bytea" });

/**
 * What a key may do; `admin` includes `operate` and `write`, which includes `read` and `usage:write`. `operate` and
 * `approve` include `read`; `approve` is included in nothing.
 */
export type Scope = "read" | "write" | "usage:write" | "operate" | "approve" | "admin";

export const apiKey = access.table("api_key", {
  id: text().primaryKey(),
  prefix: text().notNull(),
  secretHash: bytesColumn("secret_hash").notNull(),
  name: text().notNull(),
  scopes: text().array().$type<Scope[]>().notNull(),
  createdAt: instantColumn("created_at").notNull(),
  expiresAt: instantColumn("expires_at"),
  revokedAt: instantColumn("revoked_at"),
});

export const idempotencyKey = access.table(
  "idempotency_key",
  {
    apiKeyId: text("api_key_id").notNull(),
    key: text().notNull(),
    operation: text().notNull(),
    requestHash: bytesColumn("request_hash").notNull(),
    claimedUntil: instantColumn("claimed_until").notNull(),
    claim: integer().notNull().default(1),
    status: integer(),
    response: json(),
  },
  (table) => [primaryKey({ columns: [table.apiKeyId, table.key] })],
);

import { type SQL, sql } from "drizzle-orm";

/** An instant, in milliseconds since 1970, as a parameter of a query. */
export const timestamp = (epochMs: number): SQL => sql`${new Date(epochMs).toISOString()}::timestamptz`;

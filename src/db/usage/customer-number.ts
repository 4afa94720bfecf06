import { type SQL, sql } from "drizzle-orm";

/** What usage calls a customer; null when there is no such customer. */
export const customerNumber = (customerId: string | null): SQL =>
  sql`(select number from billing.customer where id = ${customerId})`;

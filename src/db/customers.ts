import { desc, eq } from "drizzle-orm";
import type { Tx } from "./database.ts";
import { type NewestFirst, olderThan, type Page, type PageRequest, pageOf, rowsToRead } from "./page.ts";
import { customer } from "./schema/billing.ts";

export type StoredCustomer = typeof customer.$inferSelect;

export type NewCustomer = Pick<
  StoredCustomer,
  "id" | "name" | "email" | "currency" | "timeZone" | "testClockId" | "createdAt"
>;

/** Stores a customer. When the id is taken, nothing changes and the customer who has it comes back. */
export async function insertCustomer(tx: Tx, toStore: NewCustomer): Promise<StoredCustomer | undefined> {
  const [stored] = await tx.insert(customer).values(toStore).onConflictDoNothing().returning();
  return stored ?? findCustomer(tx, toStore.id);
}

export async function findCustomer(tx: Tx, id: string): Promise<StoredCustomer | undefined> {
  const [row] = await tx.select().from(customer).where(eq(customer.id, id));
  return row;
}

export async function listCustomers(
  tx: Tx,
  page: PageRequest<NewestFirst>,
): Promise<Page<StoredCustomer, NewestFirst>> {
  const found = await tx
    .select()
    .from(customer)
    .where(olderThan(customer.createdAt, customer.id, page.after))
    .orderBy(desc(customer.createdAt), desc(customer.id))
    .limit(rowsToRead(page));
  return pageOf(found, page, ({ createdAt, id }) => ({ at: createdAt, id }));
}

/** Changes how a customer is addressed; what billing depends on is fixed. Undefined when there is no such customer. */
export async function renameCustomer(
  tx: Tx,
  id: string,
  change: { readonly name?: string | undefined; readonly email?: string | undefined },
): Promise<StoredCustomer | undefined> {
  const [row] = await tx.update(customer).set(change).where(eq(customer.id, id)).returning();
  return row;
}

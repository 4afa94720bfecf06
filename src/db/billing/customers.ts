import { and, desc, eq, ilike, inArray, or } from "drizzle-orm";
import { type Instant, isoOf } from "../../domain/calendar/index.ts";
import { rows, sql, type Tx } from "../database.ts";
import { type NewestFirst, olderThan, type Page, type PageRequest, pageOf, rowsToRead } from "../page.ts";
import {
  customer,
  type SubscriptionItem,
  type SubscriptionStatus,
  subscription,
  testClock,
} from "../schema/billing.ts";

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

export interface CustomerFilter {
  /** Part of an id, a name or an e-mail address, in whatever case. */
  readonly search?: string | undefined;
  /** Only those who have a subscription in this state. */
  readonly status?: SubscriptionStatus | undefined;
}

export async function listCustomers(
  tx: Tx,
  { search, status }: CustomerFilter,
  page: PageRequest<NewestFirst>,
): Promise<Page<StoredCustomer, NewestFirst>> {
  const part = search === undefined ? undefined : `%${search.replace(/[\\%_]/g, "\\$&")}%`;
  const found = await tx
    .select()
    .from(customer)
    .where(
      and(
        part === undefined
          ? undefined
          : or(ilike(customer.id, part), ilike(customer.name, part), ilike(customer.email, part)),
        status === undefined
          ? undefined
          : sql`exists (select from ${subscription}
              where ${subscription.customerId} = ${customer.id} and ${subscription.status} = ${status})`,
        olderThan(customer.createdAt, customer.id, page.after),
      ),
    )
    .orderBy(desc(customer.createdAt), desc(customer.id))
    .limit(rowsToRead(page));
  return pageOf(found, page, ({ createdAt, id }) => ({ at: createdAt, id }));
}

/** The time of those of these customers who are on a test clock. */
export async function testClockTimes(tx: Tx, customerIds: readonly string[]): Promise<Map<string, Instant>> {
  if (customerIds.length === 0) return new Map();
  const found = await tx
    .select({ id: customer.id, currentAt: testClock.currentAt })
    .from(customer)
    .innerJoin(testClock, eq(testClock.id, customer.testClockId))
    // One parameter: a batch of usage events may be about a thousand customers.
    .where(
      sql`${customer.id} = any (select jsonb_array_elements_text(${JSON.stringify(customerIds)}::jsonb))`,
    );
  return new Map(found.map(({ id, currentAt }) => [id, currentAt]));
}

export interface SubscriptionSummary {
  readonly id: string;
  readonly status: SubscriptionStatus;
  readonly items: readonly SubscriptionItem[];
}

export interface CustomerStanding {
  /** What is left to pay of open invoices, in minor units. */
  readonly openMinor: string;
  readonly subscriptions: readonly SubscriptionSummary[];
}

/** What these customers owe and subscribe to, by customer id; `now` is the time of those who are on no test clock. */
export async function standingsOf(
  tx: Tx,
  customerIds: readonly string[],
  now: Instant,
): Promise<Map<string, CustomerStanding>> {
  if (customerIds.length === 0) return new Map();
  const found = await rows<{ id: string; open_minor: string; subscriptions: SubscriptionSummary[] }>(
    tx,
    sql`select customer.id,
          (select coalesce(sum(total_minor - amount_paid_minor), 0)::text from billing.invoice
            where customer_id = customer.id and status = 'open') as open_minor,
          (select coalesce(jsonb_agg(jsonb_build_object('id', subscription.id, 'status', subscription.status,
              'items', coalesce(terms.items, '[]')) order by subscription.started_at, subscription.id), '[]')
            from billing.subscription
            left join lateral (select items from billing.subscription_terms
              where subscription_id = subscription.id
                and effective_at <= coalesce(test_clock.current_at, ${isoOf(now)}::timestamptz)
              order by effective_at desc limit 1) as terms on true
            where subscription.customer_id = customer.id) as subscriptions
        from billing.customer left join billing.test_clock on test_clock.id = customer.test_clock_id
        where ${inArray(customer.id, [...customerIds])}`,
  );
  return new Map(
    found.map(({ id, open_minor, subscriptions }) => [id, { openMinor: open_minor, subscriptions }]),
  );
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

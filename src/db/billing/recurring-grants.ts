import { and, asc, desc, eq, inArray, lte, type SQL } from "drizzle-orm";
import type { Instant } from "../../domain/calendar/index.ts";
import { type AgreedRecurring, instantOf, type RecurringGrant } from "../../domain/credits/index.ts";
import { invariant } from "../../domain/errors.ts";
import { currency, ledgerAmountOfMoney, money } from "../../domain/money/index.ts";
import { rows, sql, type Tx } from "../database.ts";
import { type NewestFirst, olderThan, type Page, type PageRequest, pageOf, rowsToRead } from "../page.ts";
import {
  type RecurringStatus,
  recurringGrant,
  recurringGrantDecision,
  recurringGrantEnd,
  recurringGrantStanding,
} from "../schema/credit-grants.ts";
import { timestamp } from "../timestamp.ts";

export { type RecurringStatus, recurringStatuses } from "../schema/credit-grants.ts";

/** A recurring grant as it was asked for, with its decision and where it stands. */
export type StoredRecurring = typeof recurringGrantStanding.$inferSelect;

/** Written down twice, it is the first one that counts. */
export async function insertRecurring(tx: Tx, row: typeof recurringGrant.$inferInsert): Promise<void> {
  await tx.insert(recurringGrant).values(row).onConflictDoNothing();
}

export async function findRecurring(tx: Tx, id: string): Promise<StoredRecurring | undefined> {
  const [row] = await tx.select().from(recurringGrantStanding).where(eq(recurringGrantStanding.id, id));
  return row;
}

export interface RecurringFilter {
  readonly customerId?: string | undefined;
  readonly status?: RecurringStatus | undefined;
}

export async function listRecurring(
  tx: Tx,
  { customerId, status }: RecurringFilter,
  page: PageRequest<NewestFirst>,
): Promise<Page<StoredRecurring, NewestFirst>> {
  const found = await tx
    .select()
    .from(recurringGrantStanding)
    .where(
      and(
        customerId === undefined ? undefined : eq(recurringGrantStanding.customerId, customerId),
        status === undefined ? undefined : eq(recurringGrantStanding.status, status),
        olderThan(recurringGrantStanding.requestedAt, recurringGrantStanding.id, page.after),
      ),
    )
    .orderBy(desc(recurringGrantStanding.requestedAt), desc(recurringGrantStanding.id))
    .limit(rowsToRead(page));
  return pageOf(found, page, ({ requestedAt, id }) => ({ at: requestedAt, id }));
}

/** Those of a customer that were agreed to. */
const agreedFor = (customerId: string) =>
  and(
    eq(recurringGrantStanding.customerId, customerId),
    inArray(recurringGrantStanding.status, ["active", "ended"]),
  );

/** A customer's recurring grants with a time that has come and is not given. */
export async function dueRecurring(tx: Tx, customerId: string, asOf: Instant): Promise<StoredRecurring[]> {
  return await tx
    .select()
    .from(recurringGrantStanding)
    .where(and(agreedFor(customerId), lte(recurringGrantStanding.nextAt, asOf)))
    .orderBy(asc(recurringGrantStanding.id));
}

/** A customer's recurring grants that were agreed to, with how far they have come. */
export async function agreedRecurring(tx: Tx, customerId: string): Promise<AgreedRecurring[]> {
  const found = await tx
    .select()
    .from(recurringGrantStanding)
    .where(agreedFor(customerId))
    .orderBy(asc(recurringGrantStanding.id));
  return found.flatMap((stored) => {
    const { nextOccurrence, activeSince, endedAt } = stored;
    if (activeSince === null) return [];
    const inCurrency = currency(stored.currency);
    const standing = { nextOccurrence, activeSince, endedAt };
    return [{ recurring: recurringOf(stored), currency: inCurrency, ...standing }];
  });
}

/** Which time is given next, and when; null when none is left. */
export async function setNextOccurrence(
  tx: Tx,
  id: string,
  nextOccurrence: number,
  nextAt: Instant | null,
): Promise<void> {
  await tx.update(recurringGrant).set({ nextOccurrence, nextAt }).where(eq(recurringGrant.id, id));
}

export async function insertRecurringDecision(
  tx: Tx,
  row: typeof recurringGrantDecision.$inferInsert,
): Promise<void> {
  await tx.insert(recurringGrantDecision).values(row);
}

/** Ends it; the caller holds the customer's lock. What was due before is given all the same. */
export async function endRecurring(tx: Tx, row: typeof recurringGrantEnd.$inferInsert): Promise<void> {
  const stored = await findRecurring(tx, row.recurringGrantId);
  invariant(stored, "what is ended is there");
  await tx.insert(recurringGrantEnd).values(row);
  if (stored.nextAt === null || stored.nextAt < row.endedAt) return;
  await setNextOccurrence(tx, stored.id, stored.nextOccurrence, null);
}

/** As the domain sees it. */
export function recurringOf(stored: StoredRecurring): RecurringGrant {
  const { id, currency: inCurrency, priority, scope, effectiveAt, expiresAt, first } = stored;
  const exact = (amountMinor: bigint) => ledgerAmountOfMoney(money(amountMinor, inCurrency));
  const { rolloverMinMinor, rolloverMaxMinor, rolloverCapMinor, rolloverMonths } = stored;
  return {
    id,
    amount: exact(stored.amountMinor),
    priority,
    ...(scope === null ? {} : { scope }),
    recurrence: {
      anchor: {
        at: stored.anchorAt,
        interval: { unit: stored.intervalUnit, count: stored.intervalCount },
        timeZone: stored.timeZone,
      },
      effectiveAt,
      expiresAt,
      first,
    },
    rollover:
      rolloverMinMinor === null || rolloverMaxMinor === null
        ? null
        : {
            min: exact(rolloverMinMinor),
            max: exact(rolloverMaxMinor),
            cap: rolloverCapMinor === null ? null : exact(rolloverCapMinor),
            lifetimeMonths: rolloverMonths,
          },
  };
}

/** When a time would be given, if it is before the end; else null. */
export function nextInstant({ recurrence }: RecurringGrant, number: number): Instant | null {
  const at = instantOf(recurrence, number);
  return recurrence.expiresAt === null || at < recurrence.expiresAt ? at : null;
}

/**
 * Grants that have run out of time and cannot be drawn on any more: no period of the customer is open that began before. One
 * that is not paid for waits for that, and so does one of which a running request holds a part.
 */
const endableGrants = sql`
  from billing.credit_grant as credit
  join billing.customer on customer.id = credit.customer_id
  left join billing.test_clock as clock on clock.id = customer.test_clock_id
  left join billing.invoice as bought on bought.id = credit.invoice_id
  where not exists (select from billing.credit_grant_end as ended where ended.grant_id = credit.id)
    and (credit.invoice_id is null or bought.status = 'paid')
    and not exists (
      select from billing.subscription where subscription.customer_id = credit.customer_id
        and next_close_at is not null and billed_through < credit.expires_at)`;

const agreedGrants = sql`
  from billing.recurring_grant_standing as recurring
  join billing.customer on customer.id = recurring.customer_id
  left join billing.test_clock as clock on clock.id = customer.test_clock_id
  where recurring.status in ('active', 'ended')`;

/** The grants of a customer that are to be ended, the soonest to expire first. */
export async function endableGrantsOf(tx: Tx, customerId: string, asOf: Instant): Promise<string[]> {
  const found = await rows<{ id: string }>(
    tx,
    sql`select credit.id ${endableGrants}
        and credit.customer_id = ${customerId} and credit.expires_at <= ${timestamp(asOf)}
        order by credit.expires_at, credit.id`,
  );
  return found.map(({ id }) => id);
}

/**
 * Customers for whom something is to be given or ended by their clock; `now` is the wall's. A test clock that is on its way sees
 * to its customers itself.
 */
export async function customersWithDueGrants(
  tx: Tx,
  now: Instant,
  limit: number,
): Promise<{ readonly customerId: string; readonly asOf: Instant }[]> {
  const found = await rows<{ customer_id: string; as_of_ms: string }>(
    tx,
    sql`select customer_id, (extract(epoch from max(as_of)) * 1000)::bigint::text as as_of_ms from (
          select credit.customer_id, coalesce(clock.current_at, ${timestamp(now)}) as as_of ${endableGrants}
            and credit.expires_at <= coalesce(clock.current_at, ${timestamp(now)})
            and clock.is_settled is not false
          union all
          select recurring.customer_id, coalesce(clock.current_at, ${timestamp(now)}) ${agreedGrants}
            and recurring.next_at <= coalesce(clock.current_at, ${timestamp(now)})
            and clock.is_settled is not false
        ) as due group by customer_id order by customer_id limit ${limit}`,
  );
  return found.map(({ customer_id: customerId, as_of_ms: ms }) => ({
    customerId,
    asOf: Number(ms) as Instant,
  }));
}

/** Customers of a test clock for whom something is to be given or ended until an instant, and the first time that it is. */
export async function dueGrantsOnClock(
  tx: Tx,
  clockId: string,
  { after, until }: { readonly after: Instant | null; readonly until: Instant },
  customerId?: string,
): Promise<readonly { readonly customerId: string; readonly at: Instant }[]> {
  const within = (at: SQL) => sql`clock.id = ${clockId} and ${at} <= ${timestamp(until)}
    ${after === null ? sql`` : sql`and ${at} > ${timestamp(after)}`}
    ${customerId === undefined ? sql`` : sql`and customer.id = ${customerId}`}`;
  const found = await rows<{ customer_id: string; at_ms: string }>(
    tx,
    sql`select customer_id, (extract(epoch from min(at)) * 1000)::bigint::text as at_ms from (
          select credit.customer_id, credit.expires_at as at ${endableGrants}
            and ${within(sql`credit.expires_at`)}
          union all
          select recurring.customer_id, recurring.next_at ${agreedGrants}
            and ${within(sql`recurring.next_at`)}
        ) as due group by customer_id order by customer_id`,
  );
  return found.map(({ customer_id, at_ms }) => ({ customerId: customer_id, at: Number(at_ms) as Instant }));
}

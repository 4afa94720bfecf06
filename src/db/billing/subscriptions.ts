import { and, asc, eq, isNull, ne, notInArray, or } from "drizzle-orm";
import {
  type AgreedAnchor,
  type AnchoredPeriod,
  agreedPeriodAt,
  type Instant,
  instant,
  isoOf,
  type Period,
} from "../../domain/calendar/index.ts";
import type { InvoiceLine, Terms } from "../../domain/invoicing/index.ts";
import { sql, type Tx } from "../database.ts";
import { tellChange } from "../notices/notices-of-facts.ts";
import {
  customer,
  type SubscriptionAnchor,
  subscription,
  subscriptionChange,
  subscriptionTerms,
} from "../schema/billing.ts";
import type { StoredCustomer } from "./customers.ts";
import { lineFromJson, lineToJson } from "./line-json.ts";
import { termsHistories } from "./terms-histories.ts";

export type StoredSubscription = typeof subscription.$inferSelect;

/**
 * Locks a customer for everything that moves their money, so that those things happen one after another.
 * Always the first lock taken. Undefined when there is no such customer.
 */
export async function lockCustomer(tx: Tx, customerId: string): Promise<StoredCustomer | undefined> {
  const [row] = await tx.select().from(customer).where(eq(customer.id, customerId)).for("update");
  return row;
}

export async function findSubscription(tx: Tx, id: string): Promise<StoredSubscription | undefined> {
  const [row] = await tx.select().from(subscription).where(eq(subscription.id, id));
  return row;
}

/** All that a customer ever had, in the order in which they began. */
export async function subscriptionsOfCustomer(tx: Tx, customerId: string): Promise<StoredSubscription[]> {
  return await tx
    .select()
    .from(subscription)
    .where(eq(subscription.customerId, customerId))
    .orderBy(asc(subscription.startedAt), asc(subscription.id));
}

/** The other subscriptions of a customer that have not ended. */
export async function otherSubscriptions(
  tx: Tx,
  customerId: string,
  except: string,
): Promise<StoredSubscription[]> {
  return await tx
    .select()
    .from(subscription)
    .where(
      and(
        eq(subscription.customerId, customerId),
        ne(subscription.id, except),
        notInArray(subscription.status, ["canceled", "incomplete_expired"]),
      ),
    );
}

export async function insertSubscription(tx: Tx, row: typeof subscription.$inferInsert): Promise<void> {
  await tx.insert(subscription).values(row);
}

export async function updateSubscription(
  tx: Tx,
  id: string,
  change: Partial<typeof subscription.$inferInsert>,
): Promise<void> {
  await tx.update(subscription).set(change).where(eq(subscription.id, id));
}

/** Locks the customer of a subscription, as {@link lockCustomer} does. */
export async function lockCustomerOf(tx: Tx, subscriptionId: string): Promise<void> {
  const owner = sql`(select customer_id from billing.subscription where id = ${subscriptionId})`;
  await tx.select({ id: customer.id }).from(customer).where(eq(customer.id, owner)).for("update");
}

/** Everything that was ever agreed, ascending, with the plan versions it names. */
export async function termsHistory(tx: Tx, subscriptionId: string): Promise<Terms[]> {
  return (await termsHistories(tx, [subscriptionId])).get(subscriptionId) ?? [];
}

/** Whether this request made the subscription, and not another one that chose the same id. */
export async function wasOpenedBy(tx: Tx, subscriptionId: string, requestId: string): Promise<boolean> {
  const [first] = await tx
    .select({ changeId: subscriptionTerms.changeId })
    .from(subscriptionTerms)
    .where(eq(subscriptionTerms.subscriptionId, subscriptionId))
    .orderBy(asc(subscriptionTerms.effectiveAt))
    .limit(1);
  return first?.changeId === requestId;
}

export async function insertTerms(
  tx: Tx,
  subscriptionId: string,
  changeId: string,
  terms: Terms,
): Promise<void> {
  await tx.insert(subscriptionTerms).values({
    subscriptionId,
    changeId,
    effectiveAt: terms.effectiveAt,
    paused: terms.paused,
    usage: terms.usage ?? "billed",
    items: terms.items.map(({ plan, ...item }) => ({
      planKey: plan.key,
      planVersion: plan.version,
      ...item,
    })),
  });
}

export interface RecordedChange {
  readonly changeId: string;
  readonly kind: string;
  readonly effectiveAt: Instant;
  readonly request: unknown;
  readonly lines: readonly InvoiceLine[];
  /** What credit notes gave back instead; nothing when left out. */
  readonly returned?: readonly InvoiceLine[];
  readonly invoiceId: string | null;
}

export async function findChange(
  tx: Tx,
  subscriptionId: string,
  changeId: string,
): Promise<{ effectiveAt: Instant; invoiceId: string | null } | undefined> {
  const [row] = await tx
    .select({ effectiveAt: subscriptionChange.effectiveAt, invoiceId: subscriptionChange.invoiceId })
    .from(subscriptionChange)
    .where(
      and(eq(subscriptionChange.subscriptionId, subscriptionId), eq(subscriptionChange.changeId, changeId)),
    );
  return row;
}

export async function insertChange(
  tx: Tx,
  whose: Pick<StoredSubscription, "id" | "customerId">,
  change: RecordedChange,
): Promise<void> {
  const { lines, returned = [], ...rest } = change;
  const asJson = { lines: lines.map(lineToJson), returned: returned.map(lineToJson) };
  await Promise.all([
    tx.insert(subscriptionChange).values({ subscriptionId: whose.id, ...rest, ...asJson }),
    tellChange(tx, whose, change),
  ]);
}

/** Changes whose lines wait for the invoice of the period about to close, in the order in which they took effect. */
export async function waitingChanges(
  tx: Tx,
  subscriptionId: string,
  waitedFor: string | null = null,
): Promise<{ changeId: string; lines: InvoiceLine[] }[]> {
  const found = await tx
    .select({ changeId: subscriptionChange.changeId, lines: subscriptionChange.lines })
    .from(subscriptionChange)
    .where(
      and(
        eq(subscriptionChange.subscriptionId, subscriptionId),
        waitedFor === null
          ? isNull(subscriptionChange.invoiceId)
          : eq(subscriptionChange.invoiceId, waitedFor),
      ),
    )
    .orderBy(asc(subscriptionChange.effectiveAt));
  return found.map(({ changeId, lines }) => ({ changeId, lines: (lines as unknown[]).map(lineFromJson) }));
}

/** The lines of changes that no invoice has: those that wait, in the order in which they took effect, and what notes gave back. */
export async function linesOfChanges(tx: Tx, subscriptionId: string): Promise<ReturnType<typeof linesAmong>> {
  const { invoiceId, lines, returned } = subscriptionChange;
  const found = await tx
    .select({ invoiceId, lines, returned })
    .from(subscriptionChange)
    .where(
      and(
        eq(subscriptionChange.subscriptionId, subscriptionId),
        or(isNull(invoiceId), sql`${returned} <> '[]'`),
      ),
    )
    .orderBy(asc(subscriptionChange.effectiveAt));
  return linesAmong(found);
}

/** The same among changes that were read. */
export function linesAmong(
  changes: readonly {
    readonly invoiceId: string | null;
    readonly lines: unknown;
    readonly returned: unknown;
  }[],
): { waiting: InvoiceLine[]; returned: InvoiceLine[] } {
  const linesOf = (json: unknown) => (json as unknown[]).map(lineFromJson);
  return {
    waiting: changes.flatMap((change) => (change.invoiceId === null ? linesOf(change.lines) : [])),
    returned: changes.flatMap((change) => linesOf(change.returned)),
  };
}

/** Says on which invoice the waiting changes went. */
export async function settleWaitingChanges(tx: Tx, subscriptionId: string, invoiceId: string): Promise<void> {
  await tx
    .update(subscriptionChange)
    .set({ invoiceId })
    .where(and(eq(subscriptionChange.subscriptionId, subscriptionId), isNull(subscriptionChange.invoiceId)));
}

/** All anchors that a subscription had, the first from its start on. */
export function anchorsOf({ startedAt, timeZone, ...row }: StoredSubscription): AgreedAnchor[] {
  const added = row.anchors.map(({ effectiveAt, at, unit, count, isTrial }) => ({
    effectiveAt: instant(effectiveAt),
    anchor: { at: instant(at), interval: { unit, count }, timeZone },
    ...(isTrial ? { isTrial } : {}),
  }));
  if (added[0]?.effectiveAt === startedAt) return added;
  const interval = { unit: row.intervalUnit, count: row.intervalCount };
  return [{ effectiveAt: startedAt, anchor: { at: startedAt, interval, timeZone } }, ...added];
}

/** As the table has it. */
export function anchorToStore({
  effectiveAt,
  anchor: { at, interval },
  isTrial,
}: AgreedAnchor): SubscriptionAnchor {
  return { effectiveAt: isoOf(effectiveAt), at: isoOf(at), ...interval, ...(isTrial ? { isTrial } : {}) };
}

/** The period that contains an instant: an agreed end does not shorten it, another anchor does. */
export function anchoredPeriodAt(row: StoredSubscription, at: Instant): AnchoredPeriod {
  return agreedPeriodAt(anchorsOf(row), at);
}

/** The whole of which that period is a part, as the calendar has it. */
export function fullPeriodAt(row: StoredSubscription, at: Instant): Period {
  return anchoredPeriodAt(row, at).full;
}

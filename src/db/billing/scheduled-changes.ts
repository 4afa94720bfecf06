import { and, asc, eq, gt, isNull, lte, min, ne, or, type SQL } from "drizzle-orm";
import type { Instant } from "../../domain/calendar/index.ts";
import { SubscriptionRuleError } from "../../domain/invoicing/index.ts";
import type { Tx } from "../database.ts";
import {
  type ScheduledOutcome,
  scheduledChange,
  scheduledChangeResolution,
} from "../schema/scheduled-changes.ts";

export type ScheduledChange = Omit<typeof scheduledChange.$inferSelect, "number">;

/** With what became of it; null while it is still ahead. */
export interface ListedChange extends ScheduledChange {
  readonly resolution: {
    readonly outcome: ScheduledOutcome;
    readonly resolvedAt: Instant;
    readonly code: string | null;
    readonly message: string | null;
  } | null;
}

/** So many may be ahead for one subscription: each is made by its run, which stays small. */
export const pendingMax = 20;

/** @throws SubscriptionRuleError when too many are ahead already */
export async function insertScheduled(tx: Tx, change: ScheduledChange): Promise<void> {
  const pending = await pendingChanges(tx, change.subscriptionId);
  if (pending.length >= pendingMax) {
    throw new SubscriptionRuleError(
      "too_many_scheduled_changes",
      `${pendingMax} changes are ahead for the subscription already: withdraw one of them`,
    );
  }
  await tx.insert(scheduledChange).values(change);
}

/** What is ahead, in the order in which it will be made. @param until only what is due by then */
export async function pendingChanges(
  tx: Tx,
  subscriptionId: string,
  until?: Instant,
): Promise<ScheduledChange[]> {
  const due = until === undefined ? undefined : lte(scheduledChange.effectiveAt, until);
  const found = await joined(
    tx,
    and(
      eq(scheduledChange.subscriptionId, subscriptionId),
      isNull(scheduledChangeResolution.changeId),
      ne(scheduledChange.kind, "cancel"),
      due,
    ),
  );
  return found.map(({ resolution: _none, ...change }) => change);
}

/** Everything that was ever agreed for later, in the order of its time. */
export async function listScheduled(tx: Tx, subscriptionId: string): Promise<ListedChange[]> {
  return await joined(tx, eq(scheduledChange.subscriptionId, subscriptionId));
}

export async function findScheduled(
  tx: Tx,
  subscriptionId: string,
  changeId: string,
): Promise<ListedChange | undefined> {
  const [found] = await joined(
    tx,
    and(eq(scheduledChange.subscriptionId, subscriptionId), eq(scheduledChange.changeId, changeId)),
  );
  return found;
}

/** The end that is agreed; undefined where none is, or it was agreed without a row. */
export async function agreedCancellation(
  tx: Tx,
  subscriptionId: string,
): Promise<ScheduledChange | undefined> {
  const [found] = await joined(
    tx,
    and(
      eq(scheduledChange.subscriptionId, subscriptionId),
      eq(scheduledChange.kind, "cancel"),
      isNull(scheduledChangeResolution.changeId),
    ),
  );
  return found;
}

/**
 * When a subscription's run has to look again: at the first change after an instant that is ahead, or that somebody else made
 * before the run came to it. Ends are not counted, they are agreed with the subscription itself.
 */
export async function nextDueAt(tx: Tx, subscriptionId: string, after: Instant): Promise<Instant | null> {
  const { changeId, outcome } = scheduledChangeResolution;
  const [row] = await tx
    .select({ at: min(scheduledChange.effectiveAt) })
    .from(scheduledChange)
    .leftJoin(scheduledChangeResolution, sameChange)
    .where(
      and(
        eq(scheduledChange.subscriptionId, subscriptionId),
        ne(scheduledChange.kind, "cancel"),
        gt(scheduledChange.effectiveAt, after),
        or(isNull(changeId), eq(outcome, "applied")),
      ),
    );
  return row?.at ?? null;
}

export async function resolveScheduled(
  tx: Tx,
  { subscriptionId, changeId }: Pick<ScheduledChange, "subscriptionId" | "changeId">,
  outcome: ScheduledOutcome,
  resolvedAt: Instant,
  refusal?: { readonly code: string; readonly message: string },
): Promise<void> {
  const why = refusal === undefined ? {} : { code: refusal.code, message: refusal.message };
  await tx
    .insert(scheduledChangeResolution)
    .values({ subscriptionId, changeId, outcome, resolvedAt, ...why });
}

/** What is ahead has no meaning any more. @param which all when left out */
export async function supersedeScheduled(
  tx: Tx,
  subscriptionId: string,
  at: Instant,
  which: (change: ScheduledChange) => boolean = () => true,
): Promise<void> {
  const cancellation = await agreedCancellation(tx, subscriptionId);
  const ahead = [...(await pendingChanges(tx, subscriptionId)), ...(cancellation ? [cancellation] : [])];
  for (const change of ahead.filter(which)) await resolveScheduled(tx, change, "superseded", at);
}

const sameChange = and(
  eq(scheduledChangeResolution.subscriptionId, scheduledChange.subscriptionId),
  eq(scheduledChangeResolution.changeId, scheduledChange.changeId),
);

async function joined(tx: Tx, where: SQL | undefined): Promise<ListedChange[]> {
  const found = await tx
    .select({ change: scheduledChange, resolution: scheduledChangeResolution })
    .from(scheduledChange)
    .leftJoin(scheduledChangeResolution, sameChange)
    .where(where)
    .orderBy(asc(scheduledChange.effectiveAt), asc(scheduledChange.number));
  return found.map(({ change: { number: _order, ...change }, resolution }) => ({
    ...change,
    resolution,
  }));
}

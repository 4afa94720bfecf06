import { and, eq, isNull, sql } from "drizzle-orm";
import { type Instant, instantOfEpochMs } from "../../domain/calendar/index.ts";
import type { Tx } from "../database.ts";
import { importPosition } from "../schema/stripe.ts";

/** How far a list of Stripe's has been read. */
export interface ImportPosition {
  /** Everything made before this has been read; null before the first pass has ended. */
  readonly coveredUntil: Instant | null;
  /** Of the pass under way: when the newest was made, and the last that was read; null between passes. */
  readonly passNewest: Instant | null;
  readonly passAfter: string | null;
}

/** A list of Stripe's that is followed from its newest end. */
export type FollowedList = "balance_transactions" | "events";

export async function readImportPosition(tx: Tx, list: FollowedList): Promise<ImportPosition> {
  const [row] = await tx.select().from(importPosition).where(eq(importPosition.list, list));
  return row ?? { coveredUntil: null, passNewest: null, passAfter: null };
}

/** Since when the next page is asked for; what was made at the same time may be listed a little later, and is read again. */
export const sinceOf = ({ coveredUntil }: ImportPosition, overlapMs: number): Instant | null =>
  coveredUntil === null ? null : instantOfEpochMs(coveredUntil - overlapMs);

/**
 * How far it has been read once a page has been, which begins with the newest.
 * @param goesOn whether the pass has further pages
 */
export function positionAfter(
  { coveredUntil, passNewest, passAfter }: ImportPosition,
  page: readonly { readonly id: string; readonly createdAt: Instant }[],
  goesOn: boolean,
): ImportPosition {
  const newest = passNewest ?? page[0]?.createdAt ?? coveredUntil;
  return goesOn
    ? { coveredUntil, passNewest: newest, passAfter: page.at(-1)?.id ?? passAfter }
    : { coveredUntil: newest, passNewest: null, passAfter: null };
}

/** Goes on from `from`. False when somebody else did meanwhile: what was read is kept, and this pass is theirs. */
export async function moveImportPosition(
  tx: Tx,
  list: FollowedList,
  from: ImportPosition,
  to: ImportPosition,
): Promise<boolean> {
  await tx.insert(importPosition).values({ list }).onConflictDoNothing();
  const { passAfter, coveredUntil } = from;
  const same = [
    passAfter === null ? isNull(importPosition.passAfter) : eq(importPosition.passAfter, passAfter),
    coveredUntil === null
      ? isNull(importPosition.coveredUntil)
      : eq(importPosition.coveredUntil, coveredUntil),
  ];
  const moved = await tx
    .update(importPosition)
    .set({ ...to, movedAt: sql`clock_timestamp()` })
    .where(and(eq(importPosition.list, list), ...same))
    .returning({ list: importPosition.list });
  return moved.length > 0;
}

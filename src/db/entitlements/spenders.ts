import { and, asc, desc, eq, getTableColumns } from "drizzle-orm";
import { BillingError } from "../../domain/errors.ts";
import { sqlState, type Tx } from "../database.ts";
import { type NewestFirst, olderThan, type Page, type PageRequest, pageOf, rowsToRead } from "../page.ts";
import {
  creditGrantHolder,
  spender,
  spenderPlacement,
  spendingCap,
  spendingCapEnd,
} from "../schema/reservations.ts";

/** Who spends: a customer as an organisation, one of its teams, or one of its users. */
export type SpenderName = Pick<typeof spender.$inferSelect, "customerId" | "kind" | "key">;

export class PlacementInvalidError extends BillingError {
  readonly code = "spender_placement_invalid";
}

/** The number of a spender, who is written down when he is named first. */
export async function spenderNumber(tx: Tx, name: SpenderName): Promise<bigint> {
  await tx.insert(spender).values(name).onConflictDoNothing();
  const [row] = await tx
    .select({ number: spender.number })
    .from(spender)
    .where(
      and(eq(spender.customerId, name.customerId), eq(spender.kind, name.kind), eq(spender.key, name.key)),
    );
  if (row === undefined) throw new Error("a spender that was inserted is there");
  return row.number;
}

/** Places a spender below another; placing it twice by the same id is once. @throws PlacementInvalidError */
export async function placeSpender(tx: Tx, row: typeof spenderPlacement.$inferInsert): Promise<void> {
  try {
    await tx.insert(spenderPlacement).values(row).onConflictDoNothing();
  } catch (error) {
    if (sqlState(error) !== notPlaceable) throw error;
    throw new PlacementInvalidError(
      "a user or team is placed below a team of its customer, an organisation below one that pays in its currency; nobody below himself",
      "parent",
    );
  }
}

const notPlaceable = "RK031";

export type StoredCap = typeof spendingCap.$inferSelect & {
  readonly holder: typeof spender.$inferSelect;
  readonly end: typeof spendingCapEnd.$inferSelect | null;
};

const caps = (tx: Tx) =>
  tx
    .select({
      ...getTableColumns(spendingCap),
      holder: getTableColumns(spender),
      end: getTableColumns(spendingCapEnd),
    })
    .from(spendingCap)
    .innerJoin(spender, eq(spender.number, spendingCap.spender))
    .leftJoin(spendingCapEnd, eq(spendingCapEnd.capId, spendingCap.id));

/** Stores a cap; one that is there already stays as it is. */
export async function insertCap(tx: Tx, row: typeof spendingCap.$inferInsert): Promise<void> {
  await tx.insert(spendingCap).values(row).onConflictDoNothing();
}

/** Ends a cap; the first end stands. */
export async function endCap(tx: Tx, row: typeof spendingCapEnd.$inferInsert): Promise<void> {
  await tx.insert(spendingCapEnd).values(row).onConflictDoNothing();
}

export async function findCap(tx: Tx, id: string): Promise<StoredCap | undefined> {
  const [row] = await caps(tx).where(eq(spendingCap.id, id));
  return row;
}

/** All caps of a customer, its teams and its users, the newest first. */
export async function listCaps(
  tx: Tx,
  customerId: string,
  page: PageRequest<NewestFirst>,
): Promise<Page<StoredCap, NewestFirst>> {
  const found = await caps(tx)
    .where(and(eq(spender.customerId, customerId), olderThan(spendingCap.setAt, spendingCap.id, page.after)))
    .orderBy(desc(spendingCap.setAt), desc(spendingCap.id))
    .limit(rowsToRead(page));
  return pageOf(found, page, ({ setAt, id }) => ({ at: setAt, id }));
}

export type StoredPlacement = typeof spenderPlacement.$inferSelect & {
  readonly placed: typeof spender.$inferSelect;
};

/** Where a spender was placed, from the beginning on. */
export async function placementsOf(tx: Tx, name: SpenderName): Promise<StoredPlacement[]> {
  return await tx
    .select({ ...getTableColumns(spenderPlacement), placed: getTableColumns(spender) })
    .from(spenderPlacement)
    .innerJoin(spender, eq(spender.number, spenderPlacement.spender))
    .where(
      and(eq(spender.customerId, name.customerId), eq(spender.kind, name.kind), eq(spender.key, name.key)),
    )
    .orderBy(asc(spenderPlacement.effectiveAt), asc(spenderPlacement.id));
}

/** A grant is given to a user or team of another customer, or there is no such grant. */
export class HolderInvalidError extends BillingError {
  readonly code = "credit_grant_holder_invalid";
}

export type StoredHolder = typeof creditGrantHolder.$inferSelect;

/** Says who alone may spend a grant; the first stands. @throws HolderInvalidError */
export async function giveGrantTo(tx: Tx, row: typeof creditGrantHolder.$inferInsert): Promise<StoredHolder> {
  try {
    await tx.insert(creditGrantHolder).values(row).onConflictDoNothing();
  } catch (error) {
    if (sqlState(error) !== notHoldable) throw error;
    throw new HolderInvalidError("a grant is held by a user or a team of its customer", "holder");
  }
  const [stored] = await tx
    .select()
    .from(creditGrantHolder)
    .where(eq(creditGrantHolder.grantId, row.grantId));
  if (stored === undefined) throw new Error("a holder that was inserted is there");
  return stored;
}

const notHoldable = "RK048";

import { and, desc, eq, getTableColumns } from "drizzle-orm";
import { type Instant, isoOf } from "../../domain/calendar/index.ts";
import { invariant } from "../../domain/errors.ts";
import { rows, sql, type Tx } from "../database.ts";
import { type NewestFirst, olderThan, type Page, type PageRequest, pageOf, rowsToRead } from "../page.ts";
import { openReservation, receipt, reservation } from "../schema/reservations.ts";

export type StoredReceipt = typeof receipt.$inferSelect;

/** A reservation with what became of it: open until it expires, and after that without a receipt as long as nobody settles it. */
export type StoredReservation = typeof reservation.$inferSelect & {
  readonly open: typeof openReservation.$inferSelect | null;
  readonly receipt: StoredReceipt | null;
};

export async function findReservation(tx: Tx, id: string): Promise<StoredReservation | undefined> {
  const [row] = await tx
    .select({
      ...getTableColumns(reservation),
      open: getTableColumns(openReservation),
      receipt: getTableColumns(receipt),
    })
    .from(reservation)
    .leftJoin(openReservation, eq(openReservation.reservationId, reservation.id))
    .leftJoin(receipt, eq(receipt.reservationId, reservation.id))
    .where(eq(reservation.id, id));
  return row;
}

/** The receipts of a customer, or of one of its users, those of the newest use first. */
export async function listReceipts(
  tx: Tx,
  { customerId, user }: { readonly customerId: string; readonly user?: string | undefined },
  page: PageRequest<NewestFirst>,
): Promise<Page<StoredReceipt, NewestFirst>> {
  const found = await tx
    .select()
    .from(receipt)
    .where(
      and(
        eq(receipt.customerId, customerId),
        user === undefined ? undefined : eq(receipt.userKey, user),
        olderThan(receipt.usedAt, receipt.reservationId, page.after),
      ),
    )
    .orderBy(desc(receipt.usedAt), desc(receipt.reservationId))
    .limit(rowsToRead(page));
  return pageOf(found, page, ({ usedAt, reservationId }) => ({ at: usedAt, id: reservationId }));
}

/** Moves the end of a reservation further away. False when it is not open any more. */
export async function extendReservation(
  tx: Tx,
  id: string,
  { until, at }: { readonly until: Instant; readonly at: Instant },
): Promise<boolean> {
  const [row] = await rows<{ is_open: boolean }>(
    tx,
    sql`select billing.extend_reservation(${id}, ${isoOf(until)}::timestamptz, ${isoOf(at)}::timestamptz) as is_open`,
  );
  return row?.is_open ?? false;
}

/**
 * Ends the reservations that nobody has settled in time, of customers on a test clock by that: what they held goes back.
 * @param wall the time for all others
 * @returns how many; fewer than `reservationsMax` when none are left
 */
export async function expireReservations(
  tx: Pick<Tx, "execute">,
  wall: Instant,
  reservationsMax = 1_000,
): Promise<number> {
  const [row] = await rows<{ expired: number }>(
    tx,
    sql`select billing.expire_reservations(${isoOf(wall)}::timestamptz, ${reservationsMax}) as expired`,
  );
  invariant(row, "expiring gives a count");
  return row.expired;
}

import { and, desc, eq, getTableColumns, isNull, sql } from "drizzle-orm";
import type { AlertTurn, OpenCrossing } from "../../domain/alerts/index.ts";
import type { Instant } from "../../domain/calendar/index.ts";
import type { NoticeKind } from "../../domain/notices/index.ts";
import type { Tx } from "../database.ts";
import { enqueueNotice } from "../notices/enqueue-notice.ts";
import { type NewestFirst, olderThan, type Page, type PageRequest, pageOf, rowsToRead } from "../page.ts";
import { alert, alertCrossing, alertEnd, alertRecovery } from "../schema/budgets.ts";

/** An alert, and how somebody ended it; null as long as nobody did. */
export type StoredAlert = typeof alert.$inferSelect & { readonly end: typeof alertEnd.$inferSelect | null };

const columns = { ...getTableColumns(alert), end: getTableColumns(alertEnd) };

const alerts = (tx: Tx) => tx.select(columns).from(alert).leftJoin(alertEnd, eq(alertEnd.alertId, alert.id));

/** Stores an alert; one that is there already stays as it is. */
export async function insertAlert(tx: Tx, row: typeof alert.$inferInsert): Promise<void> {
  await tx.insert(alert).values(row).onConflictDoNothing();
}

/** Ends an alert; the first end stands. */
export async function endAlert(tx: Tx, row: typeof alertEnd.$inferInsert): Promise<void> {
  await tx.insert(alertEnd).values(row).onConflictDoNothing();
}

export async function findAlert(tx: Tx, id: string): Promise<StoredAlert | undefined> {
  const [row] = await alerts(tx).where(eq(alert.id, id));
  return row;
}

/** All alerts that a customer ever had, the newest first. */
export async function listAlerts(
  tx: Tx,
  customerId: string,
  page: PageRequest<NewestFirst>,
): Promise<Page<StoredAlert, NewestFirst>> {
  const found = await alerts(tx)
    .where(and(eq(alert.customerId, customerId), olderThan(alert.setAt, alert.id, page.after)))
    .orderBy(desc(alert.setAt), desc(alert.id))
    .limit(rowsToRead(page));
  return pageOf(found, page, ({ setAt, id }) => ({ at: setAt, id }));
}

/** A customer's alerts that nobody has ended. */
export async function alertsInForce(tx: Tx, customerId: string): Promise<StoredAlert[]> {
  return await alerts(tx)
    .where(and(eq(alert.customerId, customerId), isNull(alertEnd.alertId)))
    .orderBy(alert.id);
}

export type StoredCrossing = typeof alertCrossing.$inferSelect & {
  readonly recovery: typeof alertRecovery.$inferSelect | null;
};

/** What an alert has told, the newest first. */
export async function crossingsOf(tx: Tx, alertId: string, limit: number): Promise<StoredCrossing[]> {
  return await tx
    .select({ ...getTableColumns(alertCrossing), recovery: getTableColumns(alertRecovery) })
    .from(alertCrossing)
    .leftJoin(
      alertRecovery,
      and(eq(alertRecovery.alertId, alertCrossing.alertId), eq(alertRecovery.number, alertCrossing.number)),
    )
    .where(eq(alertCrossing.alertId, alertId))
    .orderBy(desc(alertCrossing.number))
    .limit(limit);
}

/** Of alerts, by their ids: what each has told and is not over. */
export async function openCrossings(
  tx: Tx,
  customerId: string,
): Promise<ReadonlyMap<string, readonly OpenCrossing[]>> {
  const found = await tx
    .select(getTableColumns(alertCrossing))
    .from(alertCrossing)
    .innerJoin(alert, eq(alert.id, alertCrossing.alertId))
    .where(
      and(
        eq(alert.customerId, customerId),
        sql`not exists (select from ${alertRecovery} where ${alertRecovery.alertId} = ${alertCrossing.alertId}
          and ${alertRecovery.number} = ${alertCrossing.number})`,
      ),
    );
  const open = found.map(({ alertId, number, reading: key, windowStart }) => ({
    alertId,
    crossing: { number, key, windowStart },
  }));
  return new Map(
    [...Map.groupBy(open, ({ alertId }) => alertId)].map(([id, group]) => [
      id,
      group.map(({ crossing }) => crossing),
    ]),
  );
}

/** Writes down what an alert has to say, and tells it, in the caller's transaction, which holds the customer's lock. */
export async function writeTurn(
  tx: Tx,
  { id, customerId, condition }: StoredAlert,
  { recovered, crossed }: AlertTurn,
  at: Instant,
): Promise<void> {
  for (const { number, cause } of recovered) {
    await tx.insert(alertRecovery).values({ alertId: id, number, cause, recoveredAt: at });
    if (cause !== "recovered") continue;
    const key = `alert/${id}/${number}/recovered`;
    const subject = { alertId: id, number };
    await enqueueNotice(tx, { key, kind: "budget.recovered", customerId, subject, occurredAt: at });
  }
  let number = crossed.length === 0 ? 0 : await lastNumber(tx, id);
  for (const { key, windowStart, used, allowed, forecast } of crossed) {
    number += 1;
    await tx.insert(alertCrossing).values({
      ...{ alertId: id, number, reading: key, windowStart, crossedAt: at },
      ...{ used: used.text, allowed: allowed.text, forecast: forecast?.text ?? null },
    });
    await enqueueNotice(tx, {
      key: `alert/${id}/${number}`,
      kind: kindOf(condition),
      customerId,
      subject: { alertId: id, number },
      occurredAt: at,
    });
  }
}

function kindOf(
  condition: StoredAlert["condition"],
): Extract<NoticeKind, "budget.share_reached" | "budget.limit_reached" | "budget.overrun_forecast"> {
  if (condition.type === "forecast") return "budget.overrun_forecast";
  return condition.percent === 100 ? "budget.limit_reached" : "budget.share_reached";
}

async function lastNumber(tx: Tx, alertId: string): Promise<number> {
  const [last] = await crossingsOf(tx, alertId, 1);
  return last?.number ?? 0;
}

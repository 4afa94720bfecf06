import { asc, eq, isNull } from "drizzle-orm";
import type { Instant } from "../../domain/calendar/index.ts";
import { type ComposedNotice, composeNotice, isMailed, type NoticeKind } from "../../domain/notices/index.ts";
import { type Database, inTransaction, sql, type Tx } from "../database.ts";
import { notice } from "../schema/notices.ts";
import { timestamp } from "../timestamp.ts";
import { suppressedKindsOf } from "./mail-preferences.ts";
import { noticeData } from "./notice-data.ts";

export interface ComposeOptions {
  readonly now: Instant;
  /** Whether there is somebody to send mail for us. */
  readonly hasMail: boolean;
  /** Whether what is about this deployment has a reader. */
  readonly hasOperator: boolean;
  /** Notices that could not be composed a moment ago: left out, so that they hold up nothing else. */
  readonly except: ReadonlySet<string>;
}

/**
 * Composes notices that are not yet, the oldest first, and writes down to whom each goes; each in a transaction of its own. Any
 * number of workers may do it at once.
 * @returns the ids of those that were composed, and the errors of those that could not be, by id
 */
export async function composeNotices(
  db: Database,
  options: ComposeOptions,
  limit = 50,
): Promise<{ readonly composed: string[]; readonly failures: ReadonlyMap<string, unknown> }> {
  const waiting = await db.orm
    .select({ id: notice.id })
    .from(notice)
    .where(isNull(notice.composedAt))
    .orderBy(asc(notice.sequence))
    .limit(limit + options.except.size);
  const composed: string[] = [];
  const failures = new Map<string, unknown>();
  for (const { id } of waiting.filter((each) => !options.except.has(each.id))) {
    try {
      if (await compose(db, id, options)) composed.push(id);
    } catch (error) {
      failures.set(id, error);
    }
  }
  return { composed, failures };
}

/** False when another worker is at it, or has done it. */
async function compose(db: Database, id: string, options: ComposeOptions): Promise<boolean> {
  return await inTransaction(db, async (tx) => {
    const [row] = await tx.select().from(notice).where(eq(notice.id, id)).for("update", { skipLocked: true });
    if (row === undefined || row.composedAt !== null) return false;
    const data = await noticeData(db, row.kind, row.subject as never);
    const composed = composeNotice(row, data);
    const body = JSON.stringify(composed);
    await tx.update(notice).set({ body, composedAt: options.now }).where(eq(notice.id, id));
    await deliverToEndpoints(tx, row, options.now);
    if (await isForMail(tx, composed, options)) await deliverTo(tx, id, null, options.now);
    return true;
  });
}

/** A test goes to the endpoint that it is about, everything else to all that want it. */
async function deliverToEndpoints(
  tx: Tx,
  { id, kind, subject }: { readonly id: string; readonly kind: NoticeKind; readonly subject: unknown },
  now: Instant,
): Promise<void> {
  if (kind === "webhook_endpoint.test") {
    await deliverTo(tx, id, (subject as { endpointId: string }).endpointId, now);
    return;
  }
  await tx.execute(sql`
    insert into notice.delivery (id, notice_id, endpoint_id, receiver, next_attempt_at, created_at)
    select ${`${id}.`}::text || id, ${id}::text, id, id, ${timestamp(now)}, ${timestamp(now)} from notice.endpoint
    where state = 'enabled' and (kinds is null or ${kind}::text = any (kinds))
    on conflict (notice_id, receiver) do nothing`);
}

async function deliverTo(tx: Tx, noticeId: string, endpointId: string | null, now: Instant): Promise<void> {
  const receiver = endpointId ?? "email";
  await tx.execute(sql`
    insert into notice.delivery (id, notice_id, endpoint_id, receiver, next_attempt_at, created_at)
    values (${`${noticeId}.${receiver}`}, ${noticeId}, ${endpointId}, ${receiver}, ${timestamp(now)}, ${timestamp(now)})
    on conflict (notice_id, receiver) do nothing`);
}

async function isForMail(
  tx: Tx,
  composed: ComposedNotice,
  { hasMail, hasOperator }: ComposeOptions,
): Promise<boolean> {
  if (!hasMail || !isMailed(composed)) return false;
  if (composed.customer_id === null) return hasOperator;
  return !(await suppressedKindsOf(tx, composed.customer_id)).includes(composed.type);
}

import { and, asc, isNull, notInArray } from "drizzle-orm";
import type { Instant } from "../../domain/calendar/index.ts";
import { type ComposedNotice, composeNotice, isMailed } from "../../domain/notices/index.ts";
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
 * Composes notices that are not yet, the oldest first, and writes down to whom each goes, all in one transaction. Any number of
 * workers may do it at once: what one is at, the others leave out.
 * @returns the ids of those that were composed, and the errors of those that could not be, by id
 */
export async function composeNotices(
  db: Database,
  options: ComposeOptions,
  limit = 50,
): Promise<{ readonly composed: string[]; readonly failures: ReadonlyMap<string, unknown> }> {
  const failures = new Map<string, unknown>();
  let tried: readonly string[] = [];
  try {
    const composed = await inTransaction(db, async (tx) => {
      const waiting = await waitingNotices(tx, options, limit);
      tried = waiting.map(({ id }) => id);
      const worded = await Promise.all(waiting.map((row) => word(db, row, failures)));
      await store(tx, worded.flat(), options);
      return worded.flat().map(({ row }) => row.id);
    });
    return { composed, failures };
  } catch (error) {
    // One that cannot be written down does not hold up the others: they are tried one by one, until it is found.
    if (tried.length > 1) return await composeNotices(db, options, 1);
    const [refused] = tried;
    if (refused === undefined) throw error;
    return { composed: [], failures: new Map([[refused, error]]) };
  }
}

/** The oldest of those that nobody else is at. */
async function waitingNotices(tx: Tx, { except }: ComposeOptions, limit: number) {
  return await tx
    .select()
    .from(notice)
    .where(and(isNull(notice.composedAt), notInArray(notice.id, [...except])))
    .orderBy(asc(notice.sequence))
    .limit(limit)
    .for("update", { skipLocked: true });
}

/** What one says, if that can be said. */
async function word(
  db: Database,
  row: Composed["row"],
  failures: Map<string, unknown>,
): Promise<readonly Composed[]> {
  try {
    return [{ row, says: composeNotice(row, await noticeData(db, row.kind, row.subject as never)) }];
  } catch (error) {
    failures.set(row.id, error);
    return [];
  }
}

interface Composed {
  readonly row: typeof notice.$inferSelect;
  readonly says: ComposedNotice;
}

async function store(tx: Tx, composed: readonly Composed[], options: ComposeOptions): Promise<void> {
  if (composed.length === 0) return;
  const { now } = options;
  const bodies = composed.map(({ row, says }) => ({ id: row.id, body: JSON.stringify(says) }));
  await tx.execute(sql`
    update notice.notice set body = given.body, composed_at = ${timestamp(now)}
    from json_to_recordset(${JSON.stringify(bodies)}::text::json) as given (id text, body text)
    where notice.id = given.id`);
  const isTest = ({ row }: Composed) => row.kind === "webhook_endpoint.test";
  await deliverToEndpoints(
    tx,
    composed.filter((each) => !isTest(each)),
    now,
  );
  for (const each of composed) {
    const { id, subject } = each.row;
    if (isTest(each)) await deliverTo(tx, id, (subject as { endpointId: string }).endpointId, now);
    if (await isForMail(tx, each.says, options)) await deliverTo(tx, id, null, now);
  }
}

/** A test goes to the endpoint that it is about, everything else to all that want it. */
async function deliverToEndpoints(tx: Tx, composed: readonly Composed[], now: Instant): Promise<void> {
  const told = composed.map(({ row: { id, kind } }) => ({ id, kind }));
  await tx.execute(sql`
    insert into notice.delivery (id, notice_id, endpoint_id, receiver, next_attempt_at, created_at)
    select told.id || '.' || endpoint.id, told.id, endpoint.id, endpoint.id, ${timestamp(now)}, ${timestamp(now)}
    from json_to_recordset(${JSON.stringify(told)}::text::json) as told (id text, kind text)
    join notice.endpoint on endpoint.state = 'enabled' and (endpoint.kinds is null or told.kind = any (endpoint.kinds))
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

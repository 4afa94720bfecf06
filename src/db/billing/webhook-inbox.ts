import { and, desc, eq, getTableColumns, sql } from "drizzle-orm";
import { rows, type Tx } from "../database.ts";
import { type NewestFirst, olderThan, type Page, type PageRequest, pageOf, rowsToRead } from "../page.ts";
import { webhookInbox } from "../schema/stripe.ts";

export interface ReceivedWebhook {
  readonly eventId: string;
  readonly type: string;
  readonly apiVersion: string | null;
  readonly body: string;
  /** Nothing follows from it: it is kept, and nobody is woken. */
  readonly isIgnored?: boolean;
}

/** Keeps a verified webhook before it is answered. Answers false when it was there already. */
export async function receiveWebhook(tx: Tx, received: ReceivedWebhook): Promise<boolean> {
  const { eventId, type, apiVersion, body, isIgnored = false } = received;
  const inserted = await rows<{ told: unknown }>(
    tx,
    sql`with kept as (
          insert into stripe.webhook_inbox (event_id, type, api_version, body, state, finished_at)
          values (${eventId}, ${type}, ${apiVersion}, ${body}, ${isIgnored ? "ignored" : "waiting"},
            ${isIgnored ? sql`clock_timestamp()` : sql`null`})
          on conflict (event_id) do nothing returning state)
        select case state when 'waiting' then pg_notify('webhook_received', '') end as told from kept`,
  );
  return inserted.length > 0;
}

/** Keeps those of listed events whose webhook has not come. Answers how many. */
export async function receiveMissed(
  tx: Tx,
  events: readonly { id: string; type: string; apiVersion: string | null; body: string }[],
): Promise<number> {
  let missed = 0;
  for (const { id: eventId, type, apiVersion, body } of events) {
    if (await receiveWebhook(tx, { eventId, type, apiVersion, body })) missed += 1;
  }
  return missed;
}

export interface WaitingWebhook {
  readonly event_id: string;
  readonly type: string;
  readonly body: string;
  readonly attempts: number;
}

/** Longer than applying one event takes: whoever claimed it and died leaves it to others after this. */
const claimSeconds = 60;

/** Claims what waits, oldest first; others that look at the same time get other rows. */
export async function claimWebhooks(tx: Tx, limit: number): Promise<WaitingWebhook[]> {
  return await rows<WaitingWebhook>(
    tx,
    sql`update stripe.webhook_inbox set attempts = attempts + 1,
          next_attempt_at = clock_timestamp() + make_interval(secs => ${claimSeconds})
        where event_id in (
          select event_id from stripe.webhook_inbox
          where state = 'waiting' and next_attempt_at <= clock_timestamp()
          order by next_attempt_at limit ${limit} for update skip locked)
        returning event_id, type, body, attempts`,
  );
}

export async function finishWebhook(tx: Tx, eventId: string, state: "done" | "ignored"): Promise<void> {
  await tx
    .update(webhookInbox)
    .set({ state, finishedAt: sql`clock_timestamp()`, lastError: null })
    .where(eq(webhookInbox.eventId, eventId));
}

export interface WebhookBacklog {
  readonly waiting: number;
  readonly parked: number;
  /** Since the oldest that waits was received; 0 when none does. */
  readonly oldestWaitingSeconds: number;
}

/** How much has not been applied. */
export async function webhookBacklog(tx: Tx): Promise<WebhookBacklog> {
  const [counted] = await rows<{ waiting: number; parked: number; oldest: number }>(
    tx,
    sql`select count(*)::int as waiting,
          coalesce(extract(epoch from clock_timestamp() - min(received_at)), 0)::float8 as oldest,
          (select count(*)::int from stripe.webhook_inbox where state = 'parked') as parked
        from stripe.webhook_inbox where state = 'waiting'`,
  );
  return {
    waiting: counted?.waiting ?? 0,
    parked: counted?.parked ?? 0,
    oldestWaitingSeconds: counted?.oldest ?? 0,
  };
}

/** How often an event is tried before it is set aside for a person. */
const attemptsMax = 10;

/** Tries again later, with growing pauses; in the end the event is parked, where it is seen and can be replayed. */
export async function postponeWebhook(
  tx: Tx,
  eventId: string,
  attempts: number,
  error: string,
): Promise<void> {
  const parked = attempts >= attemptsMax;
  const pauseSeconds = Math.min(2 ** attempts / 4, 300);
  await tx.execute(sql`update stripe.webhook_inbox set
      state = ${parked ? "parked" : "waiting"}, last_error = ${error},
      finished_at = ${parked ? sql`clock_timestamp()` : sql`null`},
      next_attempt_at = clock_timestamp() + make_interval(secs => ${pauseSeconds})
    where event_id = ${eventId}`);
}

export type StoredWebhook = Omit<typeof webhookInbox.$inferSelect, "body">;

const { body: _body, ...columns } = getTableColumns(webhookInbox);

/** Those in a state, the newest first. Asked for what waits or is parked: there are few of these. */
export async function listWebhooks(
  tx: Tx,
  state: "parked" | "waiting",
  page: PageRequest<NewestFirst>,
): Promise<Page<StoredWebhook, NewestFirst>> {
  const found = await tx
    .select(columns)
    .from(webhookInbox)
    .where(
      and(
        eq(webhookInbox.state, state),
        olderThan(webhookInbox.receivedAt, webhookInbox.eventId, page.after),
      ),
    )
    .orderBy(desc(webhookInbox.receivedAt), desc(webhookInbox.eventId))
    .limit(rowsToRead(page));
  return pageOf(found, page, ({ receivedAt, eventId }) => ({ at: receivedAt, id: eventId }));
}

export async function findWebhook(tx: Tx, eventId: string): Promise<StoredWebhook | undefined> {
  const [row] = await tx.select(columns).from(webhookInbox).where(eq(webhookInbox.eventId, eventId));
  return row;
}

/** Has a parked one applied again, from the first attempt on. Answers false when it was not parked. */
export async function replayWebhook(tx: Tx, eventId: string): Promise<boolean> {
  const replayed = await rows<{ event_id: string }>(
    tx,
    sql`update stripe.webhook_inbox
        set state = 'waiting', attempts = 0, finished_at = null, next_attempt_at = clock_timestamp()
        where event_id = ${eventId} and state = 'parked' returning event_id`,
  );
  if (replayed.length > 0) await tx.execute(sql`notify webhook_received`);
  return replayed.length > 0;
}

import { eq, sql } from "drizzle-orm";
import { rows, type Tx } from "../database.ts";
import { webhookInbox } from "../schema/stripe.ts";

export interface ReceivedWebhook {
  readonly eventId: string;
  readonly type: string;
  readonly apiVersion: string | null;
  readonly body: string;
}

/** Keeps a verified webhook before it is answered. Answers false when it was there already. */
export async function receiveWebhook(tx: Tx, received: ReceivedWebhook): Promise<boolean> {
  const inserted = await rows<{ event_id: string }>(
    tx,
    sql`insert into stripe.webhook_inbox (event_id, type, api_version, body)
        values (${received.eventId}, ${received.type}, ${received.apiVersion}, ${received.body})
        on conflict (event_id) do nothing returning event_id`,
  );
  if (inserted.length > 0) await tx.execute(sql`notify webhook_received`);
  return inserted.length > 0;
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

import { and, eq } from "drizzle-orm";
import type { Instant } from "../../domain/calendar/index.ts";
import { rows, sql, type Tx } from "../database.ts";
import { delivery, deliveryAttempt } from "../schema/notices.ts";
import { timestamp } from "../timestamp.ts";

/** What a worker has taken on to deliver. */
export interface ClaimedDelivery {
  readonly id: string;
  readonly notice_id: string;
  /** Null: by e-mail. */
  readonly endpoint_id: string | null;
  readonly customer_id: string | null;
  /** The bytes to be sent. */
  readonly body: string;
  /** The number of this attempt. */
  readonly attempt: number;
  /** The same since it was last asked for: 1 for the first. */
  readonly round: number;
}

export interface ClaimOptions {
  readonly now: Instant;
  readonly limit: number;
  /** How many deliveries to one receiver may be under way in one process: one that is slow holds up no others. */
  readonly perReceiverMax: number;
  /** How many are, by endpoint, or `email`. */
  readonly underWay: Readonly<Record<string, number>>;
  readonly hasMail: boolean;
}

/** Longer than an attempt may take: whoever claimed it and died leaves it to others after this. */
const claimSeconds = 60;

/** Claims deliveries that are due; others that look at the same time get other ones. Those to a disabled endpoint wait. */
export async function claimDeliveries(tx: Tx, options: ClaimOptions): Promise<ClaimedDelivery[]> {
  const { now, limit, perReceiverMax, underWay, hasMail } = options;
  return await rows<ClaimedDelivery>(
    tx,
    sql`with receiver as (
          select id from notice.endpoint where state = 'enabled' union all select 'email' where ${hasMail}
        ), due as materialized (
          select found.id from receiver cross join lateral (
            select delivery.id from notice.delivery
            where delivery.receiver = receiver.id and delivery.state = 'waiting' and next_attempt_at <= ${timestamp(now)}
            order by next_attempt_at
            limit greatest(0, ${perReceiverMax} - coalesce((${JSON.stringify(underWay)}::text::jsonb ->> receiver.id)::int, 0))
            for update skip locked
          ) as found limit ${limit}
        ), claimed as (
          update notice.delivery set attempts = attempts + 1,
            next_attempt_at = ${timestamp(now)} + make_interval(secs => ${claimSeconds})
          from due where delivery.id = due.id
          returning delivery.id, notice_id, endpoint_id, attempts as attempt, attempts - attempts_before as round
        )
        select claimed.*, notice.body, notice.customer_id from claimed
        join notice.notice on notice.id = notice_id order by notice.sequence`,
  );
}

/** How an attempt ended. */
export interface AttemptOutcome {
  readonly attemptedAt: Instant;
  readonly latencyMs: number;
  /** Of HTTP or SMTP; null when there was no answer. */
  readonly status: number | null;
  /** How the answer began. */
  readonly answer: string | null;
  /** Why it failed; null when it did not. */
  readonly error: string | null;
}

/**
 * Writes down how an attempt ended, and when the next one is made.
 * @param retryAt null: none is; of no matter when it succeeded
 */
export async function finishAttempt(
  tx: Tx,
  { id, attempt }: Pick<ClaimedDelivery, "id" | "attempt">,
  outcome: AttemptOutcome,
  { now, retryAt }: { readonly now: Instant; readonly retryAt: Instant | null },
): Promise<void> {
  const isDelivered = outcome.error === null;
  await tx
    .insert(deliveryAttempt)
    .values({ deliveryId: id, attempt, outcome: isDelivered ? "delivered" : "failed", ...outcome })
    .onConflictDoNothing();
  if (isDelivered) {
    await tx.update(delivery).set({ state: "delivered", finishedAt: now }).where(isWaiting(id));
    return;
  }
  const next =
    retryAt === null ? { state: "given_up" as const, finishedAt: now } : { nextAttemptAt: retryAt };
  // Not when it took so long that another has it by now.
  await tx
    .update(delivery)
    .set(next)
    .where(and(isWaiting(id), eq(delivery.attempts, attempt)));
}

const isWaiting = (id: string) => and(eq(delivery.id, id), eq(delivery.state, "waiting"));

export interface DeliveryBacklog {
  readonly waiting: number;
  /** Since the oldest was due; 0 when none is. */
  readonly oldestDueSeconds: number;
  readonly toCompose: number;
}

/** How much has not been delivered. */
export async function deliveryBacklog(tx: Tx, now: Instant): Promise<DeliveryBacklog> {
  const [counted] = await rows<{ waiting: number; oldest: number; to_compose: number }>(
    tx,
    sql`select count(*)::int as waiting,
          greatest(0, coalesce(extract(epoch from ${timestamp(now)} - min(next_attempt_at)), 0))::float8 as oldest,
          (select count(*)::int from notice.notice where composed_at is null) as to_compose
        from notice.delivery where state = 'waiting'`,
  );
  return {
    waiting: counted?.waiting ?? 0,
    oldestDueSeconds: counted?.oldest ?? 0,
    toCompose: counted?.to_compose ?? 0,
  };
}

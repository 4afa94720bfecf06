import { createHash } from "node:crypto";
import { type Instant, instantOfEpochMs } from "../../domain/calendar/index.ts";
import { arrayLiteral } from "../array-literal.ts";
import { rows, sql, type Tx } from "../database.ts";
import { timestamp } from "../timestamp.ts";

/** A revision that is to be told. */
export interface WaitingPush {
  readonly identifier: string;
  readonly eventName: string;
  readonly kind: "usage" | "cancel";
  readonly value: string;
  /** The identifier of what is taken back. */
  readonly canceled: string | null;
  readonly stripeCustomerId: string;
  readonly windowStart: Instant;
  /** What all of the window comes to with it. */
  readonly expected: string;
}

/** Longer than telling takes: whoever claimed it and died leaves it to others after this. */
const claimSeconds = 60;

const claimed = sql`set next_attempt_at = clock_timestamp() + make_interval(secs => ${claimSeconds})`;

/** Claims what waits to be told, each by itself. */
export async function claimPushes(tx: Tx, kind: "any" | "cancel", limit: number): Promise<WaitingPush[]> {
  const found = await rows<{ identifier: string }>(
    tx,
    sql`update stripe.meter_push ${claimed} where identifier in (
        select identifier from stripe.meter_push
        where state = 'planned' and batch is null and next_attempt_at <= clock_timestamp()
          and (${kind} = 'any' or kind = ${kind})
        order by next_attempt_at limit ${limit} for update skip locked)
      returning identifier`,
  );
  return await waitingPushes(
    tx,
    found.map(({ identifier }) => identifier),
  );
}

/** Claims usage that is told together: a batch that was made before and not told, or else a new one. Undefined: nothing waits. */
export async function claimBatch(
  tx: Tx,
  limit: number,
): Promise<{ batch: string; pushes: WaitingPush[] } | undefined> {
  const [known] = await rows<{ batch: string }>(
    tx,
    sql`select batch from stripe.meter_push
      where state = 'planned' and batch is not null and next_attempt_at <= clock_timestamp() limit 1`,
  );
  if (known !== undefined) {
    const again = await rows<{ identifier: string }>(
      tx,
      sql`update stripe.meter_push ${claimed} where state = 'planned' and batch = ${known.batch}
        and next_attempt_at <= clock_timestamp() returning identifier`,
    );
    return {
      batch: known.batch,
      pushes: await waitingPushes(
        tx,
        again.map(({ identifier }) => identifier),
      ),
    };
  }
  const alone = await claimUsage(tx, limit);
  if (alone.length === 0) return undefined;
  const batch = createHash("sha256").update(alone.join()).digest("hex");
  await tx.execute(sql`update stripe.meter_push set batch = ${batch}
    where identifier = any (${arrayLiteral(alone)}::text[])`);
  return { batch, pushes: await waitingPushes(tx, alone) };
}

async function claimUsage(tx: Tx, limit: number): Promise<string[]> {
  const found = await rows<{ identifier: string }>(
    tx,
    sql`update stripe.meter_push ${claimed} where identifier in (
        select identifier from stripe.meter_push
        where state = 'planned' and batch is null and kind = 'usage' and next_attempt_at <= clock_timestamp()
        order by next_attempt_at limit ${limit} for update skip locked)
      returning identifier`,
  );
  return found.map(({ identifier }) => identifier).toSorted();
}

async function waitingPushes(tx: Tx, identifiers: readonly string[]): Promise<WaitingPush[]> {
  if (identifiers.length === 0) return [];
  const found = await rows<Omit<WaitingPush, "windowStart"> & { start_ms: bigint }>(
    tx,
    sql`select push.identifier, push.event_name as "eventName", push.kind, push.value::text as value,
        canceled.identifier as canceled, customer.stripe_customer_id as "stripeCustomerId",
        (extract(epoch from push.window_start) * 1000)::int8 as start_ms,
        (select sum(value)::text from stripe.meter_push earlier
          where earlier.meter = push.meter and earlier.customer_id = push.customer_id
            and earlier.window_start = push.window_start and earlier.revision <= push.revision
            and earlier.state <> 'refused') as expected
      from stripe.meter_push push join billing.customer customer on customer.id = push.customer_id
      left join stripe.meter_push canceled on canceled.meter = push.meter and canceled.customer_id = push.customer_id
        and canceled.window_start = push.window_start and canceled.revision = push.cancels
      where push.identifier = any (${arrayLiteral(identifiers)}::text[]) order by push.identifier`,
  );
  return found.map(({ start_ms, ...rest }) => ({ ...rest, windowStart: instantOfEpochMs(Number(start_ms)) }));
}

export type ToldPush =
  | { readonly state: "sent" | "unknown" }
  | { readonly state: "refused"; readonly code: string };

/** Writes down what became of what was told. */
export async function finishPushes(
  tx: Tx,
  identifiers: readonly string[],
  told: ToldPush,
  at: Instant,
): Promise<void> {
  const code = told.state === "refused" ? told.code : null;
  await tx.execute(sql`update stripe.meter_push set state = ${told.state}, error_code = ${code}, sent_at = ${timestamp(at)}
    where identifier = any (${arrayLiteral(identifiers)}::text[]) and state = 'planned'`);
}

/** What Stripe took and told later that it has not counted: it is told anew, as another revision, after a day. */
export async function refusePushes(tx: Tx, identifiers: readonly string[], code: string): Promise<void> {
  await tx.execute(sql`update stripe.meter_push set state = 'refused', error_code = ${code}
    where identifier = any (${arrayLiteral(identifiers)}::text[]) and state = 'sent'`);
}

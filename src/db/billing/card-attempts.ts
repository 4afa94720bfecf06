import { and, eq, isNull } from "drizzle-orm";
import { type Instant, instant, instantOfEpochMs } from "../../domain/calendar/index.ts";
import type { CardLimit } from "../../domain/lifecycle/index.ts";
import { rows, sql, type Tx } from "../database.ts";
import { cardAttempt } from "../schema/dunning.ts";
import { timestamp } from "../timestamp.ts";
import { lockCustomer } from "./subscriptions.ts";

export interface CardCharge {
  readonly invoiceId: string;
  readonly attempt: number;
  readonly customerId: string;
  /** Its fingerprint, or the payment method's id. */
  readonly card: string;
  /** What is asked for, should it be taken on now. */
  readonly amountMinor: bigint;
  /** By the customer's clock. */
  readonly at: Instant;
}

/** Whether a charge may be sent; withheld until an instant, or for good. busy: another charge of the card is under way. */
export type CardClaim =
  /** Since when it was taken on, and for what: whoever comes second, for the same charge, is told the first one's. */
  | { readonly status: "granted"; readonly at: Instant; readonly amountMinor: bigint }
  | { readonly status: "busy" }
  | { readonly status: "nothing_due" }
  | { readonly status: "withheld"; readonly until: Instant | null };

/** After this Stripe has forgotten a call, and nobody waits for its end. */
const underWayHoursMax = 24;

/**
 * Takes a charge of a card on, in a transaction that holds the customer's lock: one at a time, no more failed ones within a
 * time than networks allow, over all invoices, and none after one that ended the card. What was taken on before stays so.
 */
export async function claimCardAttempt(tx: Tx, charge: CardCharge, limit: CardLimit): Promise<CardClaim> {
  const { customerId, card, amountMinor, at } = charge;
  await lockCustomer(tx, customerId);
  const { known, knownAmount, ended, busy, times } = await standingOf(tx, charge, limit);
  if (known !== null && knownAmount !== null) {
    return { status: "granted", at: instant(known), amountMinor: BigInt(knownAmount) };
  }
  if (amountMinor <= 0n) return { status: "nothing_due" };
  if (ended) return { status: "withheld", until: null };
  if (busy) return { status: "busy" };
  // The one that has to leave the window before there is room again.
  const oldest = times[times.length - limit.attemptsMax];
  if (oldest !== undefined) {
    return { status: "withheld", until: instantOfEpochMs(instant(oldest) + limit.withinMs) };
  }
  await tx.insert(cardAttempt).values({
    invoiceId: charge.invoiceId,
    attempt: charge.attempt,
    customerId,
    card,
    amountMinor,
    attemptedAt: at,
  });
  return { status: "granted", at, amountMinor };
}

interface CardStanding {
  /** When this very charge was taken on before; null when it was not. */
  readonly known: string | null;
  /** What it asked for then. */
  readonly knownAmount: string | null;
  readonly ended: boolean;
  readonly busy: boolean;
  /** Of the failed ones within the window, ascending. */
  readonly times: readonly string[];
}

async function standingOf(
  tx: Tx,
  { invoiceId, attempt, customerId, card, at }: CardCharge,
  { withinMs }: CardLimit,
): Promise<CardStanding> {
  const since = instantOfEpochMs(at - withinMs);
  const [found] = await rows<CardStanding>(
    tx,
    sql`select
      to_char(min(attempted_at) filter (where invoice_id = ${invoiceId} and attempt = ${attempt}) at time zone 'UTC',
        'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as known,
      (min(amount_minor) filter (where invoice_id = ${invoiceId} and attempt = ${attempt}))::text as "knownAmount",
      coalesce(bool_or(ends_card), false) as ended,
      coalesce(bool_or(outcome is null and claimed_at > now() - make_interval(hours => ${underWayHoursMax})), false) as busy,
      coalesce(jsonb_agg(to_char(attempted_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') order by attempted_at)
        filter (where attempted_at > ${timestamp(since)} and outcome is distinct from 'refused'), '[]') as times
    from billing.card_attempt
    where (invoice_id, attempt) = (${invoiceId}, ${attempt}::int)
      or customer_id = ${customerId} and card = ${card} and outcome is distinct from 'paid'
        and (ends_card or outcome is null or attempted_at > ${timestamp(since)})`,
  );
  return found ?? { known: null, knownAmount: null, ended: false, busy: false, times: [] };
}

/** How a charge ended. One that has ended stays so. */
export async function finishCardAttempt(
  tx: Tx,
  { invoiceId, attempt }: Pick<CardCharge, "invoiceId" | "attempt">,
  outcome: NonNullable<(typeof cardAttempt.$inferSelect)["outcome"]>,
  endsCard = false,
): Promise<void> {
  await tx
    .update(cardAttempt)
    .set({ outcome, endsCard })
    .where(
      and(
        eq(cardAttempt.invoiceId, invoiceId),
        eq(cardAttempt.attempt, attempt),
        sql`${cardAttempt.outcome} is null`,
      ),
    );
}

/** Whether a charge of an invoice is under way: then nobody can say yet what is due on it. */
export async function isBeingCharged(tx: Tx, invoiceId: string): Promise<boolean> {
  const [row] = await tx
    .select({ attempt: cardAttempt.attempt })
    .from(cardAttempt)
    .where(and(eq(cardAttempt.invoiceId, invoiceId), isNull(cardAttempt.outcome)))
    .limit(1);
  return row !== undefined;
}

/** Longer than it takes to book what a charge was answered with. */
const bookedWithinSeconds = 60;

/** Whether somebody has charged an invoice a moment ago, or is about to hear that they have: they book it. */
export async function isBeingBooked(tx: Tx, invoiceId: string): Promise<boolean> {
  const found = await rows<{ attempt: number }>(
    tx,
    sql`select attempt from billing.card_attempt
      where invoice_id = ${invoiceId} and (outcome is null or outcome = 'paid')
        and claimed_at > clock_timestamp() - make_interval(secs => ${bookedWithinSeconds}) limit 1`,
  );
  return found.length > 0;
}

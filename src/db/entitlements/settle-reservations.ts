import { type Instant, isoOf } from "../../domain/calendar/index.ts";
import type { RequestCharge } from "../../domain/entitlements/index.ts";
import { BillingError, invariant } from "../../domain/errors.ts";
import type { UsageEvent } from "../../domain/metering/index.ts";
import type { Decimal } from "../../domain/money/index.ts";
import { arrayLiteral } from "../array-literal.ts";
import type { ReceiptOutcome, StoredPayment } from "../schema/reservations.ts";
import type { StoredMeter } from "../usage/meters-in-force.ts";
import type { UsageTransaction } from "../usage/usage-connection.ts";
import { ingestEvents } from "../usage/usage-ingest.ts";
import { storedCharge } from "./place-reservations.ts";

/** What became of a request, and what it cost. */
export interface SettlementDraft {
  readonly reservationId: string;
  /** Equal for two that say the same. */
  readonly requestHash: string;
  readonly outcome: ReceiptOutcome;
  readonly used: UsageEvent["data"];
  readonly charges: readonly RequestCharge[];
  /** What the charges come to, in minor units. */
  readonly cost: Decimal;
  readonly settledAt: Instant;
  /** What is metered of it; null where it costs nothing. */
  readonly event: UsageEvent | null;
  /** Of each customer whose changes would change what it costs, as they were known. */
  readonly revisions: ReadonlyMap<string, bigint>;
}

/**
 * late: it had expired before, and is booked all the same. exists: somebody said so before; exists_different: something else.
 * outdated: what it costs has to be found out anew, and nothing was written.
 */
export interface SettlementOutcome {
  readonly status: "settled" | "late" | "exists" | "exists_different" | "missing" | "outdated";
  /** What was paid from what was set aside for it. */
  readonly payments: readonly StoredPayment[];
}

/** Somebody reported, as an event of his own, what only settling a reservation reports. */
export class ReservationEventRefusedError extends BillingError {
  readonly code = "reservation_event_refused";
}

/**
 * Writes receipts and the usage events behind them in the caller's transaction: a request is metered, and billed, exactly when
 * there is a receipt for it. @param drafts with different reservations
 * @throws ReservationEventRefusedError, after which nothing of the transaction may be kept
 */
export async function settleReservations(
  sql: UsageTransaction,
  drafts: readonly SettlementDraft[],
  meters: readonly StoredMeter[],
): Promise<SettlementOutcome[]> {
  const list = (textOf: (draft: SettlementDraft) => string) => arrayLiteral(drafts.map(textOf));
  const revisions = new Map(drafts.flatMap((draft) => [...draft.revisions]));
  const settled = await sql<{ status: SettlementOutcome["status"]; paid: readonly StoredPayment[] | null }[]>`
    select status, paid from billing.settle_reservations(
      ${arrayLiteral([...revisions.keys()])}::text::text[], ${arrayLiteral([...revisions.values()].map(String))}::text::int8[],
      ${list(({ reservationId }) => reservationId)}::text::text[], ${list(({ requestHash }) => requestHash)}::text::uuid[],
      ${list(({ outcome }) => outcome)}::text::text[], ${list(({ used }) => JSON.stringify(used))}::text::text[],
      ${list(({ charges }) => JSON.stringify(charges.map(storedCharge)))}::text::text[],
      ${list(({ cost }) => cost.text)}::text::numeric[], ${list(({ settledAt }) => isoOf(settledAt))}::text::timestamptz[]
    )`;
  invariant(settled.length === drafts.length, "every settlement has an outcome");
  const events = drafts.flatMap(({ event }, index) => {
    const status = settled[index]?.status;
    return event !== null && (status === "settled" || status === "late") ? [event] : [];
  });
  if (events.length > 0) requireCounted(events, await ingestEvents({ sql }, events, meters));
  return settled.map(({ status, paid }) => ({ status, payments: paid ?? [] }));
}

function requireCounted(
  events: readonly UsageEvent[],
  outcomes: Awaited<ReturnType<typeof ingestEvents>>,
): void {
  for (const [index, outcome] of outcomes.entries()) {
    if (outcome.status === "accepted") continue;
    const why = outcome.status === "invalid" ? outcome.refusal.message : outcome.status;
    throw new ReservationEventRefusedError(`the usage of ${events[index]?.id} cannot be metered: ${why}`);
  }
}

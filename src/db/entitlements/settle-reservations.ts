import { type Instant, isoOf } from "../../domain/calendar/index.ts";
import type { RequestCharge } from "../../domain/entitlements/index.ts";
import { BillingError } from "../../domain/errors.ts";
import type { UsageEvent } from "../../domain/metering/index.ts";
import type { Decimal } from "../../domain/money/index.ts";
import { arrayLiteral } from "../array-literal.ts";
import type { Client } from "../renewed-connection.ts";
import type { ReceiptOutcome, StoredPayment } from "../schema/reservations.ts";
import type { SendableEvents } from "../usage/usage-ingest.ts";
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

/** What became of requests, as `billing.reservation_settling`. @param drafts with different reservations; events: theirs, in their order */
export function settlingOf(sql: Client, drafts: readonly SettlementDraft[], events: SendableEvents) {
  const list = (textOf: (draft: SettlementDraft) => string) => arrayLiteral(drafts.map(textOf));
  const places = events.places.values();
  const placeOf = ({ event }: SettlementDraft) => (event === null ? 0 : (places.next().value ?? -1));
  return sql`row(
      ${list(({ reservationId }) => reservationId)}::text::text[], ${list(({ requestHash }) => requestHash)}::text::uuid[],
      ${list(({ outcome }) => outcome)}::text::text[], ${list(({ used }) => JSON.stringify(used))}::text::text[],
      ${list(({ charges }) => JSON.stringify(charges.map(storedCharge)))}::text::text[],
      ${list(({ cost }) => cost.text)}::text::numeric[], ${list(({ settledAt }) => isoOf(settledAt))}::text::timestamptz[],
      ${list((draft) => `${placeOf(draft)}`)}::text::int4[]
    )::billing.reservation_settling`;
}

/** Their usage events, as `billing.reservation_metering`. @param published how many versions of meters there must be still */
export const meteringOf = (sql: Client, { sent }: SendableEvents, published: bigint) => sql`row(
      ${`${published}`}::text::int8, ${sent.keys}::text::uuid[], ${sent.hashes}::text::uuid[], ${sent.ids}::text::text[],
      ${sent.times}::text::int8[], ${sent.customers}::text::int8[], ${sent.customerIds}::text::text[], ${sent.said}::text,
      ${sent.quantities}::text::text[], ${sent.values}::text::text[], ${sent.kinds}::text::int4[], ${sent.kindTypes}::text::text[],
      ${sent.kindSources}::text::text[], ${sent.kindMeters}::text::text[], ${sent.kindDimensions}::text::text[]
    )::billing.reservation_metering`;

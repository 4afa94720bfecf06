import type { KnownPaths } from "../../db/entitlements/known-paths.ts";
import type { ReservationWriter } from "../../db/entitlements/reservation-writer.ts";
import type { SettlementDraft, SettlementOutcome } from "../../db/entitlements/settle-reservations.ts";
import { chargingAt, type SpendingPath } from "../../db/entitlements/spending-path.ts";
import type { ReceiptOutcome } from "../../db/schema/reservations.ts";
import type { Instant } from "../../domain/calendar/index.ts";
import { chargesOfRequest, costOfCharges } from "../../domain/entitlements/index.ts";
import { parseEventData, type UsageEvent } from "../../domain/metering/index.ts";
import { found, NotFoundError, RequestRefusedError } from "../refusals.ts";
import { usedBy } from "./measured-request.ts";
import { attemptsMax, hashOf, reservationSource } from "./reserve.ts";

/** What is needed of a reservation to settle it. */
export interface SettledReservation {
  readonly id: string;
  readonly customerId: string;
  readonly userKey: string | null;
  readonly eventType: string;
  readonly placedAt: Instant;
}

export interface SettlingParts {
  readonly paths: KnownPaths;
  readonly writer: Pick<ReservationWriter, "settle">;
}

export interface Settled {
  readonly status: Exclude<SettlementOutcome["status"], "missing" | "exists_different" | "outdated">;
  readonly payments: SettlementOutcome["payments"];
  readonly draft: SettlementDraft;
}

/**
 * Says what became of a request: it costs what it used, by the prices of when it was placed. Who failed pays nothing, whatever it used.
 * @param wall the time for customers without a test clock
 * @throws RequestRefusedError `reservation_settled` when something else was said before, UsageEventInvalidError,
 * ReservationEventRefusedError
 */
export async function settle(
  { paths, writer }: SettlingParts,
  reservation: SettledReservation,
  said: Said,
  wall: Instant,
): Promise<Settled> {
  const { id, customerId, userKey } = reservation;
  const asked = { customerId, user: userKey };
  for (let attempt = 1; ; attempt++) {
    const path = found(await paths.of(asked, wall), "customer", customerId);
    const draft = draftOf(reservation, said, path, path.facts.isOnTestClock ? path.facts.now : wall);
    const { status, payments } = await writer.settle(draft);
    if (status === "missing") throw new NotFoundError("reservation", id);
    if (status === "exists_different") {
      const message = "what became of this request was said before, and it was something else";
      throw new RequestRefusedError("reservation_settled", message);
    }
    if (status !== "outdated") return { status, draft, payments };
    paths.forget(asked);
    if (attempt >= attemptsMax)
      throw new RequestRefusedError("unavailable", "what decides keeps changing: ask again");
  }
}

/** What is said of a request. */
export interface Said {
  readonly outcome: ReceiptOutcome;
  readonly used: unknown;
}

function draftOf(
  { id, customerId, eventType: type, placedAt: time }: SettledReservation,
  { outcome, used }: Said,
  path: SpendingPath,
  settledAt: Instant,
): SettlementDraft {
  const data = parseEventData(used);
  const event = { id, source: reservationSource, customerId, type, time, data };
  const isCharged = outcome === "completed" || outcome === "canceled";
  const charges = isCharged ? chargesAt(path, event) : [];
  return {
    ...{ reservationId: id, outcome, used: data, charges, settledAt },
    requestHash: hashOf([outcome, data]),
    cost: costOfCharges(charges),
    event: isCharged ? event : null,
    revisions: path.revisions,
  };
}

/** By the prices of when the request was placed: those by which its usage event is rated. */
function chargesAt({ facts, meters, charging, chargingSince }: SpendingPath, event: UsageEvent) {
  const then = event.time >= chargingSince ? charging : chargingAt(facts, event.time);
  return chargesOfRequest(usedBy(event, meters), then, meters);
}

import { hash } from "node:crypto";
import type { KnownPaths } from "../../db/entitlements/known-paths.ts";
import type { DeniedSlot, HeldPart, ReservationDraft } from "../../db/entitlements/place-reservations.ts";
import type { ReservationWriter } from "../../db/entitlements/reservation-writer.ts";
import type { SpendingPath } from "../../db/entitlements/spending-path.ts";
import { type Instant, instantOfEpochMs } from "../../domain/calendar/index.ts";
import {
  chargesOfRequest,
  costOfCharges,
  decidingCap,
  type ReachedCap,
  type RequestCharge,
} from "../../domain/entitlements/index.ts";
import { canonicalJson, type JsonValue, parseEventData } from "../../domain/metering/index.ts";
import type { Decimal } from "../../domain/money/index.ts";
import { found, RequestRefusedError } from "../refusals.ts";
import { usedBy } from "./measured-request.ts";

/** What somebody wants to run, and what it may use at most. */
export interface ReservationRequest {
  /** Of the request: its reservation, its receipt and its usage event have it for ever. */
  readonly id: string;
  readonly customerId: string;
  readonly user: string | null;
  readonly purpose: string | null;
  readonly eventType: string;
  readonly worstCase: unknown;
  /** How long it may take, in seconds. */
  readonly ttlSeconds: number;
}

export type DenialReason = "access_ended" | "access_limited" | "cap_reached";

/** What a request was told: `known`: it was placed before, and the reservation stands as it is. */
export type Reserved =
  | {
      readonly status: "placed";
      readonly draft: ReservationDraft;
      readonly path: SpendingPath;
      readonly heldIn: readonly HeldPart[];
    }
  | { readonly status: "known" }
  | {
      readonly status: "denied";
      readonly reason: DenialReason;
      readonly amount: Decimal;
      readonly cap: ReachedCap | null;
      readonly path: SpendingPath;
    };

export interface ReservingParts {
  readonly paths: KnownPaths;
  readonly writer: Pick<ReservationWriter, "place">;
}

/** Whoever changes caps a thousand times a second is told to wait. */
export const attemptsMax = 8;

/**
 * Sets aside what a request may cost at most, at every level above its user that has a cap: all of it, or nothing.
 * @param wall the time for customers without a test clock
 * @throws RequestRefusedError `reservation_id_reused`, `reservation_not_measured`, PriceNotReservableError, UsageEventInvalidError,
 * NotFoundError
 */
export async function reserve(
  { paths, writer }: ReservingParts,
  request: ReservationRequest,
  wall: Instant,
): Promise<Reserved> {
  const { customerId } = request;
  for (let attempt = 1; ; attempt++) {
    const path = found(await paths.of(request, wall), "customer", customerId);
    const draft = draftOf(request, path, path.facts.isOnTestClock ? path.facts.now : wall);
    const { level } = path.facts.access;
    if (level !== "granted") return { ...denied(`access_${level}`, draft, path), cap: null };
    const placed = await writer.place({ draft, path });
    switch (placed.status) {
      case "placed":
        return { status: "placed", draft, path, heldIn: placed.heldIn };
      case "exists":
        return { status: "known" };
      case "exists_different": {
        const message = "another request has this id: a request's id is its own for ever";
        throw new RequestRefusedError("reservation_id_reused", message, "id");
      }
      case "denied":
        return { ...denied("cap_reached", draft, path), cap: capOf(path, placed.denied) };
    }
    paths.forget(request);
    if (attempt >= attemptsMax)
      throw new RequestRefusedError("unavailable", "what decides keeps changing: ask again");
  }
}

const denied = (reason: DenialReason, { amount }: ReservationDraft, path: SpendingPath) =>
  ({ status: "denied", reason, amount, path }) as const;

function draftOf(request: ReservationRequest, path: SpendingPath, now: Instant): ReservationDraft {
  const { id, customerId, user, purpose, eventType, ttlSeconds } = request;
  const worstCase = parseEventData(request.worstCase);
  const event = { id, source: reservationSource, customerId, type: eventType, time: now, data: worstCase };
  const charges: readonly RequestCharge[] = chargesOfRequest(
    usedBy(event, path.meters),
    path.charging,
    path.meters,
  );
  return {
    ...{ id, customerId, user, purpose, eventType, worstCase, charges },
    requestHash: hashOf([customerId, user, purpose, eventType, worstCase]),
    amount: costOfCharges(charges),
    placedAt: now,
    expiresAt: instantOfEpochMs(now + ttlSeconds * 1_000),
  };
}

/** The source of the usage events that settling writes. */
export const reservationSource = "reckoner.reservations";

/** Equal for what says the same. */
export const hashOf = (said: JsonValue): string => hash("sha256", canonicalJson(said)).slice(0, 32);

function capOf({ slots }: SpendingPath, denied: readonly DeniedSlot[]): ReachedCap | null {
  const reached = denied.flatMap(({ slot, spent, held }): ReachedCap[] => {
    const { capId, limit, level, holder, resetsAt } = slots[slot] ?? {};
    if (capId == null || limit == null || level === undefined || holder === undefined) return [];
    return [{ capId, level, holder, limit, spent, held, resetsAt: resetsAt ?? null }];
  });
  return decidingCap(reached) ?? null;
}

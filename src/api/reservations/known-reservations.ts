import type { ReservationDraft } from "../../db/entitlements/place-reservations.ts";
import type { StoredReservation } from "../../db/entitlements/stored-reservations.ts";
import type { SettledReservation } from "./settle.ts";

export type KnownReservation = SettledReservation &
  Pick<StoredReservation, "purpose" | "currency" | "heldMinor">;

/** Reservations that this process has placed, so that settling them needs no question; nothing of them ever changes. */
export class KnownReservations {
  readonly #reservationsMax: number;
  readonly #byId = new Map<string, KnownReservation>();

  constructor(reservationsMax = 50_000) {
    this.#reservationsMax = reservationsMax;
  }

  add(
    { id, customerId, user, purpose, eventType, placedAt, amount }: ReservationDraft,
    currency: string,
  ): void {
    const heldMinor = amount.text;
    this.#byId.set(id, { id, customerId, userKey: user, purpose, eventType, placedAt, currency, heldMinor });
    const [oldest] = this.#byId.keys();
    if (this.#byId.size > this.#reservationsMax && oldest !== undefined) this.#byId.delete(oldest);
  }

  find(id: string): KnownReservation | undefined {
    return this.#byId.get(id);
  }

  forget(id: string): void {
    this.#byId.delete(id);
  }
}

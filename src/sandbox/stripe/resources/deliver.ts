import type { Call } from "../http/route.ts";
import type { Transaction } from "../state/transaction.ts";

/** What an event needs to know of its cause. The bank and the clock cause events without a request. */
export type Cause = Pick<Call, "tx"> & {
  readonly requestId: string | null;
  readonly idempotencyKey: string | null;
};

/** Puts a delivery that is due at once into the outbox. */
export function queueDelivery(tx: Transaction, eventId: string, endpointId: string): void {
  tx.put({
    id: tx.newId("dlv"),
    object: "delivery",
    created: tx.now,
    event: eventId,
    endpoint: endpointId,
    state: "pending",
    attempts: 0,
    next_attempt_at_ms: Date.now(),
    last_result: null,
  });
}

import { isDeepStrictEqual } from "node:util";
import type { Call } from "../http/route.ts";
import { apiVersion } from "../schema/endive.ts";
import type { Kind, Objects, StripeEvent } from "../state/objects.ts";
import type { Transaction } from "../state/transaction.ts";
import { render } from "./render.ts";

/** What an event needs to know of its cause. The bank and the clock cause events without a request. */
export type Cause = Pick<Call, "tx"> & {
  readonly requestId: string | null;
  readonly idempotencyKey: string | null;
};

/**
 * Records an event with the object as it is now in this transaction, and a delivery to each endpoint that
 * listens for it. With `before`, the event says which fields changed.
 */
export function emit(cause: Cause, type: string, row: Objects[Kind], before?: Objects[Kind]): void {
  const { tx } = cause;
  const object = render(tx, row);
  const previous = before ? { previous_attributes: changedFields(render(tx, before), object) } : {};
  const event: StripeEvent = tx.put({
    id: tx.newId("evt"),
    object: "event",
    created: tx.now,
    livemode: false,
    type,
    api_version: apiVersion,
    data_json: JSON.stringify({ object, ...previous }),
    request: { id: cause.requestId, idempotency_key: cause.idempotencyKey },
  });
  for (const endpoint of tx.list("webhook_endpoint")) {
    const listens = endpoint.enabled_events.some((enabled) => enabled === "*" || enabled === type);
    if (listens && endpoint.status === "enabled") queueDelivery(tx, event.id, endpoint.id);
  }
}

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

function changedFields(
  before: Record<string, unknown>,
  after: Record<string, unknown>,
): Record<string, unknown> {
  const changed = Object.entries(before).filter(([name, value]) => !isDeepStrictEqual(value, after[name]));
  return Object.fromEntries(changed);
}

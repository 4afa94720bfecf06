import { isDeepStrictEqual } from "node:util";
import { apiVersion } from "../schema/endive.ts";
import type { Kind, Objects, StripeEvent } from "../state/objects.ts";
import { type Cause, queueDelivery } from "./deliver.ts";
import { emitThin } from "./emit-thin.ts";
import { render } from "./render.ts";

export type { Cause } from "./deliver.ts";

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
    if (endpoint.thin_name !== undefined) continue;
    const listens = endpoint.enabled_events.some((enabled) => enabled === "*" || enabled === type);
    if (listens && endpoint.status === "enabled") queueDelivery(tx, event.id, endpoint.id);
  }
  emitThin(cause, { type: `v1.${type}`, related: referenceTo(row), snapshotEvent: event.id });
}

const referenceTo = ({ id, object }: Objects[Kind]) => ({
  id,
  type: object,
  url: `/v1/${object.replace(".", "/")}s/${id}`,
});

function changedFields(
  before: Record<string, unknown>,
  after: Record<string, unknown>,
): Record<string, unknown> {
  const changed = Object.entries(before).filter(([name, value]) => !isDeepStrictEqual(value, after[name]));
  return Object.fromEntries(changed);
}

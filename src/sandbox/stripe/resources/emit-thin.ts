import type { ThinEvent } from "../state/metering-objects.ts";
import type { WebhookEndpoint } from "../state/objects.ts";
import { type Cause, queueDelivery } from "./deliver.ts";

type Happening = {
  readonly type: string;
  readonly related?: NonNullable<ThinEvent["related"]>;
  readonly snapshotEvent?: string;
  readonly data?: unknown;
};

/** Records a thin event where some destination listens for it, or where it is the only one of its kind, and delivers it. */
export function emitThin(cause: Cause, { type, related, snapshotEvent, data }: Happening): void {
  const { tx } = cause;
  const listening = tx.list("webhook_endpoint").filter((each) => listens(each, type));
  if (listening.length === 0 && snapshotEvent !== undefined) return;
  const event = tx.put<ThinEvent>({
    id: tx.newId("evt"),
    object: "thin_event",
    created: tx.now,
    type,
    ...(related && { related }),
    ...(snapshotEvent !== undefined && { snapshot_event: snapshotEvent }),
    ...(data !== undefined && { data_json: JSON.stringify(data) }),
    request: { id: cause.requestId, idempotency_key: cause.idempotencyKey },
  });
  for (const { id } of listening) queueDelivery(tx, event.id, id);
}

const listens = ({ thin_name: name, status, enabled_events: enabled }: WebhookEndpoint, type: string) =>
  name !== undefined && status === "enabled" && enabled.some((each) => each === "*" || each === type);

/** What is posted of a thin event; whoever fetches it gets `data` too. */
export function thinNotification(event: ThinEvent) {
  const { id, key } = { id: event.request.id, key: event.request.idempotency_key };
  return {
    id: event.id,
    object: "v2.core.event",
    created: new Date(event.created * 1000).toISOString(),
    livemode: false,
    type: event.type,
    reason: id === null ? null : { type: "request", request: { id, idempotency_key: key ?? "" } },
    related_object: event.related ?? null,
    ...(event.snapshot_event !== undefined && { snapshot_event: event.snapshot_event }),
  };
}

import { badParameter } from "../http/refusal.ts";
import { type Call, pathId, type Reply, type Route } from "../http/route.ts";
import { object, requiredText, text, texts } from "../schema/access.ts";
import type { WebhookEndpoint } from "../state/objects.ts";
import { thinNotification } from "./emit-thin.ts";
import { newEndpoint, newSigningSecret, postableUrl } from "./webhook-endpoints.ts";

/** Where thin events go, and the events that whoever got one may fetch. */
export const eventDestinationRoutes: readonly Route[] = [
  {
    operation: "POST /v2/core/event_destinations",
    honours: [
      "name",
      "description",
      "enabled_events",
      "event_payload",
      "type",
      "include",
      "webhook_endpoint.url",
    ],
    handle: create,
  },
  { operation: "GET /v2/core/event_destinations/{id}", honours: ["include"], handle: retrieve },
  { operation: "DELETE /v2/core/event_destinations/{id}", honours: [], handle: remove },
  { operation: "GET /v2/core/events/{id}", honours: [], handle: retrieveEvent },
];

function create(call: Call): Reply {
  const { tx, params } = call;
  // Snapshots go to the endpoints of the first version.
  if (text(params, "event_payload") !== "thin" || text(params, "type") !== "webhook_endpoint") {
    const message = "The stand-in has thin events to webhook endpoints only; Stripe has more.";
    throw badParameter(message, "event_payload", "sandbox_parameter_unsupported");
  }
  const url = postableUrl(
    requiredText(object(params, "webhook_endpoint") ?? {}, "url"),
    "webhook_endpoint.url",
  );
  const secret = newSigningSecret();
  const destination = tx.put<WebhookEndpoint>({
    ...newEndpoint(tx, url, [secret]),
    id: tx.newId("ed_test"),
    enabled_events: texts(params, "enabled_events"),
    description: text(params, "description") ?? null,
    thin_name: requiredText(params, "name"),
  });
  const wantsSecret = texts(params, "include").includes("webhook_endpoint.signing_secret");
  return shown(destination, wantsSecret ? { signing_secret: secret, url } : { url });
}

function shown(destination: WebhookEndpoint, webhook_endpoint: Reply): Reply {
  const created = new Date(destination.created * 1000).toISOString();
  return {
    id: destination.id,
    object: "v2.core.event_destination",
    created,
    description: destination.description ?? "",
    enabled_events: destination.enabled_events,
    event_payload: "thin",
    events_from: ["self"],
    livemode: false,
    metadata: {},
    name: destination.thin_name,
    status: destination.status,
    type: "webhook_endpoint",
    updated: created,
    webhook_endpoint,
  };
}

function retrieve(call: Call): Reply {
  const destination = call.tx.get("webhook_endpoint", pathId(call, "id"));
  return shown(destination, { url: destination.url });
}

function remove(call: Call): Reply {
  const { id } = call.tx.get("webhook_endpoint", pathId(call, "id"));
  call.tx.remove("webhook_endpoint", id);
  return { id, object: "v2.core.event_destination" };
}

function retrieveEvent(call: Call): Reply {
  const event = call.tx.get("thin_event", pathId(call, "id"));
  const data = event.data_json === undefined ? {} : { data: JSON.parse(event.data_json) };
  return { ...thinNotification(event), ...data };
}

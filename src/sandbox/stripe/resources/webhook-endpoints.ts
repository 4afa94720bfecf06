import { randomBytes } from "node:crypto";
import { page } from "../http/lists.ts";
import { badParameter } from "../http/refusal.ts";
import { type Call, listParameters, pathId, type Reply, type Route } from "../http/route.ts";
import { flag, mergedMetadata, requiredText, text, textChanges, texts } from "../schema/access.ts";
import { apiVersion } from "../schema/endive.ts";
import type { WebhookEndpoint } from "../state/objects.ts";
import type { Transaction } from "../state/transaction.ts";
import { render } from "./render.ts";

const written = ["url", "enabled_events", "description", "metadata"];

export const webhookEndpointRoutes: readonly Route[] = [
  { operation: "POST /v1/webhook_endpoints", honours: [...written, "api_version"], handle: create },
  { operation: "GET /v1/webhook_endpoints", honours: [...listParameters], handle: listAll },
  { operation: "GET /v1/webhook_endpoints/{webhook_endpoint}", honours: [], handle: retrieve },
  {
    operation: "POST /v1/webhook_endpoints/{webhook_endpoint}",
    honours: [...written, "disabled"],
    handle: update,
  },
  { operation: "DELETE /v1/webhook_endpoints/{webhook_endpoint}", honours: [], handle: remove },
];

function create(call: Call): Reply {
  const { tx, params } = call;
  const secret = newSigningSecret();
  const endpoint = tx.put({
    ...newEndpoint(tx, postableUrl(requiredText(params, "url")), [secret]),
    enabled_events: enabledEvents(texts(params, "enabled_events")),
    api_version: text(params, "api_version") ?? apiVersion,
    ...textChanges(params, ["description"]),
    metadata: mergedMetadata(params),
  });
  return { ...render(tx, endpoint), secret };
}

/** Makes an endpoint for every event, or gives the one with this address these secrets; Stripe lets nobody choose them. */
export function keepEndpoint(tx: Transaction, url: string, secrets: readonly string[]): void {
  const known = snapshotEndpoints(tx).find((endpoint) => endpoint.url === url);
  const wanted = newEndpoint(tx, url, secrets);
  tx.put(known === undefined ? wanted : { ...wanted, id: known.id, created: known.created });
}

/** Destinations of the second version are none of the first. */
const snapshotEndpoints = (tx: Transaction) =>
  tx.list("webhook_endpoint").filter(({ thin_name: thin }) => thin === undefined);

export function newEndpoint(tx: Transaction, url: string, secrets: readonly string[]): WebhookEndpoint {
  return {
    id: tx.newId("we"),
    object: "webhook_endpoint",
    created: tx.now,
    livemode: false,
    url,
    enabled_events: ["*"],
    status: "enabled",
    api_version: apiVersion,
    metadata: {},
    secrets: secrets.map((secret) => ({ secret, expires_at_ms: null })),
  };
}

export function newSigningSecret(): string {
  return `whsec_${randomBytes(24).toString("base64url").replaceAll(/[-_]/g, "0")}`;
}

/** A new secret beside the old one, which goes on signing for `overlapMs`. Stripe does this in its dashboard. */
export function rollSecret(tx: Transaction, endpoint: WebhookEndpoint, overlapMs: number): string {
  const secret = newSigningSecret();
  const expiresAtMs = Date.now() + overlapMs;
  const old = endpoint.secrets.map((each) => ({ ...each, expires_at_ms: each.expires_at_ms ?? expiresAtMs }));
  tx.put({ ...endpoint, secrets: [{ secret, expires_at_ms: null }, ...old] });
  return secret;
}

export function postableUrl(url: string, param = "url"): string {
  const isPostable = URL.canParse(url) && /^https?:$/.test(new URL(url).protocol);
  if (!isPostable)
    throw badParameter("Invalid URL: it must be an http or https address.", param, "url_invalid");
  return url;
}

function enabledEvents(events: string[]): string[] {
  if (events.length === 0)
    throw badParameter("Missing required param: enabled_events.", "enabled_events", "parameter_missing");
  return events;
}

function update(call: Call): Reply {
  const { tx, params } = call;
  const before = tx.get("webhook_endpoint", pathId(call, "webhook_endpoint"));
  const url = text(params, "url");
  const disabled = flag(params, "disabled");
  const after: WebhookEndpoint = {
    ...before,
    ...(url !== undefined && { url: postableUrl(url) }),
    ...("enabled_events" in params && { enabled_events: enabledEvents(texts(params, "enabled_events")) }),
    ...(disabled !== undefined && { status: disabled ? "disabled" : "enabled" }),
    ...textChanges(params, ["description"]),
    metadata: mergedMetadata(params, before.metadata),
  };
  return render(tx, tx.put(after));
}

function remove(call: Call): Reply {
  const { id } = call.tx.get("webhook_endpoint", pathId(call, "webhook_endpoint"));
  call.tx.remove("webhook_endpoint", id);
  return { id, object: "webhook_endpoint", deleted: true };
}

function retrieve(call: Call): Reply {
  return render(call.tx, call.tx.get("webhook_endpoint", pathId(call, "webhook_endpoint")));
}

function listAll({ tx, params }: Call): Reply {
  return page(params, "/v1/webhook_endpoints", snapshotEndpoints(tx), (row) => render(tx, row));
}

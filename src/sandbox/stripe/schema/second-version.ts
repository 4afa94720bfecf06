import type { FormTree, FormValue } from "../http/form.ts";
import { badParameter } from "../http/refusal.ts";
import type { OperationSchemas } from "./operations.ts";
import type { RequestSchema } from "./reader.ts";

/**
 * Requests of the second version of the API, which takes JSON. Stripe's specification does not have them: these are read from
 * the SDK's types.
 */
const none: RequestSchema = { type: "object", properties: {} };
const name: RequestSchema = { type: "string", maxLength: 100 };

const object = (properties: RequestSchema["properties"], required: readonly string[]): RequestSchema => ({
  type: "object",
  properties: properties ?? {},
  required,
});

const meterEvent = object(
  {
    event_name: name,
    identifier: name,
    payload: { type: "object", additionalProperties: { type: "string", maxLength: 500 } },
    timestamp: { type: "string" },
  },
  ["event_name", "payload"],
);

const eventDestination = object(
  {
    name: { type: "string", maxLength: 5000 },
    description: { type: "string", maxLength: 5000 },
    enabled_events: { type: "array", items: { type: "string" } },
    event_payload: { type: "string", enum: ["snapshot", "thin"] },
    type: { type: "string", enum: ["amazon_eventbridge", "azure_event_grid", "webhook_endpoint"] },
    include: { type: "array", items: { type: "string" } },
    webhook_endpoint: object({ url: { type: "string" } }, ["url"]),
  },
  ["enabled_events", "event_payload", "name", "type"],
);

const posted = (body: RequestSchema): OperationSchemas => ({ query: none, body });
const asked = (query: RequestSchema): OperationSchemas => ({ query, body: none });
const include: RequestSchema = { type: "array", items: { type: "string" } };

export const secondVersion: Readonly<Record<string, OperationSchemas>> = {
  "POST /v2/billing/meter_events": posted(meterEvent),
  "POST /v2/billing/meter_event_session": posted(none),
  "POST /v2/billing/meter_event_stream": posted(
    object({ events: { type: "array", items: meterEvent } }, ["events"]),
  ),
  "POST /v2/billing/meter_event_adjustments": posted(
    object(
      {
        event_name: name,
        type: { type: "string", enum: ["cancel"] },
        cancel: object({ identifier: name }, ["identifier"]),
      },
      ["cancel", "event_name", "type"],
    ),
  ),
  "POST /v2/core/event_destinations": posted(eventDestination),
  "GET /v2/core/event_destinations/{id}": asked(object({ include }, [])),
  "DELETE /v2/core/event_destinations/{id}": posted(none),
  "GET /v2/core/events/{id}": asked(none),
};

/** A JSON body as a form is decoded, so that one reader checks both. Throws a refusal for what is no JSON object of texts. */
export function decodeJson(body: string): FormTree {
  let value: unknown;
  try {
    value = body === "" ? {} : JSON.parse(body);
  } catch {
    throw badParameter("The body is not valid JSON.", "body", "invalid_fields");
  }
  const tree = treeOf(value, "body");
  if (typeof tree === "string")
    throw badParameter("The body is not a JSON object.", "body", "invalid_fields");
  return tree;
}

function treeOf(value: unknown, param: string): FormValue {
  if (typeof value === "string") return value;
  if (typeof value !== "object" || value === null) {
    throw badParameter(`Invalid value: ${param} must not be ${String(value)}.`, param, "invalid_fields");
  }
  const tree: FormTree = Object.create(null);
  for (const [key, inner] of Object.entries(value)) tree[key] = treeOf(inner, key);
  return tree;
}

import { page } from "../http/lists.ts";
import { badParameter, refused } from "../http/refusal.ts";
import { type Call, listParameters, pathId, type Reply, type Route } from "../http/route.ts";
import { meterOf } from "../metering/count-event.ts";
import { choice, object, requiredText, text } from "../schema/access.ts";
import type { Meter } from "../state/metering-objects.ts";
import { emit } from "./emit.ts";
import { meterSummaries } from "./meter-summaries.ts";
import { render } from "./render.ts";

export const meterRoutes: readonly Route[] = [
  {
    operation: "POST /v1/billing/meters",
    honours: [
      "display_name",
      "event_name",
      "event_time_window",
      "default_aggregation.formula",
      "customer_mapping.event_payload_key",
      "customer_mapping.type",
      "value_settings.event_payload_key",
    ],
    handle: create,
  },
  { operation: "GET /v1/billing/meters", honours: [...listParameters, "status"], handle: listAll },
  { operation: "GET /v1/billing/meters/{id}", honours: [], handle: retrieve },
  { operation: "POST /v1/billing/meters/{id}", honours: ["display_name"], handle: update },
  { operation: "POST /v1/billing/meters/{id}/deactivate", honours: [], handle: deactivate },
  { operation: "POST /v1/billing/meters/{id}/reactivate", honours: [], handle: reactivate },
  {
    operation: "GET /v1/billing/meters/{id}/event_summaries",
    honours: [...listParameters, "customer", "start_time", "end_time", "value_grouping_window"],
    handle: meterSummaries,
  },
];

function create(call: Call): Reply {
  const { tx, params } = call;
  const eventName = requiredText(params, "event_name");
  if (meterOf(tx, eventName) !== undefined) {
    const message = `A meter already exists with event name ${eventName}.`;
    throw refused(message, "resource_already_exists", "event_name");
  }
  const keyOf = (name: string, otherwise: string) =>
    text(object(params, name) ?? {}, "event_payload_key") ?? otherwise;
  const meter = tx.put<Meter>({
    id: tx.newId("mtr_test"),
    object: "billing.meter",
    created: tx.now,
    livemode: false,
    customer_mapping: { event_payload_key: keyOf("customer_mapping", "stripe_customer_id"), type: "by_id" },
    default_aggregation: {
      formula: choice(object(params, "default_aggregation") ?? {}, "formula", formulas) ?? "sum",
    },
    display_name: requiredText(params, "display_name"),
    event_name: eventName,
    event_time_window: choice(params, "event_time_window", timeWindows) ?? null,
    status: "active",
    status_transitions: { deactivated_at: null },
    updated: tx.now,
    value_settings: { event_payload_key: keyOf("value_settings", "value") },
  });
  emit(call, "billing.meter.created", meter);
  return render(tx, meter);
}

const timeWindows = ["day", "hour"] as const;
const formulas = ["count", "last", "sum"] as const;

const meterIn = (call: Call): Meter => call.tx.get("billing.meter", pathId(call, "id"));

function update(call: Call): Reply {
  const before = meterIn(call);
  const display_name = text(call.params, "display_name") ?? before.display_name;
  return changed(call, before, "updated", { display_name });
}

function deactivate(call: Call): Reply {
  const before = meterIn(call);
  if (before.status === "inactive") throw refused("This meter has already been deactivated.");
  const transitions = { deactivated_at: call.tx.now };
  return changed(call, before, "deactivated", { status: "inactive", status_transitions: transitions });
}

function reactivate(call: Call): Reply {
  const before = meterIn(call);
  if (before.status === "active") throw badParameter("This meter is already active.", "id");
  const transitions = { deactivated_at: null };
  return changed(call, before, "reactivated", { status: "active", status_transitions: transitions });
}

function changed(call: Call, before: Meter, what: string, change: Partial<Meter>): Reply {
  const after = call.tx.put({ ...before, ...change, updated: call.tx.now });
  emit(call, `billing.meter.${what}`, after, before);
  return render(call.tx, after);
}

function retrieve(call: Call): Reply {
  return render(call.tx, meterIn(call));
}

function listAll({ tx, params }: Call): Reply {
  const status = choice(params, "status", ["active", "inactive"]);
  const rows = tx.list("billing.meter").filter((row) => status === undefined || row.status === status);
  return page(params, "/v1/billing/meters", rows, (row) => render(tx, row));
}

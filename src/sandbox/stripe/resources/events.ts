import { createdWithin, page } from "../http/lists.ts";
import { badParameter } from "../http/refusal.ts";
import { type Call, listParameters, pathId, type Reply, type Route } from "../http/route.ts";
import { flag, text, texts } from "../schema/access.ts";
import type { StripeEvent } from "../state/objects.ts";
import { render } from "./render.ts";

/** Events are readable for thirty days. */
const readableSeconds = 30 * 24 * 60 * 60;

export const eventRoutes: readonly Route[] = [
  {
    operation: "GET /v1/events",
    honours: [...listParameters, "created", "type", "types", "delivery_success"],
    handle: listAll,
  },
  { operation: "GET /v1/events/{id}", honours: [], handle: retrieve },
];

function listAll({ tx, params }: Call): Reply {
  const type = text(params, "type");
  const types = texts(params, "types");
  if (type !== undefined && types.length > 0) {
    throw badParameter(
      "You may only specify one of these parameters: type, types.",
      "types",
      "parameters_exclusive",
    );
  }
  const patterns = type === undefined ? types : [type];
  const delivered = flag(params, "delivery_success");
  const isWithin = createdWithin(params);
  const rows = tx
    .list("event")
    .filter(
      (event) =>
        event.created > tx.now - readableSeconds &&
        isWithin(event) &&
        (patterns.length === 0 || patterns.some((pattern) => matchesType(event.type, pattern))) &&
        (delivered === undefined || delivered === wasDelivered(event)),
    );
  return page(params, "/v1/events", rows, (row) => render(tx, row));

  function wasDelivered(event: StripeEvent): boolean {
    return tx
      .list("delivery", { field: "event", value: event.id })
      .every(({ state }) => state === "delivered");
  }
}

function matchesType(type: string, pattern: string): boolean {
  return pattern.endsWith("*") ? type.startsWith(pattern.slice(0, -1)) : type === pattern;
}

function retrieve(call: Call): Reply {
  return render(call.tx, call.tx.get("event", pathId(call, "id")));
}

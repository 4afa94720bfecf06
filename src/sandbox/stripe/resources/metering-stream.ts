import { randomBytes } from "node:crypto";
import { badParameter } from "../http/refusal.ts";
import type { Call, Reply, Route } from "../http/route.ts";
import { countEvent, faultOf, meterOf, type SentMeterEvent } from "../metering/count-event.ts";
import { type RejectedMeterEvent, reportErrors } from "../metering/error-report.ts";
import { object, objects, requiredText, text } from "../schema/access.ts";
import type { Params } from "../schema/reader.ts";
import type { Meter } from "../state/metering-objects.ts";
import { payloadOf, takeBack, takeEvent } from "./meter-events.ts";

const eventFields = ["event_name", "identifier", "payload", "timestamp"];
const sessionSeconds = 15 * 60;
const streamedMax = 100;

/** Usage in the second version of the API, whose stream takes it unseen. */
export const meteringStreamRoutes: readonly Route[] = [
  { operation: "POST /v2/billing/meter_events", honours: eventFields, handle: create },
  { operation: "POST /v2/billing/meter_event_session", honours: [], handle: openSession },
  {
    operation: "POST /v2/billing/meter_event_stream",
    honours: eventFields.map((field) => `events.${field}`),
    handle: stream,
  },
  {
    operation: "POST /v2/billing/meter_event_adjustments",
    honours: ["event_name", "type", "cancel.identifier"],
    handle: adjust,
  },
];

const isoOf = (seconds: number): string => new Date(seconds * 1000).toISOString();

function create(call: Call): Reply {
  const event = eventOf(call, call.params);
  takeEvent(call, event);
  const { eventName: event_name, identifier, payload, at } = event;
  return {
    object: "v2.billing.meter_event",
    created: isoOf(call.tx.now),
    event_name,
    identifier,
    livemode: false,
    payload,
    timestamp: isoOf(at),
  };
}

function eventOf({ tx }: Call, params: Params): SentMeterEvent {
  const timestamp = text(params, "timestamp");
  const at = timestamp === undefined ? tx.now : Math.floor(Date.parse(timestamp) / 1000);
  if (Number.isNaN(at)) throw badParameter("Invalid timestamp", "timestamp", "invalid_fields");
  return {
    eventName: requiredText(params, "event_name"),
    identifier: text(params, "identifier") ?? tx.newId("evtid"),
    payload: payloadOf(params),
    at,
  };
}

/** The token says whose it is, and is good for nothing but the stream. */
function openSession({ tx }: Call): Reply {
  const session = tx.put({
    id: tx.newId("mes_test"),
    object: "meter_session",
    created: tx.now,
    token: `token_test_${tx.accountId}_${randomBytes(12).toString("hex")}`,
    expires_at: tx.now + sessionSeconds,
  });
  return {
    id: session.id,
    object: "v2.billing.meter_event_session",
    authentication_token: session.token,
    created: isoOf(session.created),
    expires_at: isoOf(session.expires_at),
    livemode: false,
  };
}

/** Takes up to a hundred events and answers before it looks at them: what is wrong with them is told in a report. */
function stream(call: Call): Reply {
  const events = objects(call.params, "events").map((params) => eventOf(call, params));
  if (events.length > streamedMax) {
    throw badParameter(`At most ${streamedMax} events can be sent at once.`, "events", "invalid_fields");
  }
  const meters = new Map(events.map(({ eventName }) => [eventName, meterOf(call.tx, eventName)]));
  const rejected: (RejectedMeterEvent & { readonly meter: Meter | undefined })[] = [];
  for (const event of events) {
    const meter = meters.get(event.eventName);
    const code = faultOf(call.tx, meter, event) ?? (meter && countEvent(call.tx, meter, event));
    if (code !== undefined) rejected.push({ meter, code, identifier: event.identifier });
  }
  // Stripe drops what it has seen already without a word.
  const told = rejected.filter(({ code }) => code !== "duplicate_meter_event");
  for (const [meter, of] of Map.groupBy(told, ({ meter }) => meter)) reportErrors(call, meter, of);
  return {};
}

function adjust(call: Call): Reply {
  const eventName = requiredText(call.params, "event_name");
  const identifier = requiredText(object(call.params, "cancel") ?? {}, "identifier");
  takeBack(call, eventName, identifier);
  return {
    id: call.tx.newId("mtr_event_adj"),
    object: "v2.billing.meter_event_adjustment",
    cancel: { identifier },
    created: isoOf(call.tx.now),
    event_name: eventName,
    livemode: false,
    status: "pending",
    type: "cancel",
  };
}

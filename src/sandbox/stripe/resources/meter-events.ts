import { refused } from "../http/refusal.ts";
import type { Call, Reply, Route } from "../http/route.ts";
import {
  cancelEvent,
  countEvent,
  faultOf,
  type MeterEventFault,
  meterOf,
  type SentMeterEvent,
} from "../metering/count-event.ts";
import { reportErrors } from "../metering/error-report.ts";
import { integer, object, requiredText, text } from "../schema/access.ts";
import type { Params } from "../schema/reader.ts";

export const meterEventRoutes: readonly Route[] = [
  {
    operation: "POST /v1/billing/meter_events",
    honours: ["event_name", "identifier", "payload", "timestamp"],
    handle: create,
  },
  {
    operation: "POST /v1/billing/meter_event_adjustments",
    honours: ["event_name", "type", "cancel.identifier"],
    handle: adjust,
  },
];

function create(call: Call): Reply {
  const { tx, params } = call;
  const event = {
    eventName: requiredText(params, "event_name"),
    identifier: text(params, "identifier") ?? tx.newId("evtid"),
    payload: payloadOf(params),
    at: integer(params, "timestamp") ?? tx.now,
  };
  takeEvent(call, event);
  const { eventName: event_name, identifier, payload, at: timestamp } = event;
  return {
    object: "billing.meter_event",
    created: tx.now,
    event_name,
    identifier,
    livemode: false,
    payload,
    timestamp,
  };
}

export function payloadOf(params: Params): Record<string, string> {
  const given = Object.entries(object(params, "payload") ?? {});
  return Object.fromEntries(given.map(([name, value]) => [name, String(value)]));
}

/** Refuses what is seen at once; that there is no such customer is told later. */
export function takeEvent(call: Call, event: SentMeterEvent): void {
  const meter = meterOf(call.tx, event.eventName);
  const fault = faultOf(call.tx, meter, event);
  if (fault !== undefined) throw refused(saidOf(fault, event), fault, paramOf[fault]);
  if (meter === undefined) return;
  const later = countEvent(call.tx, meter, event);
  if (later !== undefined) reportErrors(call, meter, [{ code: later, identifier: event.identifier }]);
}

const paramOf: Partial<Record<MeterEventFault, string>> = {
  duplicate_meter_event: "identifier",
  no_meter: "event_name",
  timestamp_in_future: "timestamp",
  timestamp_too_far_in_past: "timestamp",
};

function saidOf(fault: MeterEventFault, { identifier, eventName }: SentMeterEvent): string {
  switch (fault) {
    case "duplicate_meter_event":
      return `An event already exists with identifier ${identifier}.`;
    case "no_meter":
      return `No active meter found for event name ${eventName}.`;
    case "timestamp_in_future":
      return "The event timestamp is more than 5 minutes in the future.";
    case "timestamp_too_far_in_past":
      return "The event timestamp is more than 35 days in the past.";
    default:
      return `The event is not valid: ${fault}.`;
  }
}

function adjust(call: Call): Reply {
  const eventName = requiredText(call.params, "event_name");
  const identifier = requiredText(object(call.params, "cancel") ?? {}, "identifier");
  takeBack(call, eventName, identifier);
  return {
    object: "billing.meter_event_adjustment",
    cancel: { identifier },
    event_name: eventName,
    livemode: false,
    status: "pending",
    type: "cancel",
  };
}

export function takeBack({ tx }: Call, eventName: string, identifier: string): void {
  switch (cancelEvent(tx, eventName, identifier)) {
    case "not_found":
      throw refused(
        `No event found with identifier ${identifier}.`,
        "resource_missing",
        "cancel[identifier]",
      );
    case "out_of_window":
      throw refused(
        "Only events of the last 24 hours can be canceled.",
        "out_of_window",
        "cancel[identifier]",
      );
    case "canceled":
  }
}

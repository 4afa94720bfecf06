import type { Meter, MeterTotal } from "../state/metering-objects.ts";
import type { Transaction } from "../state/transaction.ts";
import { addDecimals, negated } from "./exact-sum.ts";

/** One event as it was sent, by whichever way. */
export type SentMeterEvent = {
  readonly eventName: string;
  readonly identifier: string;
  readonly payload: Readonly<Record<string, string>>;
  /** In seconds. */
  readonly at: number;
};

/** Why an event does not count, in the words of Stripe's error reports. */
export type MeterEventFault =
  | "archived_meter"
  | "duplicate_meter_event"
  | "meter_event_customer_not_found"
  | "meter_event_invalid_value"
  | "meter_event_no_customer_defined"
  | "meter_event_value_too_many_digits"
  | "no_meter"
  | "timestamp_in_future"
  | "timestamp_too_far_in_past";

const daySeconds = 24 * 60 * 60;
const pastSecondsMax = 35 * daySeconds;
const aheadSecondsMax = 5 * 60;
const significantDigitsMax = 15;

export const meterOf = (tx: Transaction, eventName: string): Meter | undefined =>
  tx.list("billing.meter").find(({ event_name }) => event_name === eventName);

/** What is wrong with an event; whether its customer exists is only looked at when it is counted. */
export function faultOf(
  tx: Transaction,
  meter: Meter | undefined,
  event: SentMeterEvent,
): MeterEventFault | undefined {
  if (meter === undefined) return "no_meter";
  if (meter.status === "inactive") return "archived_meter";
  if (event.at < tx.now - pastSecondsMax) return "timestamp_too_far_in_past";
  if (event.at > tx.now + aheadSecondsMax) return "timestamp_in_future";
  if (!event.payload[meter.customer_mapping.event_payload_key]) return "meter_event_no_customer_defined";
  return faultOfValue(amountOf(meter, event)) ?? faultOfIdentifier(tx, event);
}

function faultOfValue(value: string): MeterEventFault | undefined {
  if (!/^-?\d+(\.\d{1,12})?$/.test(value)) return "meter_event_invalid_value";
  const significant = value.replace(/[-.]/g, "").replace(/^0+/, "");
  return significant.length > significantDigitsMax ? "meter_event_value_too_many_digits" : undefined;
}

/** Unique within a rolling day from when Stripe got it. */
function faultOfIdentifier(tx: Transaction, event: SentMeterEvent): MeterEventFault | undefined {
  const known = tx.find("meter_usage", usageId(event.eventName, event.identifier));
  return known && tx.now - known.created < daySeconds ? "duplicate_meter_event" : undefined;
}

const amountOf = (meter: Meter, { payload }: SentMeterEvent): string =>
  meter.default_aggregation.formula === "count"
    ? "1"
    : (payload[meter.value_settings.event_payload_key] ?? "");

/** Counts an event that nothing is wrong with, unless its customer does not exist, which is found out only now. */
export function countEvent(
  tx: Transaction,
  meter: Meter,
  event: SentMeterEvent,
): "meter_event_customer_not_found" | undefined {
  const customer = tx.find("customer", event.payload[meter.customer_mapping.event_payload_key] ?? "");
  if (customer === undefined || customer.deleted) return "meter_event_customer_not_found";
  const value = amountOf(meter, event);
  const total = `total/${meter.id}/${customer.id}/${Math.floor(event.at / 60)}`;
  tx.put({
    id: usageId(event.eventName, event.identifier),
    object: "meter_usage",
    created: tx.now,
    event_name: event.eventName,
    total,
    value,
    at: event.at,
    canceled: false,
  });
  const known = tx.find("meter_total", total);
  tx.put<MeterTotal>({
    id: total,
    object: "meter_total",
    created: known?.created ?? tx.now,
    meter_customer: meterCustomer(meter.id, customer.id),
    minute: Math.floor(event.at / 60) * 60,
    count: (known?.count ?? 0) + 1,
    sum: addDecimals(known?.sum ?? "0", value),
    last: known !== undefined && known.last.at > event.at ? known.last : { at: event.at, value },
  });
  return undefined;
}

/** Takes an event of the last day back, once. */
export function cancelEvent(
  tx: Transaction,
  eventName: string,
  identifier: string,
): "canceled" | "not_found" | "out_of_window" {
  const usage = tx.find("meter_usage", usageId(eventName, identifier));
  const total = usage && tx.find("meter_total", usage.total);
  if (usage === undefined || total === undefined) return "not_found";
  if (tx.now - usage.created >= daySeconds) return "out_of_window";
  if (usage.canceled) return "canceled";
  tx.put({ ...usage, canceled: true });
  tx.put({ ...total, count: total.count - 1, sum: addDecimals(total.sum, negated(usage.value)) });
  return "canceled";
}

export const meterCustomer = (meter: string, customer: string): string => `${meter}/${customer}`;

const usageId = (eventName: string, identifier: string): string => `usage/${eventName}/${identifier}`;

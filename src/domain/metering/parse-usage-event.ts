import { type Instant, instant, isoOf } from "../calendar/index.ts";
import { BillingError } from "../errors.ts";
import type { JsonValue } from "./canonical-json.ts";
import type { UsageEvent } from "./usage-event.ts";

/** The longest id, source, customer or type, in UTF-16 code units. */
export const eventTextLengthMax = 200;

/** How far ahead of us the sender's clock may be. */
export const eventAheadMinutesMax = 5;

/** How late an event may come, in days of 24 hours: a year, and a month to notice. */
export const eventAgeDaysMax = 400;

/** How deep lists and objects in an event's data may be nested. */
export const eventDataDepthMax = 8;

export class UsageEventInvalidError extends BillingError {
  readonly code = "usage_event_invalid";
}

export class UsageEventInFutureError extends BillingError {
  readonly code = "usage_event_in_future";
}

export class UsageEventTooOldError extends BillingError {
  readonly code = "usage_event_too_old";
}

type JsonObject = Readonly<Record<string, unknown>>;

const ownFields = new Set(["id", "source", "customer", "type", "time", "data"]);
const cloudEventFields = new Set([
  "specversion",
  "id",
  "source",
  "type",
  "subject",
  "time",
  "data",
  "datacontenttype",
  "dataschema",
]);

/**
 * Parses one usage event as it comes from outside, in either of two forms:
 * - our own: exactly `id`, `source`, `customer`, `type`, `time` and, where there is any, `data`;
 * - CloudEvents 1.0 in JSON (told by `specversion`), whose `subject` is the customer. Extension attributes
 *   are allowed and not kept.
 * @throws UsageEventInvalidError, UsageEventInFutureError, UsageEventTooOldError, InstantInvalidError, each
 * with the `field` at fault
 * @param ageDaysMax how late it may come
 */
export function parseUsageEvent(
  input: unknown,
  now: Instant,
  ageDaysMax: number = eventAgeDaysMax,
): UsageEvent {
  if (!isObject(input)) throw new UsageEventInvalidError("a usage event must be a JSON object");
  const isCloudEvent = "specversion" in input;
  if (isCloudEvent) requireCloudEvent(input);
  else requireOwnForm(input);
  return {
    id: textOf(input, "id"),
    source: textOf(input, "source"),
    customerId: textOf(input, isCloudEvent ? "subject" : "customer"),
    type: textOf(input, "type"),
    time: timeOf(input, now, ageDaysMax),
    data: parseEventData(input.data ?? {}),
  };
}

function requireOwnForm(input: JsonObject): void {
  for (const field of Object.keys(input)) {
    if (!ownFields.has(field)) {
      const known = [...ownFields].join(", ");
      throw new UsageEventInvalidError(`${field} is not a field of a usage event, which has ${known}`, field);
    }
  }
}

function requireCloudEvent(input: JsonObject): void {
  if (input.specversion !== "1.0") {
    throw new UsageEventInvalidError('only CloudEvents of specversion "1.0" are read', "specversion");
  }
  const contentType = input.datacontenttype ?? "application/json";
  if (typeof contentType !== "string" || !/^[\w.+-]+\/([\w.-]+\+)?json\s*(;.*)?$/i.test(contentType)) {
    throw new UsageEventInvalidError("data must be JSON (application/json)", "datacontenttype");
  }
  for (const field of Object.keys(input)) {
    // The rule for names of attributes also keeps out data_base64: binary data cannot be measured.
    if (!cloudEventFields.has(field) && !/^[a-z0-9]+$/.test(field)) {
      throw new UsageEventInvalidError(`${field} cannot be the name of a CloudEvents attribute`, field);
    }
  }
}

function textOf(input: JsonObject, field: string): string {
  const value = input[field];
  if (typeof value !== "string" || value.length === 0 || value.length > eventTextLengthMax) {
    throw new UsageEventInvalidError(`${field} must be text of 1 to ${eventTextLengthMax} characters`, field);
  }
  return storableText(value, field);
}

function timeOf(input: JsonObject, now: Instant, ageDaysMax: number): Instant {
  if (typeof input.time !== "string") {
    throw new UsageEventInvalidError('time must be text such as "2026-01-31T00:00:00Z"', "time");
  }
  const time = instant(input.time, "time");
  if (time - now > eventAheadMinutesMax * 60_000) {
    throw new UsageEventInFutureError(
      `time ${isoOf(time)} is more than ${eventAheadMinutesMax} minutes ahead of ${isoOf(now)}`,
      "time",
    );
  }
  if (now - time > ageDaysMax * 86_400_000) {
    throw new UsageEventTooOldError(
      `time ${isoOf(time)} is more than ${ageDaysMax} days before ${isoOf(now)}`,
      "time",
    );
  }
  return time;
}

/**
 * What an event says, as meters read it.
 * @throws UsageEventInvalidError with the `field` at fault, such as `data.tokens`
 */
export function parseEventData(data: unknown): Readonly<Record<string, JsonValue>> {
  if (!isObject(data)) throw new UsageEventInvalidError("data must be a JSON object", "data");
  requireJson(data, "data", eventDataDepthMax);
  return data as Readonly<Record<string, JsonValue>>;
}

function requireJson(value: unknown, field: string, depthLeft: number): void {
  if (value === null || typeof value === "boolean") return;
  if (typeof value === "string") {
    storableText(value, field);
    return;
  }
  if (typeof value === "number") {
    if (Number.isFinite(value)) return;
    throw new UsageEventInvalidError(`${field} must be a finite number`, field);
  }
  if (!Array.isArray(value) && !isObject(value)) {
    throw new UsageEventInvalidError(`${field} is not JSON`, field);
  }
  if (depthLeft === 0) {
    throw new UsageEventInvalidError(
      `data must not be nested deeper than ${eventDataDepthMax} levels`,
      field,
    );
  }
  for (const [key, item] of Object.entries(value)) {
    const path = Array.isArray(value) ? `${field}[${key}]` : `${field}.${storableText(key, field)}`;
    requireJson(item, path, depthLeft - 1);
  }
}

// PostgreSQL's text and jsonb hold neither NUL nor half a surrogate pair.
function storableText(text: string, field: string): string {
  if (text.includes("\u0000") || !text.isWellFormed()) {
    throw new UsageEventInvalidError(`${field} contains a character that is not valid text`, field);
  }
  return text;
}

function isObject(value: unknown): value is JsonObject {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

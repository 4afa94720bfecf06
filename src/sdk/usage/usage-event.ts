import { type DataFault, faultOfData, isStorableText } from "./event-data.ts";

/** One usage event, as a service reports it. Its key is (`source`, `id`), for ever. */
export interface UsageEventInput {
  /** 1 to 200 characters. When left out it is made, once, and kept through every retry and restart. */
  readonly id?: string | undefined;
  /** What reports it; the reporter's `source` when left out. */
  readonly source?: string | undefined;
  readonly customer: string;
  /** What meters select by, for example `model.request`. */
  readonly type: string;
  /** A Date, or ISO 8601 with a zone; now, by this machine's clock, when left out. */
  readonly time?: Date | string | undefined;
  /** What meters read: JSON, at most 8 levels deep. Members that are undefined are left out. */
  readonly data?: Readonly<Record<string, unknown>> | undefined;
}

export type RefusalCode = "event_invalid" | "event_too_large" | "reporter_closed";

/** Why an event was not taken. It will not be sent. */
export interface Refusal {
  readonly code: RefusalCode;
  /** For example `data.tokens`. */
  readonly field?: string | undefined;
  readonly detail: string;
}

/** An event as it is sent, and kept until it is answered: its text never changes again. */
export interface WrittenEvent {
  readonly id: string;
  readonly source: string;
  /** ISO 8601 with a zone. */
  readonly time: string;
  /** JSON in one line. */
  readonly text: string;
}

export interface WritingRules {
  readonly source: string | undefined;
  /** The time of events that name none. */
  readonly isoNow: () => string;
  readonly newId: () => string;
  /** The longest text of one event, in characters. */
  readonly lengthMax: number;
}

/**
 * Checks what can be known without the API, and writes the event down. It never throws, whatever it is given: a mistake
 * in what is reported must not stop the service that reports.
 */
export function writeEvent(input: UsageEventInput, rules: WritingRules): WrittenEvent | Refusal {
  try {
    return write(input, rules);
  } catch (error) {
    return invalid(`the event cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

const isoWithZone = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/;

function write(input: UsageEventInput, rules: WritingRules): WrittenEvent | Refusal {
  if (typeof input !== "object" || input === null) return invalid("a usage event is an object");
  const { customer, type, data } = input;
  const id = input.id === undefined ? rules.newId() : input.id;
  const source = input.source === undefined ? rules.source : input.source;
  const badText =
    faultOfText(id, "id") ??
    faultOfText(source, "source") ??
    faultOfText(customer, "customer") ??
    faultOfText(type, "type");
  if (badText !== undefined) return badText;
  const time = timeOf(input.time, rules.isoNow);
  if (time === undefined) {
    return invalid('time must be a Date or text such as "2026-01-31T00:00:00Z"', "time");
  }
  const badData = data === undefined ? undefined : faultOfData(data);
  if (badData !== undefined) return invalid(badData.detail, badData.field);
  const text = JSON.stringify({ id, source, customer, type, time, data });
  if (text.length > rules.lengthMax) {
    const detail = `the event is ${text.length} characters of JSON; more than ${rules.lengthMax} are not sent`;
    return { code: "event_too_large", detail };
  }
  return { id, source: source ?? "", time, text };
}

/** The time in ISO 8601. It is written anew only when it has changed, since that takes longer than all the rest. */
export function isoClock(wallMs: () => number): () => string {
  let [lastMs, lastText] = [Number.NaN, ""];
  return () => {
    const nowMs = wallMs();
    if (nowMs !== lastMs) [lastMs, lastText] = [nowMs, new Date(nowMs).toISOString()];
    return lastText;
  };
}

function faultOfText(value: unknown, field: string): Refusal | undefined {
  if (typeof value !== "string" || value.length === 0 || value.length > 200) {
    return invalid(`${field} must be text of 1 to 200 characters`, field);
  }
  return isStorableText(value)
    ? undefined
    : invalid(`${field} contains a character that is not valid text`, field);
}

function timeOf(time: Date | string | undefined, isoNow: () => string): string | undefined {
  if (time === undefined) return isoNow();
  if (typeof time === "string") {
    return isoWithZone.test(time) && !Number.isNaN(Date.parse(time)) ? time : undefined;
  }
  return time instanceof Date && !Number.isNaN(time.getTime()) ? time.toISOString() : undefined;
}

const invalid = (detail: string, field?: DataFault["field"]): Refusal => ({
  code: "event_invalid",
  field,
  detail,
});

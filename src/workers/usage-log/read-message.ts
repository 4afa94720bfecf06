import type { Message } from "@platformatic/kafka";
import { eventsIn, eventsMax, parsedDocument } from "../../api/ingest/event-document.ts";
import { JsonLines } from "../../api/ingest/json-lines.ts";
import { formOf } from "../../api/ingest/read-events.ts";
import { RequestRefusedError } from "../../api/refusals.ts";
import { BillingError } from "../../domain/errors.ts";

/** A message of the log, as far as it matters here. */
export type LogMessage = Pick<
  Message<Buffer, Buffer, Buffer, Buffer>,
  "partition" | "offset" | "value" | "headerEntries"
>;

/** The events of a message, not looked at yet; a refusal stands where a line is not JSON. */
export type MessageContent =
  | { readonly inputs: readonly unknown[] }
  /** It cannot be understood as a whole. */
  | { readonly refusal: BillingError };

/**
 * A message is what a request is over HTTP: a list of events or a single one, `{ events: […] }`, or events in lines, each in
 * our own form or as a CloudEvent. A header content-type says which, as over HTTP; without one both are tried.
 */
export function readMessage(message: LogMessage): MessageContent {
  try {
    return { inputs: inputsOf(message) };
  } catch (error) {
    if (error instanceof BillingError) return { refusal: error };
    throw error;
  }
}

function inputsOf({ value, headerEntries }: LogMessage): readonly unknown[] {
  const headers = new Map(headerEntries.map(([name, text]) => [name.toString().toLowerCase(), `${text}`]));
  const contentType = headers.get("content-type");
  const isEmpty = value === undefined || value === null || value.length === 0;
  if (headers.has("ce_specversion") && !contentType?.startsWith("application/cloudevents")) {
    return [binaryEvent(headers, isEmpty ? undefined : parsedDocument([value]))];
  }
  if (isEmpty) throw new RequestRefusedError("body_missing", "the message is empty");
  if (contentType !== undefined) {
    return formOf(contentType) === "lines" ? linesIn(value) : eventsIn(parsedDocument([value]));
  }
  try {
    return eventsIn(parsedDocument([value]));
  } catch (error) {
    if (isNotJson(error) && value.includes("}\n")) return linesIn(value);
    throw error;
  }
}

const isNotJson = (error: unknown) => error instanceof RequestRefusedError && error.code === "json_malformed";

function linesIn(value: Buffer): readonly unknown[] {
  const lines = new JsonLines(eventsMax);
  lines.take(value);
  lines.end();
  return lines.inputs;
}

/** A CloudEvent in binary mode, whose attributes are headers and whose data is the message, as the JSON format has it. */
function binaryEvent(headers: ReadonlyMap<string, string>, data: unknown): Record<string, unknown> {
  const attributes = [...headers]
    .filter(([name]) => name.startsWith("ce_"))
    .map(([name, text]) => [name.slice("ce_".length), text]);
  return { ...Object.fromEntries(attributes), ...(data === undefined ? {} : { data }) };
}

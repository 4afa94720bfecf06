import type { IncomingHttpHeaders } from "node:http";
import type { Readable } from "node:stream";
import { RequestRefusedError } from "../refusals.ts";
import { binaryEvent, isBinaryEvent } from "./binary-event.ts";
import { eventsIn, eventsMax, parsedDocument } from "./event-document.ts";
import type { Permit } from "./ingest-limits.ts";
import { JsonLines } from "./json-lines.ts";
import { bodyTooLarge, readBody } from "./read-body.ts";

/** The largest body, decompressed. */
export const bodyBytesMax = 10 * 1024 * 1024;

/** The media types of bodies: one JSON document, or JSON in lines. */
export const documentTypes = [
  "application/json",
  "application/cloudevents+json",
  "application/cloudevents-batch+json",
];
export const lineTypes = ["application/x-ndjson", "application/ndjson", "application/jsonl"];

export type Form = "document" | "lines";
const forms = new Map<string, Form>([
  ...documentTypes.map((type) => [type, "document"] as const),
  ...lineTypes.map((type) => [type, "lines"] as const),
]);

/**
 * How large a body will be, as far as its headers say: what is compressed, or of unknown length, counts for more once
 * it is there.
 * @throws RequestRefusedError when it is too large already
 */
export function declaredBytes({ "content-length": length }: IncomingHttpHeaders): number {
  const bytes = length === undefined ? 0 : Number(length);
  if (bytes > bodyBytesMax) throw bodyTooLarge(bodyBytesMax);
  return bytes;
}

/**
 * The events of a request, in whatever form they come, not looked at yet; a RequestRefusedError stands where a line is
 * not JSON.
 * @throws RequestRefusedError when the request as a whole cannot be understood
 */
export async function readEvents(
  headers: IncomingHttpHeaders,
  body: Readable | undefined,
  permit: Permit,
): Promise<readonly unknown[]> {
  const isBinary = isBinaryEvent(headers);
  if (body === undefined) return isBinary ? [binaryEvent(headers, undefined)] : refuseMissing();
  const form = formOf(headers["content-type"]);
  const limits = { bytesMax: bodyBytesMax, grow: (bytes: number) => permit.growTo(bytes) };
  const reader = { encoding: headers["content-encoding"], ...limits };
  if (form === "lines" && !isBinary) {
    const lines = new JsonLines(eventsMax);
    await readBody(body, { ...reader, take: (piece) => lines.take(piece) });
    lines.end();
    return lines.inputs;
  }
  const pieces: Buffer[] = [];
  await readBody(body, { ...reader, take: (piece) => pieces.push(piece) });
  if (isBinary) return [binaryEvent(headers, pieces.length === 0 ? undefined : parsedDocument(pieces))];
  return pieces.length === 0 ? refuseMissing() : eventsIn(parsedDocument(pieces));
}

function refuseMissing(): never {
  const message = "this request needs events in its body, and the body is empty";
  throw new RequestRefusedError("body_missing", message);
}

/** @throws RequestRefusedError */
export function formOf(contentType: string | undefined): Form {
  const [type = "", ...parameters] = (contentType ?? "").toLowerCase().split(";");
  const form = forms.get(type.trim());
  const charset = parameters
    .map((parameter) => /^\s*charset\s*=\s*"?([^"\s]*)/.exec(parameter)?.[1])
    .find(Boolean);
  if (form !== undefined && (charset === undefined || charset === "utf-8" || charset === "utf8")) return form;
  const known = [...forms.keys()].join(", ");
  throw new RequestRefusedError(
    "media_type_unsupported",
    `send the body in UTF-8 with a Content-Type of ${known}`,
  );
}

import { RequestRefusedError } from "../refusals.ts";

/** The most events in one request, and in one message of a log. */
export const eventsMax = 10_000;

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** @throws RequestRefusedError */
export function parsedDocument(pieces: readonly Buffer[]): unknown {
  try {
    return JSON.parse(utf8.decode(pieces.length === 1 ? pieces[0] : Buffer.concat(pieces)));
  } catch {
    const message = "the body is not valid JSON in UTF-8: check quotes, commas and brackets";
    throw new RequestRefusedError("json_malformed", message);
  }
}

/**
 * The events in a document, not looked at yet: a list, `{ events: […] }`, or a single event.
 * @throws RequestRefusedError
 */
export function eventsIn(document: unknown): readonly unknown[] {
  const events = Array.isArray(document) ? document : listIn(document);
  if (events.length > eventsMax) {
    const message = `a request has at most ${eventsMax} events, this one has ${events.length}: send them in several`;
    throw new RequestRefusedError("body_too_large", message);
  }
  return events;
}

/** `{ events: […] }`, or a single event. */
function listIn(document: unknown): readonly unknown[] {
  if (typeof document !== "object" || document === null || !("events" in document)) return [document];
  if (Array.isArray(document.events) && Object.keys(document).length === 1) return document.events;
  throw new RequestRefusedError("request_invalid", "events must be a list, and the only field", "events");
}

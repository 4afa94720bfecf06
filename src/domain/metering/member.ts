import type { JsonValue } from "./canonical-json.ts";
import type { UsageEvent } from "./usage-event.ts";

type EventData = UsageEvent["data"];

/** Reads one member of an event's data; undefined when the event does not have it. */
export type MemberReader = (data: EventData) => JsonValue | undefined;

/** Names of members, with points between those of nested objects: `input_tokens`, `usage.input_tokens`. */
export const memberPath = /^[A-Za-z][A-Za-z0-9_]{0,63}(?:\.[A-Za-z][A-Za-z0-9_]{0,63}){0,7}$/;

/** Made once for a path, used for every event. */
export function memberReader(path: string): MemberReader {
  const names = path.split(".");
  const [name = ""] = names;
  if (names.length === 1) return (data) => memberOf(data, name);
  return (data) => {
    let value: JsonValue | undefined = data;
    for (const step of names) {
      if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
      value = memberOf(value as EventData, step);
    }
    return value;
  };
}

// Only what the sender wrote: "constructor" is no member of an empty object.
function memberOf(object: EventData, name: string): JsonValue | undefined {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

import type { Instant } from "../calendar/index.ts";
import { canonicalJson, type JsonValue } from "./canonical-json.ts";

/** One fact from outside: `customerId` did something at `time`. Its key is (`source`, `id`), for ever. */
export type UsageEvent = {
  readonly id: string;
  readonly source: string;
  readonly customerId: string;
  readonly type: string;
  readonly time: Instant;
  readonly data: Readonly<Record<string, JsonValue>>;
};

/**
 * The canonical text of what an event says, its key left out. A second event with the same key is a
 * duplicate when this text is equal and a conflict when it is not; store a hash of it.
 */
export function payloadFingerprint(event: UsageEvent): string {
  const { customerId, type, time, data } = event;
  return `{"customerId":${canonicalJson(customerId)},"data":${canonicalJson(data)},"time":${time},"type":${canonicalJson(type)}}`;
}

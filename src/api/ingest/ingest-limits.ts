import { RequestRefusedError } from "../refusals.ts";

/** What may be taken in at once. */
export interface IngestLimitsMax {
  /** Requests, whatever is in them. */
  readonly requests: number;
  /** Of bodies, decompressed. */
  readonly bytes: number;
  readonly events: number;
}

export type RefusalReason = keyof IngestLimitsMax;

/** The place of one request, until its answer has been taken. */
export interface Permit {
  /** Its body is larger than it said. @throws RequestRefusedError when that is too much beside the others */
  growTo(bytes: number): void;
  hold(events: number): void;
  release(): void;
}

export interface IngestLimits {
  /** @param bytes as far as they are known before the body is read @throws RequestRefusedError */
  admit(bytes: number): Permit;
  readonly inFlight: Readonly<IngestLimitsMax>;
}

/**
 * Refuses what would be too much beside what is under way, before it takes memory or a connection. A request that is
 * alone is never too much.
 */
export function ingestLimits(
  max: IngestLimitsMax,
  onRefusal: (reason: RefusalReason) => void = () => {},
): IngestLimits {
  const inFlight = { requests: 0, bytes: 0, events: 0 };
  const refuse = (reason: RefusalReason): never => {
    onRefusal(reason);
    const message = `as many usage events as may be are being taken in (${inFlight[reason]} ${reason}): send these again in a second`;
    throw new RequestRefusedError("too_many_requests", message);
  };
  const permit = (): Permit => {
    const held = { bytes: 0, events: 0 };
    let isReleased = false;
    inFlight.requests += 1;
    return {
      growTo(bytes) {
        if (isReleased || bytes <= held.bytes) return;
        const more = bytes - held.bytes;
        if (inFlight.bytes > held.bytes && inFlight.bytes + more > max.bytes) refuse("bytes");
        inFlight.bytes += more;
        held.bytes = bytes;
      },
      hold(events) {
        if (isReleased) return;
        inFlight.events += events - held.events;
        held.events = events;
      },
      release() {
        if (isReleased) return;
        isReleased = true;
        inFlight.requests -= 1;
        inFlight.bytes -= held.bytes;
        inFlight.events -= held.events;
      },
    };
  };
  return {
    inFlight,
    admit(bytes) {
      if (inFlight.requests >= max.requests) refuse("requests");
      if (inFlight.events >= max.events) refuse("events");
      if (inFlight.bytes > 0 && inFlight.bytes + bytes > max.bytes) refuse("bytes");
      const admitted = permit();
      admitted.growTo(bytes);
      return admitted;
    },
  };
}

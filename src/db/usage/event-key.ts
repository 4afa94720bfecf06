import { hash } from "node:crypto";
import { canonicalJson, payloadFingerprint, type UsageEvent } from "../../domain/metering/index.ts";

/** As `usage.event_key` holds it. */
export const eventKey = ({ source, id }: Pick<UsageEvent, "source" | "id">): string =>
  hash16(canonicalJson([source, id]));

/** Equal for two events that say the same. */
export const payloadHash = (event: UsageEvent): string => hash16(payloadFingerprint(event));

/** 16 bytes of SHA-256 in hexadecimal: among 10¹² keys a chance collision has a probability below 10⁻¹⁴. */
function hash16(text: string): string {
  return hash("sha256", text).slice(0, 32);
}

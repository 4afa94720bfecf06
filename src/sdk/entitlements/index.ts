import type { LocalDecision } from "./local-answers.ts";
import { LocalEntitlements } from "./local-entitlements.ts";
import type { LocalEntitlementsOptions } from "./options.ts";

export type {
  AllowedReason,
  CutOffPolicy,
  DeniedReason,
  FeatureInSnapshot,
  LimitInSnapshot,
  SnapshotClaims,
  SnapshotContent,
} from "./claims.ts";
export { EdgeRequestError } from "./connection.ts";
export { SnapshotNotTakenError } from "./held-snapshot.ts";
export type { LocalDecision } from "./local-answers.ts";
export type { LocalQuestion } from "./local-decision.ts";
export { LocalEntitlements } from "./local-entitlements.ts";
export type { LocalEntitlementsOptions } from "./options.ts";
export { type SnapshotKey, SnapshotNotVerifiedError } from "./verification.ts";

/**
 * Holds what one customer may use, kept current by a stream, so that it is read in microseconds:
 * `const acme = openEntitlements({ baseUrl, apiKey, customer: "acme" }); await acme.ready();`
 * `const { allowed } = acme.check({ feature: "tokens", quantity: "1200", subject: { user: "u_1" } });`
 */
export function openEntitlements(options: LocalEntitlementsOptions): LocalEntitlements {
  return new LocalEntitlements(options);
}

interface Event {
  readonly data?: Readonly<Record<string, unknown>> | undefined;
}

/** The usage event of what a decision allowed: flagged where it was let through while cut off, as it was where not. */
export function markedEvent<Reported extends Event>(event: Reported, { cutOff }: LocalDecision): Reported {
  return cutOff === null ? event : { ...event, data: { ...event.data, let_through: cutOff } };
}

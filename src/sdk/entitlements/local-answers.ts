import type { AllowedReason, DeniedReason, LimitInSnapshot } from "./claims.ts";
import { decideLocally, type LocalQuestion, type ReadyFeature, type Verdict } from "./local-decision.ts";

export interface LocalDecision {
  readonly allowed: boolean;
  readonly reason:
    | AllowedReason
    | DeniedReason
    | "feature_unknown"
    | "quantity_invalid"
    /** While cut off: by the policy of the feature, or because as much as it lets through was. */
    | "cut_off"
    | "cut_off_amount_reached"
    /** While cut off: no snapshot ever came. */
    | "nothing_known";
  /** By what it was decided: a snapshot that is kept current, the policy for when it is not, or nothing. */
  readonly basis: "current" | "cut_off" | "nothing";
  /** The limit that decided. */
  readonly limit: LimitInSnapshot | null;
  readonly resetsAt: string | null;
  /** Under which cut-off it was let through: `markedEvent` writes it on the usage event. */
  readonly cutOff: string | null;
}

/** What stays denied however long nothing is heard: what was not given. What was used up may be free again. */
export function lastingVerdict(
  ready: ReadyFeature,
  question: LocalQuestion,
  asked: bigint,
  nowMs: number,
): Verdict {
  return decideLocally(
    { ...ready, limits: null, feature: { ...ready.feature, budget: null } },
    question,
    asked,
    nowMs,
  );
}

export const decisionOf = ({ reason, allowed, limit, resetsAt }: Verdict, basis: LocalDecision["basis"]) => ({
  ...{ allowed, reason, basis, limit, resetsAt },
  cutOff: null,
});
const noLimit = { limit: null, resetsAt: null, cutOff: null };
export const quantityInvalid = {
  ...noLimit,
  allowed: false,
  reason: "quantity_invalid",
  basis: "nothing",
} as const;
export const featureUnknown = {
  ...noLimit,
  allowed: false,
  reason: "feature_unknown",
  basis: "current",
} as const;
export const nothingKnown = { ...noLimit, reason: "nothing_known", basis: "nothing" } as const;
export const byPolicy = { ...noLimit, basis: "cut_off" } as const;

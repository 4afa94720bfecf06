import type { Combination, Feature } from "../catalog/index.ts";
import type { Access } from "../lifecycle/index.ts";
import { decimal } from "../money/index.ts";
import { decidingLimit, type LimitState } from "./limit-state.ts";
import type { MergedEntitlement } from "./merge.ts";
import type { FoundSources } from "./source.ts";

/** Why something is allowed or denied; stable, clients branch on it. */
export const allowedReasons = ["granted", "unlimited", "within_limits", "beyond_allowance"] as const;
export const deniedReasons = [
  "access_ended",
  "access_limited",
  "not_entitled",
  "subscription_incomplete",
  "subscription_paused",
  "value_not_included",
  "subject_missing",
  "limit_reached",
  "budget_reached",
] as const;
export type DecisionReason = (typeof allowedReasons)[number] | (typeof deniedReasons)[number];

/** A budget that caps what is asked, with what is spent of it. */
export interface BudgetState {
  readonly feature: string;
  readonly state: LimitState;
}

export interface Decision {
  readonly reason: DecisionReason;
  /** The limit that decided; null where none did. */
  readonly limit: LimitState | null;
  /** The feature that it is of: the one that was asked for, or a budget. */
  readonly limitOf: string | null;
}

/** All that decides whether a feature may be used. */
export interface DecisionFacts {
  readonly feature: Feature;
  readonly access: Access;
  readonly merged: MergedEntitlement | null;
  readonly hindrance: FoundSources["hindrance"];
  /** Those that are for what is asked. */
  readonly limits: readonly LimitState[];
  readonly budgets: readonly BudgetState[];
  /** Of a setting: what it must allow. */
  readonly value?: string | undefined;
}

export const isAllowed = ({ reason }: Decision): boolean =>
  (allowedReasons as readonly string[]).includes(reason);

/** Decides in a fixed order: access, who gives it, settings, limits, budgets. The first that denies is the reason. */
export function decide(facts: DecisionFacts): Decision {
  const { feature, access, merged, hindrance } = facts;
  if (access.level === "ended") return plain("access_ended");
  if (access.level === "limited" && feature.whenLimited !== "allowed") return plain("access_limited");
  if (merged === null) return plain(hindrance?.code ?? "not_entitled");
  if (feature.type === "config") {
    return plain(
      isIncluded(feature.combine ?? "first", merged.setting, facts.value) ? "granted" : "value_not_included",
    );
  }
  return feature.type === "boolean" ? plain("granted") : byLimits(facts, merged);
}

const plain = (reason: DecisionReason): Decision => ({ reason, limit: null, limitOf: null });

const numbers: ReadonlySet<Combination> = new Set(["highest", "lowest", "sum"]);

/** A list has the value, a number is no smaller, a text is the same; without a value anything is. */
function isIncluded(
  combine: Combination,
  setting: MergedEntitlement["setting"],
  value: string | undefined,
): boolean {
  if (value === undefined) return true;
  if (setting === null || typeof setting !== "string") return setting?.includes(value) ?? false;
  return numbers.has(combine) ? !decimal(value).isGreaterThan(decimal(setting)) : setting === value;
}

function byLimits({ feature, limits, budgets }: DecisionFacts, merged: MergedEntitlement): Decision {
  const unknown = limits.find(({ used }) => used === null);
  if (unknown !== undefined) return { reason: "subject_missing", limit: unknown, limitOf: feature.key };
  const reached = limits.filter(({ fits }) => !fits);
  const denying = decidingLimit(reached.filter(({ limit }) => limit.beyond === "denied"));
  if (denying !== undefined) return { reason: "limit_reached", limit: denying, limitOf: feature.key };
  const spent = budgets.filter(({ state }) => !state.fits);
  const budget = decidingLimit(spent.map(({ state }) => state));
  if (budget !== undefined) {
    const limitOf = spent.find(({ state }) => state === budget)?.feature ?? null;
    return { reason: "budget_reached", limit: budget, limitOf };
  }
  const passed = decidingLimit(reached);
  if (passed !== undefined) return { reason: "beyond_allowance", limit: passed, limitOf: feature.key };
  return plain(merged.limits === null ? "unlimited" : "within_limits");
}

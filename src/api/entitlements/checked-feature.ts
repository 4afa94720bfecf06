import type { EntitlementFacts } from "../../db/entitlements/entitlement-facts.ts";
import type { Feature } from "../../domain/catalog/index.ts";
import type {
  BudgetState,
  Decision,
  FoundSources,
  LimitState,
  MergedEntitlement,
  PaidPart,
} from "../../domain/entitlements/index.ts";
import { mergeEntitlements, sourcesOf } from "../../domain/entitlements/index.ts";
import type { Decimal } from "../../domain/money/index.ts";

/** What is asked of a feature. */
export interface AskedFeature {
  readonly key: string;
  /** Of a metered feature: how much more. */
  readonly quantity: Decimal;
  /** Of a setting: what it must allow. */
  readonly value?: string | undefined;
}

/** A feature with all that gives it. */
export interface GivenFeature extends FoundSources {
  readonly feature: Feature;
  readonly merged: MergedEntitlement | null;
}

export interface CheckedFeature {
  readonly given: GivenFeature;
  readonly asked: AskedFeature;
  readonly decision: Decision;
  readonly limits: readonly LimitState[];
  readonly budgets: readonly BudgetState[];
  readonly next: NextUse | null;
}

/** What the quantity that is asked for would cost, and who would pay. */
export interface NextUse {
  readonly quantity: Decimal;
  /** Null where it is only known when the period is rated. */
  readonly cost: { readonly exactMinor: Decimal; readonly paidFrom: readonly PaidPart[] } | null;
}

/** Undefined when there is no such feature. */
export function givenFeature(facts: EntitlementFacts, key: string): GivenFeature | undefined {
  const feature = facts.features.get(key);
  if (feature === undefined) return undefined;
  const found = sourcesOf(key, facts.giving, facts.grants);
  return { feature, ...found, merged: mergeEntitlements(feature, found.sources) };
}

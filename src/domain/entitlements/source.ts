import type { Instant, Period } from "../calendar/index.ts";
import type { Entitlement, PlanVersion } from "../catalog/index.ts";
import type { SubscriptionStatus } from "../lifecycle/index.ts";

/** Who gives. What a contract says stands in place of plans and add-ons; a grant comes on top of either. */
export const sourceKinds = ["plan", "add_on", "contract", "grant"] as const;
export type SourceKind = (typeof sourceKinds)[number];

/** Something that gives a customer so much of one feature, at the instant for which sources were looked for. */
export interface EntitlementSource {
  readonly kind: SourceKind;
  /** Of the subscription, or of the grant. */
  readonly id: string;
  readonly plan: Pick<PlanVersion, "key" | "version"> | null;
  /** Since when, and until when as far as that is known. */
  readonly since: Instant;
  readonly until: Instant | null;
  readonly entitlement: Entitlement;
  /** The billing cycle that its limits may speak of; null where there is none. */
  readonly cycle: BillingCycle | null;
}

/** The period of a subscription. */
export interface BillingCycle {
  readonly subscriptionId: string;
  readonly period: Period;
}

/** A subscription as far as it gives, or would give if nothing stood in the way. */
export interface GivingSubscription {
  readonly id: string;
  readonly status: SubscriptionStatus;
  readonly startedAt: Instant;
  readonly cancelAt: Instant | null;
  /** Whether its terms refuse usage, as those of a pause do. */
  readonly isUsageRefused: boolean;
  readonly cycle: BillingCycle;
  /** The plan first, then add-ons. */
  readonly plans: readonly PlanVersion[];
}

/** What was given to one customer beside plans. */
export interface FeatureGrant {
  readonly id: string;
  readonly kind: "contract" | "grant";
  readonly entitlement: Entitlement;
  readonly effectiveAt: Instant;
  readonly expiresAt: Instant | null;
}

/** Why a subscription gives nothing for now. */
export type Hindrance = "subscription_incomplete" | "subscription_paused";

export interface FoundSources {
  readonly sources: readonly EntitlementSource[];
  /** Of subscriptions that have the feature and do not give it now, the first. */
  readonly hindrance: { readonly code: Hindrance; readonly subscriptionId: string } | null;
}

/**
 * Who gives a customer a feature. @param subscriptions that have begun and not ended, in the order in which they began
 * @param grants in force
 */
export function sourcesOf(
  featureKey: string,
  subscriptions: readonly GivingSubscription[],
  grants: readonly FeatureGrant[],
): FoundSources {
  const isOfFeature = ({ feature }: Entitlement) => feature === featureKey;
  const having = subscriptions.flatMap((subscription) =>
    subscription.plans.flatMap((plan, place) =>
      (plan.entitlements ?? [])
        .filter(isOfFeature)
        .map((entitlement) => ({ subscription, source: sourceOf(subscription, plan, place, entitlement) })),
    ),
  );
  const hindered = having.flatMap(({ subscription }) => {
    const code = hindranceOf(subscription);
    return code === null ? [] : [{ code, subscriptionId: subscription.id }];
  });
  // What a contract or grant says of a billing cycle is of the customer's first subscription.
  const first = subscriptions.find((each) => hindranceOf(each) === null) ?? subscriptions[0];
  const cycle = first?.cycle ?? null;
  return {
    sources: [
      ...having.filter(({ subscription }) => hindranceOf(subscription) === null).map(({ source }) => source),
      ...grants
        .filter(({ entitlement }) => isOfFeature(entitlement))
        .map(({ id, kind, entitlement, effectiveAt: since, expiresAt: until }) => {
          return { kind, id, plan: null, since, until, entitlement, cycle };
        }),
    ],
    hindrance: hindered[0] ?? null,
  };
}

function sourceOf(
  { id, startedAt, cancelAt, cycle }: GivingSubscription,
  { key, version, requires }: PlanVersion,
  place: number,
  entitlement: Entitlement,
): EntitlementSource {
  const kind = place > 0 || requires !== undefined ? "add_on" : "plan";
  return { kind, id, plan: { key, version }, since: startedAt, until: cancelAt, entitlement, cycle };
}

function hindranceOf({ status, isUsageRefused }: GivingSubscription): Hindrance | null {
  if (status === "incomplete") return "subscription_incomplete";
  return status === "paused" || isUsageRefused ? "subscription_paused" : null;
}

import type { EntitlementFacts } from "../../db/entitlements/entitlement-facts.ts";
import { type Instant, instantOfEpochMs } from "../../domain/calendar/index.ts";
import type { CheckedCustomer } from "./check-entitlements.ts";
import type { CheckedFeature } from "./checked-feature.ts";

const minuteMs = 60_000;

/**
 * Until when an answer stays the same if nothing is committed about its customer: terms, periods and windows have ends, and windows without
 * fixed ends move by whole minutes. Null where time alone changes it at every instant: on a test clock, while an invoice is not paid, where
 * credit may pay, of levels that are held over time, and of costs that a table gives.
 */
export function holdsUntil({ facts, features }: CheckedCustomer): Instant | null {
  const { now, isOnTestClock, hasDunning, hasCredit, meters, giving } = facts;
  const movesByItself =
    features.some(({ given: { feature } }) => feature.type === "metered" || feature.type === "budget") &&
    (hasCredit ||
      meters.some(({ aggregation }) => aggregation === "time_weighted_sum") ||
      giving.some(({ plans }) =>
        plans.some(({ prices }) =>
          prices.some((price) => price.type === "usage" && price.model.type === "cost_plus"),
        ),
      ));
  if (isOnTestClock || hasDunning || movesByItself) return null;
  const ends = [now + minuteMs, ...endsOf(facts), ...features.flatMap((checked) => windowEnds(checked, now))];
  return instantOfEpochMs(Math.min(...ends.filter((at) => at > now)));
}

/** When what a customer is given changes by itself, as it was agreed: also instants that are over. */
export const endsOf = ({ changesAt, grants, giving, subscriptions }: EntitlementFacts): Instant[] =>
  [
    changesAt,
    ...grants.map(({ expiresAt }) => expiresAt),
    ...giving.map(({ cycle }) => cycle.period.end),
    ...subscriptions.flatMap(({ row, terms }) => [
      row.cancelAt,
      row.trialEndsAt,
      ...terms.map(({ effectiveAt }) => effectiveAt),
    ]),
  ].filter((at) => at !== null);

function windowEnds({ limits, budgets }: CheckedFeature, now: Instant): number[] {
  return [...limits, ...budgets.map(({ state }) => state)].map(({ window: { resetsAt }, limit }) =>
    limit.window.type === "calendar" || limit.window.type === "billing_cycle"
      ? (resetsAt ?? now)
      : (Math.floor(now / minuteMs) + 1) * minuteMs,
  );
}

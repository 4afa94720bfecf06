import type { z } from "zod";
import { isoOf } from "../../domain/calendar/index.ts";
import {
  type EntitlementSource,
  isAllowed,
  type LimitState,
  type MergedEntitlement,
} from "../../domain/entitlements/index.ts";
import { exactOfLedgerAmount } from "../../domain/money/index.ts";
import { toWire } from "../routes/catalog.ts";
import type {
  checkedFeatureSchema,
  entitlementCheckSchema,
  entitlementListSchema,
  entitlementStateSchema,
  sourceSchema,
} from "../routes/entitlement-schemas.ts";
import { isoOrNull } from "../wire.ts";
import type { CheckedCustomer } from "./check-entitlements.ts";
import type { CheckedFeature, NextUse } from "./checked-feature.ts";

type State = z.infer<typeof entitlementStateSchema>;
type Checked = z.infer<typeof checkedFeatureSchema>;

export function checkAnswer(checked: CheckedCustomer): z.infer<typeof entitlementCheckSchema> {
  return {
    ...standingAnswer(checked),
    allowed: checked.features.every(({ decision }) => isAllowed(decision)),
    features: checked.features.map(checkedAnswer),
  };
}

export function listAnswerOf(listed: CheckedCustomer): z.infer<typeof entitlementListSchema> {
  return { ...standingAnswer(listed), data: listed.features.map(stateAnswer) };
}

function standingAnswer({ facts: { customerId, now, currency, access, giving } }: CheckedCustomer) {
  return {
    customer: customerId,
    as_of: isoOf(now),
    currency,
    access: { level: access.level, invoice: access.invoiceId },
    subscriptions: giving.map(({ id, status }) => ({ id, status })),
  };
}

function checkedAnswer(checked: CheckedFeature): Checked {
  return {
    ...stateAnswer(checked),
    budgets: checked.budgets.map(({ feature, state }) => ({ feature, ...limitFields(state, true) })),
    next: checked.next === null ? null : nextAnswer(checked.next),
  };
}

function stateAnswer({ given, decision, limits }: CheckedFeature): State {
  const { feature, merged, hindrance } = given;
  const isBudget = feature.type === "budget";
  const { limit, limitOf } = decision;
  return {
    feature: feature.key,
    type: feature.type,
    allowed: isAllowed(decision),
    reason: decision.reason,
    decided_by:
      limit === null || limitOf === null
        ? null
        : {
            feature: limitOf,
            level: limit.level,
            ...amountFields(limit, limitOf !== feature.key || isBudget),
          },
    setting: settingOf(merged),
    limits:
      merged === null || merged.limits === null
        ? null
        : limits.map((state) => ({ ...limitFields(state, isBudget), sources: placesOf(state, merged) })),
    sources: (merged?.sources ?? []).map(sourceAnswer),
    hindered_by: merged === null ? (hindrance?.subscriptionId ?? null) : null,
  };
}

function settingOf(merged: MergedEntitlement | null): State["setting"] {
  const setting = merged?.setting ?? null;
  return setting === null || typeof setting === "string" ? setting : [...setting];
}

const placesOf = ({ limit }: LimitState, { sources }: MergedEntitlement): number[] =>
  limit.sources.map((source) => sources.indexOf(source));

function limitFields(state: LimitState, isMoney: boolean) {
  const { limit, level, window } = state;
  return {
    level,
    ...amountFields(state, isMoney),
    beyond: limit.beyond,
    window: toWire(limit.window) as NonNullable<State["limits"]>[number]["window"],
    window_start: isoOrNull(window.period?.start ?? null),
    window_end: isoOrNull(window.period?.end ?? null),
    per: [...limit.per],
    where: { ...limit.where },
  };
}

function amountFields({ limit, used, left, window }: LimitState, isMoney: boolean) {
  return {
    ...(isMoney ? { amount_minor: limit.amount.text } : { quantity: limit.amount.text }),
    used: used?.text ?? null,
    left: left?.text ?? null,
    resets_at: isoOrNull(window.resetsAt),
  };
}

function sourceAnswer({ kind, id, plan, since, until }: EntitlementSource): z.infer<typeof sourceSchema> {
  const isOfPlan = plan !== null;
  return {
    type: kind,
    subscription: isOfPlan ? id : null,
    plan: plan?.key ?? null,
    plan_version: plan?.version ?? null,
    feature_grant: isOfPlan ? null : id,
    since: isoOf(since),
    until: isoOrNull(until),
  };
}

function nextAnswer({ quantity, cost }: NextUse): NonNullable<Checked["next"]> {
  return {
    quantity: quantity.text,
    cost_minor: cost?.exactMinor.text ?? null,
    paid_from: (cost?.paidFrom ?? []).map(({ bucket, grantId, amount }) => ({
      bucket,
      credit_grant: grantId,
      amount_minor: exactOfLedgerAmount(amount).text,
    })),
  };
}

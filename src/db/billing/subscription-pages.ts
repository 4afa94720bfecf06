import { and, asc, count, eq, gt, inArray, or } from "drizzle-orm";
import type { Instant } from "../../domain/calendar/index.ts";
import type { PlanVersion } from "../../domain/catalog/index.ts";
import { invariant } from "../../domain/errors.ts";
import type { Terms } from "../../domain/invoicing/index.ts";
import type { Tx } from "../database.ts";
import { customer, subscription, subscriptionTerms, testClock } from "../schema/billing.ts";
import { plan } from "../schema/catalog.ts";
import type { StoredSubscription } from "./subscriptions.ts";

/** A subscription, and the time of the test clock that its customer lives on; null for the wall's. */
export interface ClockedSubscription {
  readonly row: StoredSubscription;
  readonly clockTime: Instant | null;
}

export async function subscriptionCount(tx: Tx): Promise<number> {
  const [found] = await tx.select({ subscriptions: count() }).from(subscription);
  return found?.subscriptions ?? 0;
}

/** The next subscriptions in the order of their ids, all of them if need be. */
export async function subscriptionPage(tx: Tx, after: string, limit: number): Promise<ClockedSubscription[]> {
  return await tx
    .select({ row: subscription, clockTime: testClock.currentAt })
    .from(subscription)
    .innerJoin(customer, eq(customer.id, subscription.customerId))
    .leftJoin(testClock, eq(testClock.id, customer.testClockId))
    .where(gt(subscription.id, after))
    .orderBy(asc(subscription.id))
    .limit(limit);
}

/** Versions of plans that were read before: none ever changes. */
export type KnownPlans = Map<string, PlanVersion>;

/** Everything that was ever agreed with each of these subscriptions, ascending, by subscription. */
export async function termsHistories(
  tx: Tx,
  subscriptionIds: readonly string[],
  known: KnownPlans,
): Promise<Map<string, Terms[]>> {
  const stored = await tx
    .select()
    .from(subscriptionTerms)
    .where(inArray(subscriptionTerms.subscriptionId, [...subscriptionIds]))
    .orderBy(asc(subscriptionTerms.effectiveAt));
  await learnPlans(
    tx,
    stored.flatMap(({ items }) => items),
    known,
  );
  const histories = Map.groupBy(stored, ({ subscriptionId }) => subscriptionId);
  const termsOf = ({ effectiveAt, items, paused }: (typeof stored)[number]): Terms => ({
    effectiveAt,
    paused,
    items: items.map(({ planKey, planVersion, ...item }) => {
      const version = known.get(versionKey(planKey, planVersion));
      invariant(version, `plan ${planKey} has the version ${planVersion} that was agreed`);
      return { ...item, plan: version };
    }),
  });
  return new Map([...histories].map(([id, history]) => [id, history.map(termsOf)]));
}

interface NamedVersion {
  readonly planKey: string;
  readonly planVersion: number;
}

async function learnPlans(tx: Tx, named: readonly NamedVersion[], known: KnownPlans): Promise<void> {
  const wanted = new Map(named.map((version) => [versionKey(version.planKey, version.planVersion), version]));
  const unknown = [...wanted].filter(([key]) => !known.has(key)).map(([, version]) => version);
  if (unknown.length === 0) return;
  const found = await tx
    .select()
    .from(plan)
    .where(
      or(
        ...unknown.map(({ planKey, planVersion }) =>
          and(eq(plan.key, planKey), eq(plan.version, planVersion)),
        ),
      ),
    );
  for (const { key, version, definition } of found) {
    known.set(versionKey(key, version), { ...definition, version });
  }
}

const versionKey = (planKey: string, version: number) => `${planKey}/${version}`;

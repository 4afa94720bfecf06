import { and, asc, eq, inArray, or } from "drizzle-orm";
import type { PlanVersion } from "../../domain/catalog/index.ts";
import { invariant } from "../../domain/errors.ts";
import type { Terms } from "../../domain/invoicing/index.ts";
import type { Tx } from "../database.ts";
import { subscriptionTerms } from "../schema/billing.ts";
import { plan } from "../schema/catalog.ts";

/** Versions of plans that were read before: none ever changes. */
export type KnownPlans = Map<string, PlanVersion>;

/** Everything that was ever agreed with each of these subscriptions, ascending, by subscription. */
export async function termsHistories(
  tx: Tx,
  subscriptionIds: readonly string[],
  known: KnownPlans = new Map(),
): Promise<Map<string, Terms[]>> {
  const stored = await tx
    .select()
    .from(subscriptionTerms)
    .where(inArray(subscriptionTerms.subscriptionId, [...subscriptionIds]))
    .orderBy(asc(subscriptionTerms.effectiveAt));
  const agreed = await termsOfRows(tx, stored, known);
  const placed = agreed.map((terms, place) => ({ terms, of: stored[place]?.subscriptionId ?? "" }));
  const histories = Map.groupBy(placed, ({ of }) => of);
  return new Map([...histories].map(([id, history]) => [id, history.map(({ terms }) => terms)]));
}

/** Terms as they are stored, with the plan versions that they name. */
export async function termsOfRows(
  tx: Tx,
  stored: readonly (typeof subscriptionTerms.$inferSelect)[],
  known: KnownPlans,
): Promise<Terms[]> {
  await learnPlans(
    tx,
    stored.flatMap(({ items }) => items),
    known,
  );
  return stored.map(({ effectiveAt, items, paused, usage }) => ({
    effectiveAt,
    paused,
    ...(usage === "billed" ? {} : { usage }),
    items: items.map(({ planKey, planVersion, ...item }) => {
      const version = known.get(versionKey(planKey, planVersion));
      invariant(version, `plan ${planKey} has the version ${planVersion} that was agreed`);
      return { ...item, plan: version };
    }),
  }));
}

interface NamedVersion {
  readonly planKey: string;
  readonly planVersion: number;
}

/** Reads those of some versions that are not known yet; answers with all that are known then. */
export async function learnPlans(
  tx: Tx,
  named: readonly NamedVersion[],
  known: KnownPlans,
): Promise<KnownPlans> {
  const wanted = new Map(named.map((version) => [versionKey(version.planKey, version.planVersion), version]));
  const unknown = [...wanted].filter(([key]) => !known.has(key)).map(([, version]) => version);
  if (unknown.length === 0) return known;
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
  return known;
}

export const versionKey = (planKey: string, version: number) => `${planKey}/${version}`;

import { type Database, inSnapshot, rows, sql, type Tx } from "../../db/database.ts";
import { type EntitlementFacts, entitlementFacts } from "../../db/entitlements/entitlement-facts.ts";
import { type SpendingReader, spendingReader } from "../../db/entitlements/spending.ts";
import { type LimitOfMeter, type ScopedUse, usedByEach } from "../../db/entitlements/usage-by-scope.ts";
import { type Instant, instantOfEpochMs } from "../../domain/calendar/index.ts";
import type { Combination } from "../../domain/catalog/index.ts";
import { cutOffPolicy, type DecisionReason, decide } from "../../domain/entitlements/index.ts";
import { decimal } from "../../domain/money/index.ts";
import { isoOrNull } from "../wire.ts";
import { endsOf } from "./answer-holds.ts";
import { budgetStates } from "./budget-states.ts";
import { addedBy, budgetsOf } from "./check-entitlements.ts";
import { type GivenFeature, givenFeature } from "./checked-feature.ts";
import type { FeatureInSnapshot, LimitInSnapshot, SnapshotContent } from "./snapshot-wire.ts";

/** All that decides about a customer's features at one moment, and until when that is so if nothing is committed. */
export interface FoundContent {
  /** Higher is later, of one database: how many transactions had ended that this may have seen. */
  readonly position: bigint;
  readonly asOf: Instant;
  readonly content: SnapshotContent;
  readonly changesInMs: number;
}

/** Of those who have a limit for themselves, so many are named, those who have used the most. */
const namedMax = 1_000;
/** Where time or others' money alone changes what is right, it is looked at so often. */
const lookMs = 1_000;
const minuteMs = 60_000;

/** Reads a snapshot of what a customer may use; undefined when there is no such customer. */
export async function snapshotContent(
  db: Database,
  customerId: string,
  wall: Instant,
): Promise<FoundContent | undefined> {
  return await inSnapshot(db, async (tx) => {
    const [row] = await rows<{ position: bigint }>(
      tx,
      sql`select (pg_snapshot_xmax(now)::text::int8 - (select count(*) from pg_snapshot_xip(now))) as position
        from pg_current_snapshot() as now`,
    );
    const facts = await entitlementFacts(db, tx, customerId, wall);
    if (facts === undefined || row === undefined) return undefined;
    const spending = spendingReader(tx, facts);
    const all = [...facts.features.keys()].toSorted().flatMap((key) => givenFeature(facts, key) ?? []);
    const asked = all.filter(({ feature }) => feature.type !== "budget");
    const limits = await limitsOf(db, tx, facts, asked);
    const features: Record<string, FeatureInSnapshot> = {};
    for (const [index, given] of asked.entries()) {
      const budget = isMetered(given) ? await spentBudget(facts, spending, given) : null;
      features[given.feature.key] = featureIn(facts, given, limits[index] ?? null, budget);
    }
    const { access, currency, isOnTestClock, now } = facts;
    const content: SnapshotContent = {
      currency,
      clock: isOnTestClock ? "test" : "wall",
      access: { level: access.level, invoice: access.invoiceId },
      features,
    };
    return { position: row.position, asOf: now, content, changesInMs: changesIn(facts, features) };
  });
}

const isMetered = ({ feature, merged }: GivenFeature): boolean =>
  feature.type === "metered" && merged !== null;

function featureIn(
  { access }: EntitlementFacts,
  given: GivenFeature,
  limits: LimitInSnapshot[] | null,
  budget: FeatureInSnapshot["budget"],
): FeatureInSnapshot {
  const { feature, merged } = given;
  const decided = decide({ ...given, access, limits: [], budgets: [] });
  const setting = merged?.setting ?? null;
  return {
    type: feature.type === "budget" ? "metered" : feature.type,
    denied: deniedReason(decided.reason),
    setting: setting === null || typeof setting === "string" ? setting : [...setting],
    compare: feature.type === "config" ? comparison(feature.combine ?? "first") : null,
    limits,
    budget,
    when_cut_off: cutOffPolicy(feature, merged?.sources ?? []),
  };
}

/** What denies a feature whatever is asked of it. */
const deniedReason = (reason: DecisionReason): FeatureInSnapshot["denied"] =>
  reason === "access_ended" ||
  reason === "access_limited" ||
  reason === "not_entitled" ||
  reason === "subscription_incomplete" ||
  reason === "subscription_paused"
    ? reason
    : null;

function comparison(combine: Combination): FeatureInSnapshot["compare"] {
  if (combine === "union" || combine === "intersection") return "list";
  return combine === "first" ? "text" : "number";
}

/** A budget into which one unit more would not fit. What only part of a request would overdraw is found when it was used. */
async function spentBudget(
  facts: EntitlementFacts,
  spending: SpendingReader,
  given: GivenFeature,
): Promise<FeatureInSnapshot["budget"]> {
  const budgets = budgetsOf(facts);
  if (budgets.length === 0) return null;
  const added = await addedBy({ facts, spending, subject: {} }, { given, quantity: oneUnit });
  const states = await budgetStates(facts, spending, { feature: given.feature, added }, budgets);
  const spent = states.find(({ state }) => !state.fits);
  return spent === undefined
    ? null
    : { feature: spent.feature, resets_at: isoOrNull(spent.state.window.resetsAt) };
}

const oneUnit = decimal("1");

/** The limits of each feature with what is used of them, read together; null of one that has none. */
async function limitsOf(
  db: Database,
  tx: Tx,
  facts: EntitlementFacts,
  features: readonly GivenFeature[],
): Promise<(LimitInSnapshot[] | null)[]> {
  const limits = features.map((given) => (isMetered(given) ? (given.merged?.limits ?? null) : null));
  const parts = limits.map((ofFeature, index) =>
    (ofFeature ?? []).map((limit) => ({ limit, meterKey: features[index]?.feature.meter ?? "" })),
  );
  const used = await usedByEach(db, tx, facts, parts.flat());
  let place = 0;
  return parts.map((ofFeature, index) =>
    limits[index] == null ? null : ofFeature.map((part) => limitIn(facts, part, used[place++] ?? [])),
  );
}

function limitIn(
  { meters }: EntitlementFacts,
  { limit, meterKey }: LimitOfMeter,
  used: readonly ScopedUse[],
): LimitInSnapshot {
  const least = used.length > namedMax ? used[namedMax - 1] : undefined;
  const aggregation = meters.findLast(({ key }) => key === meterKey)?.aggregation;
  return {
    quantity: limit.amount.text,
    beyond: limit.beyond,
    per: [...limit.per],
    where: { ...limit.where },
    window: limit.window.type,
    grows: aggregation === "max" ? "by_largest" : "by_sum",
    used: used.slice(0, namedMax).map(({ of, used: quantity, resetsAt }) => {
      return { of: [...of], quantity: quantity.text, resets_at: isoOrNull(resetsAt) };
    }),
    others_used_max: least?.used.text ?? "0",
  };
}

function changesIn(facts: EntitlementFacts, features: Readonly<Record<string, FeatureInSnapshot>>): number {
  const { now, isOnTestClock, hasDunning, hasCredit } = facts;
  if (isOnTestClock || hasDunning || hasCredit) return lookMs;
  const limits = Object.values(features).flatMap((feature) => feature.limits ?? []);
  const moves = limits.some(({ window }) => window === "rolling" || window === "first_use");
  const resets = limits.flatMap(({ used }) =>
    used.flatMap(({ resets_at }) => (resets_at === null ? [] : [instantOfEpochMs(Date.parse(resets_at))])),
  );
  const ends = [...endsOf(facts), ...resets].filter((at) => at > now).map((at) => at - now);
  return Math.min(...ends, moves ? minuteMs - (now % minuteMs) : 60 * minuteMs);
}

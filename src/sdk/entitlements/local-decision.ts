import type {
  AllowedReason,
  CutOffPolicy,
  DeniedReason,
  FeatureInSnapshot,
  LimitInSnapshot,
} from "./claims.ts";
import { isQuantity, scaled } from "./quantity.ts";

/** What somebody wants to use, as `POST /v1/entitlements/check` is asked. */
export interface LocalQuestion {
  readonly feature: string;
  /** How much more of a metered feature, as a decimal text; one when left out. */
  readonly quantity?: string | undefined;
  /** Of a setting: what it must allow. */
  readonly value?: string | undefined;
  /** Whose usage it would be: dimensions of meters. */
  readonly subject?: Readonly<Record<string, string>> | undefined;
}

export interface Verdict {
  readonly reason: AllowedReason | DeniedReason | "quantity_invalid";
  readonly allowed: boolean;
  /** The limit that decided. */
  readonly limit: LimitInSnapshot | null;
  readonly resetsAt: string | null;
}

/** A feature of a snapshot, made ready to be asked about again and again. */
export interface ReadyFeature {
  readonly feature: FeatureInSnapshot;
  readonly values: ReadonlySet<string> | null;
  readonly limits: readonly ReadyLimit[] | null;
  readonly policy: CutOffPolicy;
  /** Of `allowed_up_to`. */
  readonly cutOffMax: bigint;
}

interface ReadyLimit {
  readonly limit: LimitInSnapshot;
  readonly amount: bigint;
  readonly where: readonly (readonly [string, string])[];
  readonly uses: ReadonlyMap<string, ReadyUse>;
  readonly others: ReadyUse;
}

interface ReadyUse {
  readonly used: bigint;
  /** Epoch milliseconds: from then on nothing is used. */
  readonly resetsAtMs: number;
  readonly resetsAt: string | null;
}

const separator = "\u0000";

export function readyFeature(feature: FeatureInSnapshot): ReadyFeature {
  const { setting, limits, when_cut_off: policy } = feature;
  return {
    feature,
    values: setting === null || typeof setting === "string" ? null : new Set(setting),
    limits: limits === null ? null : limits.map(readyLimit),
    policy,
    cutOffMax: policy.use === "allowed_up_to" ? scaled(policy.quantity) : 0n,
  };
}

function readyLimit(limit: LimitInSnapshot): ReadyLimit {
  const { quantity, where, used, others_used_max } = limit;
  return {
    limit,
    amount: scaled(quantity),
    where: Object.entries(where),
    uses: new Map(
      used.map((use) => [use.of.join(separator), readyUse(use.quantity, use.resets_at)] as const),
    ),
    others: readyUse(others_used_max, null),
  };
}

const readyUse = (quantity: string, resetsAt: string | null): ReadyUse => ({
  used: scaled(quantity),
  resetsAtMs: resetsAt === null ? Number.POSITIVE_INFINITY : Date.parse(resetsAt),
  resetsAt,
});

const verdict = (reason: AllowedReason | DeniedReason, allowed: boolean): Verdict =>
  Object.freeze({ reason, allowed, limit: null, resetsAt: null });
const granted = verdict("granted", true);
const unlimited = verdict("unlimited", true);
const withinLimits = verdict("within_limits", true);
const valueNotIncluded = verdict("value_not_included", false);

/**
 * Decides as Reckoner does, in the same order, by what a snapshot says: what denies it whatever is asked, settings, limits, budgets.
 * @param nowMs the customer's time
 */
export function decideLocally(
  ready: ReadyFeature,
  question: LocalQuestion,
  asked: bigint,
  nowMs: number,
): Verdict {
  const { feature, limits } = ready;
  if (feature.denied !== null) return verdict(feature.denied, false);
  if (feature.type === "boolean") return granted;
  if (feature.type === "config") return isIncluded(ready, question.value) ? granted : valueNotIncluded;
  const byLimits = limits === null ? unlimited : decideLimits(limits, question, asked, nowMs);
  if (!byLimits.allowed) return byLimits;
  const { budget } = feature;
  if (budget === null || (budget.resets_at !== null && Date.parse(budget.resets_at) <= nowMs))
    return byLimits;
  return { reason: "budget_reached", allowed: false, limit: null, resetsAt: budget.resets_at };
}

function isIncluded(
  { feature: { setting, compare }, values }: ReadyFeature,
  value: string | undefined,
): boolean {
  if (value === undefined) return true;
  if (values !== null) return values.has(value);
  if (typeof setting !== "string") return false;
  if (compare !== "number") return value === setting;
  return isQuantity(value) && scaled(value) <= scaled(setting);
}

function decideLimits(
  limits: readonly ReadyLimit[],
  { subject }: LocalQuestion,
  asked: bigint,
  nowMs: number,
): Verdict {
  let denying: { readonly ready: ReadyLimit; readonly use: ReadyUse } | undefined;
  let passed: typeof denying;
  for (const ready of limits) {
    if (!isFor(ready, subject)) continue;
    const use = useOf(ready, subject);
    if (use === undefined) return { ...verdict("subject_missing", false), limit: ready.limit };
    if (fits(ready, use, asked, nowMs)) continue;
    if (ready.limit.beyond === "denied") denying = longer(denying, { ready, use });
    else passed = longer(passed, { ready, use });
  }
  const deciding = denying ?? passed;
  if (deciding === undefined) return withinLimits;
  const { ready, use } = deciding;
  const isDenied = denying !== undefined;
  return {
    reason: isDenied ? "limit_reached" : "beyond_allowance",
    allowed: !isDenied,
    limit: ready.limit,
    resetsAt: use.resetsAt,
  };
}

/** Of limits that are reached the one that holds longest: when it is over, all are. */
function longer<Reached extends { readonly use: ReadyUse }>(
  one: Reached | undefined,
  other: Reached,
): Reached {
  return one === undefined || other.use.resetsAtMs > one.use.resetsAtMs ? other : one;
}

function isFor({ where }: ReadyLimit, subject: LocalQuestion["subject"]): boolean {
  return where.every(([name, value]) => (subject?.[name] ?? value) === value);
}

/** Undefined where nobody said whose usage it would be. */
function useOf(
  { limit: { per }, uses, others }: ReadyLimit,
  subject: LocalQuestion["subject"],
): ReadyUse | undefined {
  const [first] = per;
  if (first === undefined) return uses.get("") ?? others;
  if (per.length === 1) {
    const value = subject?.[first];
    return value === undefined ? undefined : (uses.get(value) ?? others);
  }
  const values = per.map((name) => subject?.[name]);
  return values.includes(undefined) ? undefined : (uses.get(values.join(separator)) ?? others);
}

function fits(
  { limit, amount }: ReadyLimit,
  { used, resetsAtMs }: ReadyUse,
  asked: bigint,
  nowMs: number,
): boolean {
  const before = resetsAtMs <= nowMs ? 0n : used;
  if (limit.grows === "by_largest") return (before > asked ? before : asked) <= amount;
  return before + asked <= amount;
}

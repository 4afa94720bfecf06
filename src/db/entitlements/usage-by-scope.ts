import { type Instant, instantOfEpochMs } from "../../domain/calendar/index.ts";
import { lengthOfWindowMs, type MergedLimit, type OpenWindow } from "../../domain/entitlements/index.ts";
import { type Dimensions, inUnit } from "../../domain/metering/index.ts";
import { type Decimal, Fraction, zero } from "../../domain/money/index.ts";
import type { Database, Tx } from "../database.ts";
import { usageQuantitiesOf } from "../usage/usage-quantities.ts";
import type { EntitlementFacts } from "./entitlement-facts.ts";
import { requestFor, usedOfLimits, windowOfLimit } from "./limit-usage.ts";

/** What one of those who have a limit for themselves has used of it. */
export interface ScopedUse {
  /** A value for each dimension of `per`, in its order; empty where the limit is the customer's. */
  readonly of: readonly string[];
  readonly used: Decimal;
  readonly resetsAt: Instant | null;
}

/** A limit, and the meter that it is of. */
export interface LimitOfMeter {
  readonly limit: MergedLimit;
  readonly meterKey: string;
}

/**
 * For each limit what is used of it by everybody who has it for himself, the most used first; who is not named has used nothing. All
 * of one moment, in two statements as a rule, whatever the number of limits.
 */
export async function usedByEach(
  db: Database,
  tx: Tx,
  facts: EntitlementFacts,
  limits: readonly LimitOfMeter[],
): Promise<ScopedUse[][]> {
  const scoped = await scopesOf(tx, facts, limits);
  const used = await usesWithin(db, tx, facts, scoped.flat());
  let place = 0;
  const named = scoped.map((ofLimit) =>
    ofLimit.map(({ of }): ScopedUse => ({ of, ...(used[place++] ?? nothing) })).toSorted(mostFirst),
  );
  const grouped = limits.map((part) => (isGrouped(part) ? part : null));
  const open = await Promise.all(
    grouped.map((part) => part && windowOfLimit(db, facts, { ...part, scope: null })),
  );
  const windows = grouped.map((part, index) => {
    const window = open[index];
    return part === null || window == null ? null : { ...part, window };
  });
  const found = await usesOfGroups(tx, facts, windows);
  return limits.map((part, index) => (isGrouped(part) ? (found[index] ?? []) : (named[index] ?? [])));
}

const isGrouped = ({ limit: { per, window } }: LimitOfMeter): boolean =>
  per.length > 0 && window.type !== "first_use";

type ScopedLimit = LimitOfMeter & { readonly of: readonly string[]; readonly scope: Dimensions };

/** Whose usage is looked at one by one: the customer's, and of windows of first use everybody's who has used something of late. */
async function scopesOf(
  tx: Tx,
  facts: EntitlementFacts,
  limits: readonly LimitOfMeter[],
): Promise<ScopedLimit[][]> {
  const lately = limits.map((part) => {
    const { per, window, since } = part.limit;
    if (per.length === 0 || window.type !== "first_use") return null;
    const start = instantOfEpochMs(Math.max(facts.now - lengthOfWindowMs(window.length), since));
    const end = instantOfEpochMs(facts.now + aheadMs);
    return { ...part, window: { period: { start, end }, resetsAt: null } };
  });
  const users = await usesOfGroups(tx, facts, lately);
  return limits.map((part, index) => {
    const { per, where } = part.limit;
    if (per.length === 0) return [{ ...part, of: [], scope: where }];
    return (users[index] ?? []).map(({ of }) => ({ ...part, of, scope: { ...valuesOf(per, of), ...where } }));
  });
}

/** What is taken in may be ahead of our clock. */
const aheadMs = 3_600_000;

const valuesOf = (per: readonly string[], of: readonly string[]): Dimensions =>
  Object.fromEntries(per.map((name, place) => [name, of[place] ?? ""]));

async function usesWithin(
  db: Database,
  tx: Tx,
  facts: EntitlementFacts,
  scoped: readonly ScopedLimit[],
): Promise<Omit<ScopedUse, "of">[]> {
  const open = await Promise.all(
    scoped.map(async (part) => ({ ...part, window: await windowOfLimit(db, facts, part) })),
  );
  const used = await usedOfLimits(tx, facts, open);
  return open.map(({ window: { resetsAt } }, index) => ({ used: used[index] ?? zero, resetsAt }));
}

const nothing: Omit<ScopedUse, "of"> = { used: zero, resetsAt: null };

/** Read together; null asks for nothing. */
async function usesOfGroups(
  tx: Tx,
  facts: EntitlementFacts,
  parts: readonly ((LimitOfMeter & { readonly window: OpenWindow }) | null)[],
): Promise<(ScopedUse[] | undefined)[]> {
  const requests = await Promise.all(
    parts.map((part) => part && requestFor(tx, facts, { ...part, scope: part.limit.where })),
  );
  const asked = requests.flatMap((request, index) =>
    request === null ? [] : [{ ...request, groupBy: parts[index]?.limit.per ?? [], index }],
  );
  const quantities = asked.length === 0 ? [] : await usageQuantitiesOf(tx, asked);
  const found: (ScopedUse[] | undefined)[] = parts.map(() => undefined);
  for (const [place, { index, groupBy, meter }] of asked.entries()) {
    found[index] = (quantities[place] ?? [])
      .map(({ dimensions, quantity }) => ({
        of: groupBy.map((name) => dimensions[name] ?? ""),
        used: inUnit(meter, Fraction.ofDecimal(quantity)),
        resetsAt: parts[index]?.window.resetsAt ?? null,
      }))
      .toSorted(mostFirst);
  }
  return found;
}

const mostFirst = (one: ScopedUse, other: ScopedUse): number =>
  one.used.isLessThan(other.used) ? 1 : other.used.isLessThan(one.used) ? -1 : 0;

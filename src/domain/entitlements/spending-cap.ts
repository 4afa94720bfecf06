import type { Instant } from "../calendar/index.ts";
import type { LimitWindow } from "../catalog/index.ts";
import { canonicalJson, type JsonValue } from "../metering/index.ts";
import { type Decimal, maxDecimal, sumDecimals, zero } from "../money/index.ts";

/** Who may have caps, from the narrowest to the widest. A pool is the organisation that pays for the one that asks. */
export const spenderLevels = ["user", "team", "organisation", "pool"] as const;
export type SpenderLevel = (typeof spenderLevels)[number];

/** Windows that begin and end at an instant, so that what was spent in one is one number. */
export const capWindowTypes = ["calendar", "billing_cycle", "first_use", "never"] as const;

/** The most that may be spent by a spender in a window, or what comes on top of that for a time. */
export interface SpendingCap {
  readonly id: string;
  readonly spender: SpenderOfCap;
  readonly isRaise: boolean;
  /** Each user below the spender has it for himself. */
  readonly eachUser: boolean;
  /** In minor units. */
  readonly amount: Decimal;
  readonly window: LimitWindow;
  readonly effectiveAt: Instant;
  readonly expiresAt: Instant | null;
}

export interface SpenderOfCap {
  readonly number: bigint;
  readonly kind: "user" | "team" | "organisation";
  readonly key: string;
  readonly customerId: string;
}

/** What all caps of a spender in the same window come to. */
export interface EffectiveCap {
  /** The cap that counts; null while none is in force: it is counted, and nothing is denied. */
  readonly capId: string | null;
  readonly spender: SpenderOfCap;
  readonly eachUser: boolean;
  readonly window: LimitWindow;
  /** Equal for equal windows. */
  readonly windowKey: string;
  /** In minor units; null while none is in force. */
  readonly limit: Decimal | null;
}

/**
 * Of caps with the same window the newest in force counts, and raises in force come on top. Those that will be in force are
 * there too, without a limit, so that their windows are counted before they bind.
 * @param caps in the order in which they took effect, the newest last
 */
export function effectiveCaps(caps: readonly SpendingCap[], at: Instant): EffectiveCap[] {
  const groups = Map.groupBy(caps, ({ spender, eachUser, window }) =>
    canonicalJson([`${spender.number}`, eachUser, window] as unknown as JsonValue),
  );
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const inForce = group.filter((cap) => isInForce(cap, at));
    const counting = inForce.findLast(({ isRaise }) => !isRaise);
    const raises = inForce.filter(({ isRaise }) => isRaise).map(({ amount }) => amount);
    const { spender, eachUser, window } = first;
    const limit = counting === undefined ? null : counting.amount.plus(sumDecimals(raises));
    const windowKey = canonicalJson(window as unknown as JsonValue);
    return [{ capId: counting?.id ?? null, spender, eachUser, window, windowKey, limit }];
  });
}

const isInForce = ({ effectiveAt, expiresAt }: SpendingCap, at: Instant): boolean =>
  effectiveAt <= at && (expiresAt === null || at < expiresAt);

/** When what these caps come to changes next; null when it does not. */
export function capsChangeAt(caps: readonly SpendingCap[], at: Instant): Instant | null {
  const instants = caps.flatMap(({ effectiveAt, expiresAt }) => [effectiveAt, expiresAt ?? []].flat());
  return instants.filter((instant) => instant > at).toSorted((one, other) => one - other)[0] ?? null;
}

/** @param customerId who asks: an organisation above is a pool */
export function levelOf({ spender, eachUser }: EffectiveCap, customerId: string): SpenderLevel {
  if (eachUser) return "user";
  return spender.kind === "organisation" && spender.customerId !== customerId ? "pool" : spender.kind;
}

/** A cap into which a request does not fit. */
export interface ReachedCap {
  readonly capId: string;
  readonly level: SpenderLevel;
  /** Whose cap it is: the user, the team, or the customer. */
  readonly holder: string;
  readonly limit: Decimal;
  readonly spent: Decimal;
  readonly held: Decimal;
  /** When its window begins anew; null when it never does. */
  readonly resetsAt: Instant | null;
}

/** What is neither spent nor held. */
export const leftOf = ({ limit, spent, held }: ReachedCap): Decimal =>
  maxDecimal(limit.minus(spent).minus(held), zero);

/** Of caps that are reached the one that holds longest, and of those the narrowest: when it is over, none is left. */
export function decidingCap(reached: readonly ReachedCap[]): ReachedCap | undefined {
  const end = ({ resetsAt }: ReachedCap): number => resetsAt ?? Number.POSITIVE_INFINITY;
  return reached.toSorted(
    (one, other) =>
      (end(one) === end(other) ? 0 : end(other) - end(one)) ||
      spenderLevels.indexOf(one.level) - spenderLevels.indexOf(other.level),
  )[0];
}

import type { Instant, Period } from "../calendar/index.ts";
import type { PlanVersion, UsagePrice } from "../catalog/index.ts";
import type { Dimensions } from "../metering/index.ts";
import { stretchesOf, type Terms } from "./terms.ts";

/**
 * Why what an event contributed is on no invoice. open: its period is not closed. waiting: it came after its period was
 * closed, and is late usage of the next closing. ended: it came after the subscription's last closing. other_version: another
 * version of the meter measures the period. not_priced: no price is for it.
 */
export type UnbilledReason = "open" | "waiting" | "ended" | "other_version" | "not_priced";

export interface UnbilledUsage {
  readonly reason: UnbilledReason;
  /** The prices that will rate it, or would. */
  readonly prices: readonly { readonly plan: PlanVersion; readonly price: UsagePrice }[];
}

export interface AgreedForUsage {
  readonly period: Period;
  readonly terms: readonly Terms[];
  /** Whether the period is closed, and whether the subscription will close another one. */
  readonly isClosed: boolean;
  readonly closesAgain: boolean;
  /** Whether the version that measured it is the one that measures the period. */
  readonly isMeasuredBy: boolean;
}

/** Says of a contribution that no run has rated what will become of it in a subscription's period. */
export function unbilledUsage(
  contribution: {
    readonly meterKey: string;
    readonly dimensions: Dimensions;
    readonly time: Instant;
  },
  { period, terms, isClosed, closesAgain, isMeasuredBy }: AgreedForUsage,
): UnbilledUsage {
  const prices = pricesFor(contribution, terms, period);
  if (prices.length === 0) return { reason: "not_priced", prices };
  if (!isMeasuredBy) return { reason: "other_version", prices: [] };
  if (!isClosed) return { reason: "open", prices };
  return { reason: closesAgain ? "waiting" : "ended", prices };
}

function pricesFor(
  { meterKey, dimensions, time }: Parameters<typeof unbilledUsage>[0],
  terms: readonly Terms[],
  period: Period,
): UnbilledUsage["prices"] {
  const stretch = stretchesOf(terms, period).find(({ start, end }) => start <= time && time < end);
  return (stretch?.terms.items ?? []).flatMap(({ plan }) =>
    plan.prices
      .filter((price) => price.type === "usage")
      .filter(({ meter, where }) => meter === meterKey && hasAll(dimensions, where))
      .map((price) => ({ plan, price })),
  );
}

const hasAll = (dimensions: Dimensions, where: Dimensions): boolean =>
  Object.entries(where).every(([name, value]) => dimensions[name] === value);

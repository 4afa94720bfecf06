import { expect, test } from "vitest";
import { instant } from "../../../src/domain/calendar/index.ts";
import { parseCatalog } from "../../../src/domain/catalog/index.ts";
import { type AgreedForUsage, type Terms, unbilledUsage } from "../../../src/domain/invoicing/index.ts";
import type { Dimensions } from "../../../src/domain/metering/index.ts";

const price = (key: string, where: Dimensions) => ({
  key,
  type: "usage",
  name: key,
  product: "usage",
  meter: "tokens",
  where,
  unitLabel: "token",
  model: { type: "per_unit", unitPriceMinor: "1" },
});

const plan = (key: string, prices: readonly object[]) => ({
  key,
  name: key,
  currency: "usd",
  interval: { unit: "month", count: 1 },
  prices,
});

const { plans } = parseCatalog({
  meters: [
    { key: "tokens", eventType: "request", aggregation: "sum", property: "tokens", dimensions: ["model"] },
  ],
  plans: [plan("starter", [price("large", { model: "large" })]), plan("growth", [price("all", {})])],
});

const terms = (at: string, planKey: string): Terms => ({
  effectiveAt: instant(at),
  items: plans.filter(({ key }) => key === planKey).map((of) => ({ plan: { ...of, version: 1 }, seats: 1 })),
  paused: false,
});

/** Until the 15th large models have a price; from then on all have. */
const january: AgreedForUsage = {
  period: { start: instant("2026-01-01T00:00:00Z"), end: instant("2026-02-01T00:00:00Z") },
  terms: [terms("2026-01-01T00:00:00Z", "starter"), terms("2026-01-15T00:00:00Z", "growth")],
  isClosed: false,
  closesAgain: true,
  isMeasuredBy: true,
};

const closed = { isClosed: true };

test.each<{
  day: string;
  model?: string;
  meterKey?: string;
  agreed?: Partial<AgreedForUsage>;
  reason: string;
  prices: string[];
  why: string;
}>([
  { day: "10", reason: "open", prices: ["large"], why: "its period goes on" },
  { day: "15", reason: "open", prices: ["all"], why: "the terms of its own time count" },
  { day: "10", model: "small", reason: "not_priced", prices: [], why: "only large models have a price" },
  { day: "15", model: "small", reason: "open", prices: ["all"], why: "now every model has one" },
  { day: "15", meterKey: "requests", reason: "not_priced", prices: [], why: "nothing prices that meter" },
  { day: "10", agreed: closed, reason: "waiting", prices: ["large"], why: "it came after the closing" },
  {
    day: "10",
    agreed: { ...closed, closesAgain: false },
    reason: "ended",
    prices: ["large"],
    why: "that was the last closing",
  },
  {
    day: "10",
    agreed: { ...closed, isMeasuredBy: false },
    reason: "other_version",
    prices: [],
    why: "its meter has another version for this period",
  },
])(
  "on January $day: $reason, because $why",
  ({ day, model = "large", meterKey = "tokens", agreed, ...expected }) => {
    const time = instant(`2026-01-${day}T00:00:00Z`);
    const unbilled = unbilledUsage({ meterKey, dimensions: { model }, time }, { ...january, ...agreed });
    expect(unbilled.reason).toBe(expected.reason);
    expect(unbilled.prices.map((each) => each.price.key)).toEqual(expected.prices);
  },
);

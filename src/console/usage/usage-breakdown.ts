import { sumOfDecimals } from "../format/decimal-text.ts";
import { utcDay } from "../format/time.ts";
import type { Usage } from "../reads/resources.ts";

/** One part of the usage: a value of the dimension that is told apart, or everything. */
export interface UsagePart {
  /** "part-1", "part-2"…: safe as a field's name, which a model's name with a dot in it is not. */
  readonly key: string;
  readonly name: string;
  /** Exact. */
  readonly quantity: string;
  readonly eventCount: number;
}

export interface UsageDay {
  /** The UTC day, "2026-01-31". */
  readonly day: string;
  /** Exact quantities by the key of their part; a part that was not used that day is left out. */
  readonly quantities: Readonly<Record<string, string>>;
  readonly total: string;
  readonly eventCount: number;
}

export interface UsageBreakdown {
  /** The largest first. */
  readonly parts: readonly UsagePart[];
  /** Every day from the first to the last, also those without usage. */
  readonly days: readonly UsageDay[];
  readonly total: string;
  readonly eventCount: number;
}

const dayMs = 86_400_000;

/** Puts usage by day together for a chart and its tables: by the values of `dimension`, or as one when it is null. */
export function breakDownUsage(
  { data, from, to }: Pick<Usage, "data" | "from" | "to">,
  dimension: string | null,
): UsageBreakdown {
  const nameOf = ({ dimensions }: Row) =>
    dimension === null ? "Usage" : (dimensions[dimension] ?? "(none)");
  const parts = [...Map.groupBy(data, nameOf)]
    .map(([name, rows]) => ({ name, ...totalOf(rows) }))
    .toSorted(
      (one, other) => compareQuantities(other.quantity, one.quantity) || one.name.localeCompare(other.name),
    )
    .map((part, index) => ({ key: `part-${index + 1}`, ...part }));
  const keyOf = new Map(parts.map(({ name, key }) => [name, key]));
  const byDay = Map.groupBy(data, ({ window_start }) => utcDay(window_start ?? from));
  const days = daysOf(from, to).map((day) => {
    const rows = byDay.get(day) ?? [];
    const ofDay = [...Map.groupBy(rows, (row) => keyOf.get(nameOf(row)) ?? "")];
    const quantities = Object.fromEntries(ofDay.map(([key, some]) => [key, totalOf(some).quantity]));
    const { quantity: total, eventCount } = totalOf(rows);
    return { day, quantities, total, eventCount };
  });
  const { quantity: total, eventCount } = totalOf(data);
  return { parts, days, total, eventCount };
}

type Row = Usage["data"][number];

function totalOf(rows: readonly Row[]): { quantity: string; eventCount: number } {
  return {
    quantity: sumOfDecimals(rows.map(({ quantity }) => quantity)),
    eventCount: rows.reduce((sum, { event_count }) => sum + event_count, 0),
  };
}

function daysOf(from: string, to: string): string[] {
  const first = Date.parse(utcDay(from));
  const count = Math.ceil((Date.parse(to) - first) / dayMs);
  return Array.from({ length: Math.max(0, count) }, (_, index) =>
    utcDay(new Date(first + index * dayMs).toISOString()),
  );
}

/** By value, whatever the number of digits. */
const compareQuantities = (one: string, other: string): number =>
  new Intl.Collator("en", { numeric: true }).compare(one, other);

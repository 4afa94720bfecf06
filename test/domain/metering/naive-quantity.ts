import { contains, type Period } from "../../../src/domain/calendar/index.ts";
import type { Aggregation } from "../../../src/domain/metering/index.ts";
import type { Accepted } from "./measured-events.ts";

/** What a meter reads, from the events alone; in thousandths, for averages as sum and count. */
export function naively(aggregation: Aggregation, events: readonly Accepted[], period: Period): string {
  const inOrder = events.toSorted((one, other) => one.time - other.time || Number(one.seq - other.seq));
  const within = inOrder.filter(({ time }) => contains(period, time));
  const quantities = within.map(({ thousandths }) => thousandths);
  const sum = quantities.reduce((total, quantity) => total + quantity, 0n);
  const sorted = quantities.toSorted((one, other) => (one < other ? -1 : 1));
  switch (aggregation) {
    case "count":
      return String(within.length);
    case "unique_count":
      return String(new Set(within.map(({ value }) => value)).size);
    case "sum":
      return pointed(sum, 3);
    case "max":
      return pointed(sorted.at(-1) ?? 0n, 3);
    case "min":
      return pointed(sorted[0] ?? 0n, 3);
    case "latest":
      return pointed(quantities.at(-1) ?? 0n, 3);
    case "average":
      return within.length === 0 ? "0" : pointed(halfEven(sum * 10n ** 9n, BigInt(within.length)), 12);
    case "time_weighted_sum":
      return pointed(areaNaively(inOrder, period), 6);
  }
}

/** Every change of a level counts from when it is made until the end: another sum than that of the stretches. */
function areaNaively(inOrder: readonly Accepted[], { start, end }: Period): bigint {
  let area = 0n;
  for (const series of Map.groupBy(inOrder, (event) => event.series).values()) {
    let before = 0n;
    for (const { time, thousandths } of series) {
      if (time >= end) break;
      area += (thousandths - before) * BigInt(end - Math.max(time, start));
      before = thousandths;
    }
  }
  return area;
}

function halfEven(numerator: bigint, denominator: bigint): bigint {
  const [whole, rest] = [numerator / denominator, (numerator % denominator) * 2n];
  return rest > denominator || (rest === denominator && whole % 2n === 1n) ? whole + 1n : whole;
}

function pointed(units: bigint, places: number): string {
  const digits = String(units).padStart(places + 1, "0");
  const text = `${digits.slice(0, -places)}.${digits.slice(-places)}`;
  return text.replace(/\.?0+$/, "");
}

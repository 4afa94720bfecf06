import type { WindowDifference } from "../db/usage/rebuild-windows.ts";
import { type Instant, isoOf } from "../domain/calendar/index.ts";

/** What a comparison of all windows with the events has come to. */
export interface Rebuild {
  /** Months of customers that were compared. */
  readonly slices: number;
  /** How many rows were not what the events say. */
  readonly count: number;
  /** The first of them. */
  readonly differences: readonly WindowDifference[];
  /** They have been put right. */
  readonly isRepaired: boolean;
  /** Events before this are not here to be compared; null: all are here. */
  readonly archivedBefore: Instant | null;
}

/** `acme tokens@1 hour from 2026-03-01T09:00:00Z {"model":"large"}: sum is 31 and should be 30` */
export function differenceAsText(difference: WindowDifference): string {
  const { customer, meter, size, start, dimensions } = difference;
  return `${customer} ${meter} ${size} from ${start} ${dimensions}: ${problemOf(difference)}`;
}

function problemOf({ kind, stored, expected }: WindowDifference): string {
  const what = { sums: "the window", values: "a value", levels: "its levels" }[kind];
  if (stored === null) return `${what} is missing (${said(expected)})`;
  if (expected === null) return `${what} should not be there (${said(stored)})`;
  return Object.entries(expected)
    .filter(([column, value]) => stored[column] !== value)
    .map(([column, value]) => `${column} is ${stored[column]} and should be ${value}`)
    .join(", ");
}

const said = (row: WindowDifference["stored"]) =>
  Object.entries(row ?? {})
    .map(([column, value]) => `${column} ${value}`)
    .join(", ");

/** For people: the last lines, after one for each difference. */
export function rebuildAsText({ slices, count, isRepaired, archivedBefore }: Rebuild): string {
  const compared = `Months of customers that were compared: ${slices}.`;
  const outcome =
    count === 0
      ? "The windows are what the events say."
      : `Rows that ${isRepaired ? "were not what the events say, and were put right" : "are not what the events say"}: ${count}.`;
  return [
    compared,
    ...(archivedBefore === null
      ? []
      : [`Events before ${isoOf(archivedBefore)} are archived: their windows were not compared.`]),
    outcome,
  ].join("\n");
}

/** For programs. */
export function rebuildAsJson({ slices, count, differences, isRepaired, archivedBefore }: Rebuild): string {
  return JSON.stringify(
    {
      holds: count === 0 || isRepaired,
      repaired: isRepaired ? count : 0,
      count,
      differences,
      slices,
      archivedBefore: archivedBefore === null ? null : isoOf(archivedBefore),
    },
    null,
    2,
  );
}

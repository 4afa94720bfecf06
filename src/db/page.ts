import type { AnyColumn } from "drizzle-orm";
import type { Instant } from "../domain/calendar/index.ts";
import { sql } from "./database.ts";
import { timestamp } from "./timestamp.ts";

/** Where a page starts: after this row of the list's order. The order's columns together are unique. */
export interface PageRequest<Position> {
  /** At least 1. */
  readonly limit: number;
  readonly after?: Position | undefined;
}

export interface Page<Item, Position> {
  readonly items: readonly Item[];
  /** The last item's position; undefined on the last page. */
  readonly next: Position | undefined;
}

/** The position in a list that shows the newest first; the id decides within one instant. */
export interface NewestFirst {
  readonly at: Instant;
  readonly id: string;
}

/** The condition for a list ordered by `at` and then `id`, both descending. Undefined at the start of the list. */
export function olderThan(at: AnyColumn, id: AnyColumn, position: NewestFirst | undefined) {
  if (position === undefined) return undefined;
  return sql`(${at}, ${id}) < (${timestamp(position.at)}, ${position.id})`;
}

/** How many rows to ask for: one more than is shown, which tells whether another page follows. */
export const rowsToRead = (page: PageRequest<unknown>) => page.limit + 1;

/** Cuts the rows that were read by {@link rowsToRead} to the page. */
export function pageOf<Item, Position>(
  rows: readonly Item[],
  { limit }: PageRequest<Position>,
  positionOf: (item: Item) => Position,
): Page<Item, Position> {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items, next: rows.length > limit && last !== undefined ? positionOf(last) : undefined };
}

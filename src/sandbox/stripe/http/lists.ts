import { integer, object, text } from "../schema/access.ts";
import type { Params } from "../schema/reader.ts";
import type { Stored } from "../state/objects.ts";
import { badParameter, noSuch } from "./refusal.ts";
import type { Reply } from "./route.ts";

const limitDefault = 10;
const limitMax = 100;

/**
 * One page of `rows`, which come newest first. Cursors are ids: `starting_after` gives older rows,
 * `ending_before` newer ones.
 */
export function page<Row extends { readonly id: string }>(
  params: Params,
  url: string,
  rows: readonly Row[],
  render: (row: Row) => unknown,
): Reply {
  const limit = integer(params, "limit") ?? limitDefault;
  if (limit < 1 || limit > limitMax) {
    throw badParameter(
      `Invalid limit: must be between 1 and ${limitMax}`,
      "limit",
      "parameter_invalid_integer",
    );
  }
  const after = text(params, "starting_after");
  const before = text(params, "ending_before");
  if (after !== undefined && before !== undefined) {
    const message = "You may only specify one of these parameters: starting_after, ending_before.";
    throw badParameter(message, "starting_after", "parameters_exclusive");
  }
  if (before !== undefined) {
    const end = positionOf(rows, before, "ending_before");
    const start = Math.max(0, end - limit);
    return list(url, rows.slice(start, end).map(render), start > 0);
  }
  const start = after === undefined ? 0 : positionOf(rows, after, "starting_after") + 1;
  return list(url, rows.slice(start, start + limit).map(render), rows.length > start + limit);
}

/** A Stripe list object. */
export function list(url: string, data: readonly unknown[], hasMore: boolean): Reply {
  return { object: "list", data, has_more: hasMore, url };
}

function positionOf(rows: readonly { id: string }[], id: string, param: string): number {
  const position = rows.findIndex((row) => row.id === id);
  if (position === -1) throw noSuch("object", id, param);
  return position;
}

/** Whether a row passes the `created` filter, which is a time or a range of times. */
export function createdWithin(params: Params): (row: Stored) => boolean {
  const exact = integer(params, "created");
  if (exact !== undefined) return ({ created }) => created === exact;
  const range = object(params, "created") ?? {};
  const above = integer(range, "gt") ?? Number.NEGATIVE_INFINITY;
  const from = integer(range, "gte") ?? Number.NEGATIVE_INFINITY;
  const below = integer(range, "lt") ?? Number.POSITIVE_INFINITY;
  const to = integer(range, "lte") ?? Number.POSITIVE_INFINITY;
  return ({ created }) => created > above && created >= from && created < below && created <= to;
}

import { z } from "zod";
import type { NewestFirst, Page, PageRequest } from "../db/page.ts";
import { instant, isoOf } from "../domain/calendar/index.ts";
import { invariant } from "../domain/errors.ts";
import { RequestRefusedError } from "./refusals.ts";

/** The query parameters of every list. */
export const pageQuery = z.strictObject({
  limit: z.coerce
    .number()
    .int({ error: "must be a whole number from 1 to 100" })
    .min(1, { error: "must be a whole number from 1 to 100" })
    .max(100, { error: "must be a whole number from 1 to 100" })
    .default(20)
    .describe("How many items a page has at most."),
  cursor: z.string().min(1).max(500).optional().describe("`next_cursor` of the page before."),
});

/** The answer of every list. */
export const listOf = <Item extends z.ZodType>(item: Item) =>
  z.object({
    data: z.array(item),
    next_cursor: z.string().nullable().describe("Where the next page starts; null on the last page."),
  });

/** How the position in a list becomes the parts of a cursor, and comes back. `read` throws for parts that make no sense. */
export interface CursorForm<Position> {
  write(position: Position): readonly string[];
  read(parts: readonly string[]): Position;
}

/** For lists that show the newest first. */
export const newestFirst: CursorForm<NewestFirst> = {
  write: ({ at, id }) => [isoOf(at), id],
  read: ([at = "", id = ""]) => ({ at: instant(at), id }),
};

/** For lists in the order of a number that counts up. */
export const byNumber: CursorForm<bigint> = {
  write: (number) => [number.toString()],
  read: ([text = ""]) => {
    invariant(/^\d{1,18}$/.test(text), "the position is a number");
    return BigInt(text);
  },
};

/** What to read for a request's query. */
export function pageRequest<Position>(
  { limit, cursor }: z.infer<typeof pageQuery>,
  form: CursorForm<Position>,
): PageRequest<Position> {
  return { limit, after: cursor === undefined ? undefined : positionIn(cursor, form) };
}

/** A page as it is answered. */
export function listAnswer<Item, Position, Shown>(
  { items, next }: Page<Item, Position>,
  form: CursorForm<Position>,
  show: (item: Item) => Shown,
): { data: Shown[]; next_cursor: string | null } {
  const cursor =
    next === undefined ? null : Buffer.from(JSON.stringify(form.write(next))).toString("base64url");
  return { data: items.map(show), next_cursor: cursor };
}

const cursorParts = z.array(z.string().max(200)).min(1).max(4);

function positionIn<Position>(cursor: string, form: CursorForm<Position>): Position {
  try {
    return form.read(cursorParts.parse(JSON.parse(Buffer.from(cursor, "base64url").toString())));
  } catch {
    const message = "is not a cursor of this list: pass next_cursor of the page before as it is";
    throw new RequestRefusedError("cursor_invalid", message, "cursor");
  }
}

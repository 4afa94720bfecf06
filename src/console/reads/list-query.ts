import { infiniteQueryOptions } from "@tanstack/react-query";
import type { ReckonerClient } from "../../sdk/index.ts";
import { read } from "./read.ts";
import type { Page } from "./resources.ts";

const limit = 50;

interface PageQuery {
  readonly limit: number;
  readonly cursor?: string;
}

/** A list that is read page by page and shown as one. */
export function listQuery<Item>(
  key: readonly unknown[],
  ask: (reckoner: ReckonerClient, page: PageQuery, signal: AbortSignal) => Promise<Page<Item>>,
) {
  return infiniteQueryOptions({
    queryKey: ["list", ...key],
    queryFn: ({ pageParam, signal }) =>
      read(signal, (reckoner) =>
        ask(reckoner, pageParam === undefined ? { limit } : { limit, cursor: pageParam }, signal),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });
}

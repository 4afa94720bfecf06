import { Button, Center } from "@mantine/core";
import type { InfiniteData, UseInfiniteQueryResult, UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import type { Page } from "../reads/resources.ts";
import { LoadingRows, ProblemNotice } from "./notices.tsx";

interface LoadedProps<Answer> {
  readonly query: UseQueryResult<Answer>;
  readonly children: (answer: Answer) => ReactNode;
}

/** Shows what was read; until then that it is being read, or why it could not be. */
export function Loaded<Answer>({ query, children }: LoadedProps<Answer>) {
  if (query.isPending) return <LoadingRows />;
  if (query.isError && query.data === undefined) {
    return <ProblemNotice error={query.error} onRetry={() => query.refetch()} />;
  }
  return children(query.data as Answer);
}

interface LoadedListProps<Item> {
  readonly query: UseInfiniteQueryResult<InfiniteData<Page<Item>>>;
  /** Shown when there is nothing in the list. */
  readonly empty: ReactNode;
  readonly children: (items: readonly Item[]) => ReactNode;
}

/** A list as far as it has been read, with a way to read on. */
export function LoadedList<Item>({ query, empty, children }: LoadedListProps<Item>) {
  if (query.isPending) return <LoadingRows />;
  if (query.data === undefined) return <ProblemNotice error={query.error} onRetry={() => query.refetch()} />;
  const items = query.data.pages.flatMap(({ data }) => data);
  if (items.length === 0) return empty;
  return (
    <>
      {children(items)}
      {query.isFetchNextPageError ? <ProblemNotice error={query.error} /> : null}
      {query.hasNextPage ? (
        <Center p="md">
          <Button variant="default" loading={query.isFetchingNextPage} onClick={() => query.fetchNextPage()}>
            Show more
          </Button>
        </Center>
      ) : null}
    </>
  );
}

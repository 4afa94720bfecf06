import { Stack, Text, Title } from "@mantine/core";
import { type InfiniteData, type UseInfiniteQueryResult, useInfiniteQuery } from "@tanstack/react-query";
import { LoadedList } from "../parts/loaded.tsx";
import { EmptyNotice, LoadingRows } from "../parts/notices.tsx";
import { Section } from "../parts/section.tsx";
import {
  waitingAdjustmentsQuery,
  waitingCorrectionsQuery,
  waitingCreditNotesQuery,
  waitingRecurringQuery,
} from "../reads/operation-queries.ts";
import type { Page } from "../reads/resources.ts";
import {
  type WaitingRequest,
  waitingAdjustment,
  waitingCorrection,
  waitingCreditNote,
  waitingRecurring,
} from "./waiting-request.ts";
import { WaitingTable } from "./waiting-table.tsx";

/** Everything that waits for a second person, whoever it is about. */
export function ApprovalsPage() {
  const adjustments = useInfiniteQuery(waitingAdjustmentsQuery());
  const recurring = useInfiniteQuery(waitingRecurringQuery());
  const notes = useInfiniteQuery(waitingCreditNotesQuery());
  const corrections = useInfiniteQuery(waitingCorrectionsQuery());
  const all = [adjustments, recurring, notes, corrections];
  const isEmpty = all.every(({ data }) => data?.pages.every((page) => page.data.length === 0));
  return (
    <Stack gap="xl">
      <title>Approvals · Reckoner</title>
      <Stack gap={4}>
        <Title order={1} size="h2">
          Approvals
        </Title>
        <Text c="dimmed" size="sm">
          What is large, or changes what was billed, is done when a second key agrees. Times are UTC.
        </Text>
      </Stack>
      {isEmpty ? (
        <div className="surface">
          <EmptyNotice title="Nothing waits for a decision">
            Requests above the limit appear here until another key has decided.
          </EmptyNotice>
        </div>
      ) : null}
      <Waiting title="Credit and balances" query={adjustments} describe={waitingAdjustment} />
      <Waiting title="Recurring credit" query={recurring} describe={waitingRecurring} />
      <Waiting title="Credit notes" query={notes} describe={waitingCreditNote} />
      <Waiting title="Corrections of usage" query={corrections} describe={waitingCorrection} />
    </Stack>
  );
}

interface WaitingProps<Item> {
  readonly title: string;
  readonly query: UseInfiniteQueryResult<InfiniteData<Page<Item>>>;
  readonly describe: (item: Item) => WaitingRequest;
}

/** What waits of one kind; nothing where nothing does. */
function Waiting<Item>({ title, query, describe }: WaitingProps<Item>) {
  if (query.isPending) return <LoadingRows rows={2} />;
  if (query.data?.pages.every(({ data }) => data.length === 0)) return null;
  return (
    <Section title={title}>
      <LoadedList query={query} empty={null}>
        {(items) => <WaitingTable label={title} rows={items.map(describe)} />}
      </LoadedList>
    </Section>
  );
}

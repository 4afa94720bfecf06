import { Stack, Text } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useCustomer } from "../customer/customer-context.ts";
import { LoadedList } from "../parts/loaded.tsx";
import { EmptyNotice } from "../parts/notices.tsx";
import { Section } from "../parts/section.tsx";
import { backfillsQuery, correctionsQuery } from "../reads/operation-queries.ts";
import { BackfillTable } from "./backfill-table.tsx";
import { CorrectionTable } from "./correction-table.tsx";
import { FindEvent } from "./find-event.tsx";

/** What of a customer's usage was corrected, and what was reported afterwards. */
export function CorrectionsTab() {
  const { id } = useCustomer();
  const corrections = useInfiniteQuery(correctionsQuery(id));
  const backfills = useInfiniteQuery(backfillsQuery(id));
  const noCorrection = (
    <EmptyNotice title="No correction">
      An event is voided or amended on its own page: find it here, or through the invoice line that bills it.
    </EmptyNotice>
  );
  const noBackfill = (
    <EmptyNotice title="No backfill">
      Usage that is reported afterwards, under one name, appears here.
    </EmptyNotice>
  );
  return (
    <Stack gap="xl">
      <Text maw="46em" size="sm" c="dimmed">
        An event is never changed: a correction refers to it. Quantities are right at once; what it changes of
        an invoiced period goes with the next invoice.
      </Text>
      <FindEvent />
      <Section title="Corrections">
        <LoadedList query={corrections} empty={noCorrection}>
          {(items) => <CorrectionTable corrections={items} />}
        </LoadedList>
      </Section>
      <Section title="Backfills">
        <LoadedList query={backfills} empty={noBackfill}>
          {(items) => <BackfillTable backfills={items} />}
        </LoadedList>
      </Section>
    </Stack>
  );
}

import { useInfiniteQuery } from "@tanstack/react-query";
import { JournalEntryList } from "../ledger/journal-entry-list.tsx";
import { LoadedList } from "../parts/loaded.tsx";
import { EmptyNotice } from "../parts/notices.tsx";
import { Section } from "../parts/section.tsx";
import { entriesQuery } from "../reads/queries.ts";
import { useCustomer } from "./customer-context.ts";

export function EntriesTab() {
  const query = useInfiniteQuery(entriesQuery(useCustomer().id));
  const none = (
    <EmptyNotice title="No journal entry yet">Every movement of money is booked here.</EmptyNotice>
  );
  return (
    <Section title="Journal entries">
      <LoadedList query={query} empty={none}>
        {(entries) => <JournalEntryList entries={entries} />}
      </LoadedList>
    </Section>
  );
}

import { Group, Stack, Text, Title } from "@mantine/core";
import { useCustomer } from "../customer/customer-context.ts";
import { accountName } from "../format/account.ts";
import { wordsFor } from "../format/words.ts";
import { Amount, Time } from "../parts/figures.tsx";
import { type Column, RecordTable } from "../parts/record-table.tsx";
import type { JournalEntry } from "../reads/resources.ts";
import classes from "./journal-entry-list.module.css";

/** Journal entries with their postings: each moves one amount from the credited to the debited account. */
export function JournalEntryList({ entries }: { entries: readonly JournalEntry[] }) {
  return (
    <ol className={classes.entries}>
      {entries.map((entry) => (
        <li key={entry.id}>
          <EntryCard entry={entry} />
        </li>
      ))}
    </ol>
  );
}

function EntryCard({ entry }: { entry: JournalEntry }) {
  const { time_zone: timeZone } = useCustomer();
  const { id, kind, source_key, effective_at, reverses, currency, postings } = entry;
  return (
    <article>
      <Group justify="space-between" gap="xs" px="md" pt="sm">
        <Stack gap={0}>
          <Title order={3} size="h6">
            {wordsFor(kind)}{" "}
            <Text span size="xs" c="dimmed" fw={400}>
              entry {id}
              {reverses === null ? "" : `, reverses entry ${reverses}`}
            </Text>
          </Title>
          <Text size="xs" c="dimmed" ff="monospace" style={{ overflowWrap: "anywhere" }}>
            {source_key}
          </Text>
        </Stack>
        <Text size="sm" c="dimmed" component="div">
          <Time at={effective_at} timeZone={timeZone} />
        </Text>
      </Group>
      <RecordTable
        label={`Postings of entry ${id}`}
        columns={columnsIn(currency)}
        rows={postings.map((posting, index) => ({ ...posting, line: index + 1 }))}
        keyOf={({ line }) => String(line)}
      />
    </article>
  );
}

type Posting = JournalEntry["postings"][number] & { readonly line: number };

const columnsIn = (currency: string): readonly Column<Posting>[] => [
  { header: "Debit", cell: ({ debit }) => <Account accountKey={debit} /> },
  { header: "Credit", cell: ({ credit }) => <Account accountKey={credit} /> },
  {
    header: "Amount",
    align: "end",
    cell: ({ amount_minor }) => <Amount minor={amount_minor} currency={currency} />,
  },
];

function Account({ accountKey }: { accountKey: string }) {
  const { code, name, qualifier } = accountName(accountKey);
  return (
    <span title={accountKey}>
      <Text span size="xs" c="dimmed" className="figure">
        {code}
      </Text>{" "}
      {name}
      {qualifier === "" ? null : (
        <Text span size="xs" c="dimmed" style={{ overflowWrap: "anywhere" }}>
          {" "}
          {qualifier}
        </Text>
      )}
    </span>
  );
}

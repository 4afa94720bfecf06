import {
  type EntryFacts,
  type JournalEntry,
  type JournalEntryDraft,
  JournalEntryInvalidError,
} from "../journal-entry.ts";

/**
 * Undoes an entry: each posting with its sides swapped. Allowed once per entry; a mistaken reversal is corrected by a
 * new entry, never by reversing again.
 * @throws JournalEntryInvalidError for a reversal
 */
export function reversalOf(
  { sourceKey, occurredAt, effectiveAt }: Omit<EntryFacts, "customerId" | "currency">,
  entry: JournalEntry,
): JournalEntryDraft {
  if (entry.reverses !== undefined) {
    throw new JournalEntryInvalidError(`entry ${entry.id} is a reversal: post what is right as a new entry`);
  }
  const { customerId, currency, metadata, postings } = entry;
  return {
    sourceKey,
    kind: "reversal",
    occurredAt,
    effectiveAt,
    ...(customerId === undefined ? {} : { customerId }),
    cause: { type: "journal_entry", id: entry.id.toString() },
    currency,
    postings: postings.map(({ debit, credit, amount }) => ({ debit: credit, credit: debit, amount })),
    reverses: entry.id,
    metadata,
  };
}

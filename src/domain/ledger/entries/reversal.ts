import {
  type EntryTimes,
  type JournalEntry,
  type JournalEntryDraft,
  JournalEntryInvalidError,
  type Posting,
} from "../journal-entry.ts";

/**
 * Undoes an entry: each posting with its sides swapped. Allowed once per entry; a mistaken reversal is corrected by a
 * new entry, never by reversing again.
 * @throws JournalEntryInvalidError for a reversal
 */
export function reversalOf(
  { sourceKey, occurredAt, effectiveAt }: EntryTimes,
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
    postings: postings.map(swapped),
    reverses: entry.id,
    metadata,
  };
}

/**
 * An entry that should not have been undone: a new entry says again what the undone one said. It reverses nothing.
 * @throws JournalEntryInvalidError for an entry that is no reversal
 */
export function reversalCorrected(
  { sourceKey, occurredAt, effectiveAt }: EntryTimes,
  reversal: JournalEntry,
): JournalEntryDraft {
  const { reverses, customerId, currency, metadata, postings } = reversal;
  if (reverses === undefined) {
    throw new JournalEntryInvalidError(`entry ${reversal.id} undoes nothing: reverse it if it is wrong`);
  }
  return {
    sourceKey,
    kind: "reversal_corrected",
    occurredAt,
    effectiveAt,
    ...(customerId === undefined ? {} : { customerId }),
    cause: { type: "journal_entry", id: reversal.id.toString() },
    currency,
    postings: postings.map(swapped),
    metadata,
  };
}

function swapped({ debit, credit, amount }: Posting): Posting {
  return { debit: credit, credit: debit, amount };
}

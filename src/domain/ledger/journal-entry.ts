import type { Instant } from "../calendar/index.ts";
import { BillingError } from "../errors.ts";
import {
  type Currency,
  formatMoney,
  type LedgerAmount,
  ledgerAmount,
  ledgerAmountOfMoney,
  type Money,
} from "../money/index.ts";
import { type AccountRef, accountKey } from "./account-ref.ts";

/** Moves a positive amount from one account to another: the debit of one is the credit of the other. */
export interface Posting {
  readonly debit: AccountRef;
  readonly credit: AccountRef;
  readonly amount: LedgerAmount;
}

/** An entry as it is asked for. Posting it twice is posting it once: by its source key, and by its cause and kind. */
export interface JournalEntryDraft {
  /** The business fact behind the entry, such as `invoice/in_1/issued`; unique for ever. */
  readonly sourceKey: string;
  readonly kind: string;
  /** When it happened. */
  readonly occurredAt: Instant;
  /** Which accounting period (a month, UTC) it belongs to. */
  readonly effectiveAt: Instant;
  /**
   * What to do when that month is closed. `next_open_month`, the default: a fact that comes late is booked at the
   * beginning of the first open month, and keeps the instant it occurred at. `refuse`: nothing is booked.
   */
  readonly whenClosed?: "next_open_month" | "refuse";
  readonly customerId?: string;
  /** What it happened to: with the kind, one entry at most. */
  readonly cause: { readonly type: string; readonly id: string };
  readonly currency: Currency;
  readonly postings: readonly Posting[];
  /** The id of the entry that this one undoes. */
  readonly reverses?: bigint;
  /** `invoice_id` finds the entry among those of its invoice. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** An entry as it stands in the ledger. */
export interface JournalEntry extends JournalEntryDraft {
  readonly id: bigint;
  readonly actor: string;
  /** The database's clock when it was written. */
  readonly recordedAt: Instant;
}

/** What the caller says of an event that concerns no single customer, such as a payout, besides the event itself. */
export interface MerchantEntryFacts {
  readonly sourceKey: string;
  readonly currency: Currency;
  readonly occurredAt: Instant;
  readonly effectiveAt: Instant;
}

/** What the caller of an event's function says besides the event itself. */
export interface EntryFacts extends MerchantEntryFacts {
  readonly customerId: string;
}

/** Of an entry that undoes or repeats another: customer and currency are the other's. */
export type EntryTimes = Omit<MerchantEntryFacts, "currency">;

/** Whole minor units with their currency, or an exact amount in the entry's currency. */
export type EntryAmount = Money | LedgerAmount;

export class JournalEntryInvalidError extends BillingError {
  readonly code = "journal_entry_invalid";
}

interface EntryContent {
  readonly kind: string;
  readonly cause: JournalEntryDraft["cause"];
  readonly postings: readonly Posting[];
  readonly reverses?: bigint;
  readonly metadata?: JournalEntryDraft["metadata"];
}

/**
 * A checked entry: postings of amount zero are left out, all others are positive, in the entry's currency and between
 * two different accounts of the chart.
 * @throws JournalEntryInvalidError also when nothing moves
 */
export function journalEntry(
  facts: MerchantEntryFacts | EntryFacts,
  content: EntryContent,
): JournalEntryDraft {
  const draft = journalEntryIfAny(facts, content);
  if (draft === null) throw new JournalEntryInvalidError(`entry ${facts.sourceKey} moves nothing`);
  return draft;
}

/** Like {@link journalEntry}, but null when nothing moves, for events that may come to zero. */
export function journalEntryIfAny(
  facts: MerchantEntryFacts | EntryFacts,
  { metadata = {}, ...content }: EntryContent,
): JournalEntryDraft | null {
  const { sourceKey, currency, occurredAt, effectiveAt } = facts;
  if (sourceKey === "") throw new JournalEntryInvalidError("an entry needs a source key");
  const postings = content.postings.filter(({ amount }) => amount !== 0n);
  for (const posting of postings) requireSound(posting, currency, sourceKey);
  if (postings.length === 0) return null;
  const customer = "customerId" in facts ? { customerId: facts.customerId } : {};
  return { ...content, ...customer, sourceKey, currency, occurredAt, effectiveAt, metadata, postings };
}

/** @throws JournalEntryInvalidError for money in another currency than the accounts' */
export function posting(debit: AccountRef, credit: AccountRef, amount: EntryAmount): Posting {
  return { debit, credit, amount: exactAmount(amount, debit.currency) };
}

/** @throws JournalEntryInvalidError for money in another currency */
export function exactAmount(amount: EntryAmount, currency: Currency): LedgerAmount {
  if (typeof amount === "bigint") return amount;
  if (amount.currency === currency) return ledgerAmountOfMoney(amount);
  throw new JournalEntryInvalidError(
    `${formatMoney(amount)} is not an amount of an entry in ${currency}: convert it through the exchange bridge`,
  );
}

/** For differences: a negative amount moves the other way round. */
export function signedPosting(debit: AccountRef, credit: AccountRef, amount: EntryAmount): Posting {
  const exact = exactAmount(amount, debit.currency);
  return exact < 0n ? posting(credit, debit, ledgerAmount(-exact)) : posting(debit, credit, exact);
}

function requireSound({ debit, credit, amount }: Posting, currency: Currency, sourceKey: string): void {
  if (amount < 0n) {
    throw new JournalEntryInvalidError(
      `entry ${sourceKey} has a negative amount, ${amount}, from ${accountKey(credit)} to ${accountKey(debit)}: ` +
        "give amounts without a sign, and post what goes the other way as the event that it is",
    );
  }
  if (debit.currency !== currency || credit.currency !== currency) {
    throw new JournalEntryInvalidError(`entry ${sourceKey} is in ${currency}, and so must its accounts be`);
  }
  if (accountKey(debit) === accountKey(credit)) {
    throw new JournalEntryInvalidError(`entry ${sourceKey} moves from an account to itself`);
  }
}

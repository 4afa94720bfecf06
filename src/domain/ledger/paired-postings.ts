import { type LedgerAmount, ledgerAmount } from "../money/index.ts";
import type { AccountRef } from "./account-ref.ts";
import {
  type EntryAmount,
  exactAmount,
  JournalEntryInvalidError,
  type Posting,
  posting,
} from "./journal-entry.ts";
import { ledgerAmountText } from "./posting-text.ts";

/** What one account gives or takes in an event of several accounts. */
export interface Share {
  readonly account: AccountRef;
  readonly amount: EntryAmount;
}

/**
 * The postings of an event that debits several accounts and credits several: each debit, in its order, is matched with
 * the credits, in theirs, as far as they go. So every share is posted in full.
 * @throws JournalEntryInvalidError when the sides differ, or for a negative share
 */
export function pairedPostings(debits: readonly Share[], credits: readonly Share[]): Posting[] {
  const takers = debits.map(exactShare);
  const givers = credits.map(exactShare);
  requireEqual(takers, givers);
  const postings: Posting[] = [];
  let giver = givers.shift();
  for (const taker of takers) {
    let wanted: bigint = taker.amount;
    while (wanted > 0n && giver !== undefined) {
      const amount = ledgerAmount(wanted < giver.amount ? wanted : giver.amount);
      if (amount > 0n) postings.push(posting(taker.account, giver.account, amount));
      wanted -= amount;
      giver =
        amount === giver.amount ? givers.shift() : { ...giver, amount: ledgerAmount(giver.amount - amount) };
    }
  }
  return postings;
}

interface ExactShare {
  readonly account: AccountRef;
  readonly amount: LedgerAmount;
}

function exactShare({ account, amount }: Share): ExactShare {
  const exact = exactAmount(amount, account.currency);
  if (exact >= 0n) return { account, amount: exact };
  throw new JournalEntryInvalidError(
    `${ledgerAmountText(exact, account.currency)} of ${account.code} is negative: give amounts without a sign`,
  );
}

function requireEqual(debits: readonly ExactShare[], credits: readonly ExactShare[]): void {
  const [debited, credited] = [sumOf(debits), sumOf(credits)];
  const first = debits[0] ?? credits[0];
  if (debited === credited || first === undefined) return;
  const text = (sum: LedgerAmount) => ledgerAmountText(sum, first.account.currency);
  throw new JournalEntryInvalidError(
    `the parts do not add up: ${text(debited)} on one side, ${text(credited)} on the other; give parts that sum to the whole`,
  );
}

function sumOf(shares: readonly ExactShare[]): LedgerAmount {
  return ledgerAmount(shares.reduce((sum, { amount }) => sum + amount, 0n));
}

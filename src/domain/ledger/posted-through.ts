import { type LedgerAmount, ledgerAmount } from "../money/index.ts";
import { type AccountRef, accountKey } from "./account-ref.ts";
import { stripeBalance } from "./accounts.ts";
import { type JournalEntryDraft, JournalEntryInvalidError } from "./journal-entry.ts";

/**
 * An entry of a balance transaction that did not move the Stripe balance of its currency, or has moved it already:
 * `instead` stands in its place.
 * @throws JournalEntryInvalidError when the entry leaves the Stripe balance alone
 */
export function postedThrough(entry: JournalEntryDraft, instead: AccountRef): JournalEntryDraft {
  const balanceKey = accountKey(stripeBalance(entry.currency));
  const replaced = (account: AccountRef) => (accountKey(account) === balanceKey ? instead : account);
  const postings = entry.postings.map(({ debit, credit, amount }) => ({
    debit: replaced(debit),
    credit: replaced(credit),
    amount,
  }));
  if (postings.every(({ debit, credit }) => debit !== instead && credit !== instead)) {
    throw new JournalEntryInvalidError(
      `entry ${entry.sourceKey} (${entry.kind}) does not move the Stripe balance: give the entry of a balance transaction`,
    );
  }
  return { ...entry, postings };
}

/** What an entry adds to an account, debits less credits. */
export function netDebit(entry: Pick<JournalEntryDraft, "postings">, account: AccountRef): LedgerAmount {
  const key = accountKey(account);
  const net = entry.postings.reduce((sum, { debit, credit, amount }) => {
    if (accountKey(debit) === key) return sum + amount;
    return accountKey(credit) === key ? sum - amount : sum;
  }, 0n);
  return ledgerAmount(net);
}

import { entryText } from "../../src/db/ledger/ledger.ts";
import {
  type AccountRef,
  accountKey,
  chartAccount,
  type HoldDraft,
  type JournalEntryDraft,
  normalSideOf,
  type Posting,
} from "../../src/domain/ledger/index.ts";

export const accountsOf = ({ postings }: Pick<JournalEntryDraft, "postings">): AccountRef[] =>
  postings.flatMap(({ debit, credit }) => [debit, credit]);

export const isInChart = (account: AccountRef, { currency }: JournalEntryDraft): boolean =>
  account.currency === currency && /^[a-z]{3}$/.test(account.currency);

/** What an entry takes from an account in all; negative: what it brings. */
export function outflow({ postings }: Pick<JournalEntryDraft, "postings">, account: AccountRef): bigint {
  const key = accountKey(account);
  const sign = normalSideOf(chartAccount(account.code).class) === "debit" ? -1n : 1n;
  const debited = postings.filter(({ debit }) => accountKey(debit) === key);
  const credited = postings.filter(({ credit }) => accountKey(credit) === key);
  return sign * (sumOf(debited) - sumOf(credited));
}

const sumOf = (postings: readonly Posting[]) => postings.reduce((sum, { amount }) => sum + amount, 0n);

export const eventOf = ({ kind, cause }: JournalEntryDraft) => JSON.stringify([kind, cause.type, cause.id]);

/** The key does not belong to the content. */
export const sameContent = (one: JournalEntryDraft, other: JournalEntryDraft) =>
  entryText({ ...one, sourceKey: "" }, "") === entryText({ ...other, sourceKey: "" }, "");

/** In any order. */
export const postingsText = (postings: readonly Posting[]) =>
  postings
    .map(({ debit, credit, amount }) => `${accountKey(debit)} ${accountKey(credit)} ${amount}`)
    .toSorted()
    .join();

/** The times do not belong to the content. */
export const sameHold = (one: HoldDraft, other: HoldDraft) => holdText(one) === holdText(other);

const holdText = ({ customerId, currency, cause, lines }: HoldDraft) =>
  JSON.stringify([
    customerId,
    currency,
    cause,
    lines.map(({ account, amount, atMost }) => [accountKey(account), `${amount}`, `${atMost}`]),
  ]);

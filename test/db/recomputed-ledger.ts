import type { EntryRange } from "../../src/db/ledger/ledger-turnover.ts";
import type { Instant } from "../../src/domain/calendar/index.ts";
import {
  type AccountRef,
  accountKey,
  chartAccount,
  type JournalEntry,
  normalSideOf,
} from "../../src/domain/ledger/index.ts";

/** One side of a posting, with what decides whether it counts. */
interface Side {
  readonly entry: JournalEntry;
  readonly line: number;
  readonly account: AccountRef;
  readonly debit: bigint;
  readonly credit: bigint;
}

export interface Sums {
  readonly debit: bigint;
  readonly credit: bigint;
  /** Positive on the account's normal side. */
  readonly balance: bigint;
  readonly postings: number;
}

/** The ledger's reads, worked out from its entries in the plainest way there is. */
export class RecomputedLedger {
  readonly entries: JournalEntry[] = [];

  add(...entries: readonly JournalEntry[]): void {
    this.entries.push(...entries);
  }

  /** Sides of entries in a range, by what `keyOf` says of their accounts; undefined leaves one out. */
  sums(range: EntryRange, keyOf: (account: AccountRef) => string | undefined): Map<string, Sums> {
    const sums = new Map<string, Sums>();
    for (const { account, debit, credit } of this.sides(range)) {
      const key = keyOf(account);
      if (key === undefined) continue;
      const before = sums.get(key) ?? { debit: 0n, credit: 0n, balance: 0n, postings: 0 };
      const side = normalSideOf(chartAccount(account.code).class);
      sums.set(key, {
        debit: before.debit + debit,
        credit: before.credit + credit,
        balance: before.balance + (side === "debit" ? debit - credit : credit - debit),
        postings: before.postings + 1,
      });
    }
    return sums;
  }

  sides(range: EntryRange): Side[] {
    return this.entries
      .filter((entry) => lies(entry.effectiveAt, range.effectiveFrom, range.effectiveBefore))
      .filter((entry) => lies(entry.recordedAt, range.recordedFrom, range.recordedBefore))
      .flatMap((entry) =>
        entry.postings.flatMap(({ debit, credit, amount }, index) => [
          { entry, line: index + 1, account: debit, debit: amount, credit: 0n },
          { entry, line: index + 1, account: credit, debit: 0n, credit: amount },
        ]),
      );
  }
}

const lies = (at: Instant, from: Instant | undefined, before: Instant | undefined) =>
  (from === undefined || at >= from) && (before === undefined || at < before);

/** By currency and code, as in a trial balance. */
export const byCode = ({ currency, code }: AccountRef): string => `${currency}/${code}`;

export const byAccountOf = (customerId: string) => (account: AccountRef) =>
  account.customerId === customerId ? accountKey(account) : undefined;

import { type Currency, type LedgerSum, ledgerSum, majorText } from "../money/index.ts";
import type { JournalRow } from "./journal-rows.ts";

/** What is debited and credited on all accounts of a code in a currency. */
export interface CodeSums {
  readonly currency: Currency;
  readonly code: string;
  readonly debit: LedgerSum;
  readonly credit: LedgerSum;
}

/** Adds rows up by currency and code, in that order. */
export function journalSums() {
  const sums = new Map<string, CodeSums>();
  const add = (currency: Currency, accountKey: string, debit: bigint, credit: bigint) => {
    const code = accountKey.slice(0, accountKey.indexOf("/"));
    const key = keyOf({ currency, code });
    const before = sums.get(key);
    sums.set(key, {
      currency,
      code,
      debit: ledgerSum((before?.debit ?? 0n) + debit),
      credit: ledgerSum((before?.credit ?? 0n) + credit),
    });
  };
  return {
    add(rows: readonly JournalRow[]): void {
      for (const { currency, debit, credit, amount } of rows) {
        add(currency, debit, amount, 0n);
        add(currency, credit, 0n, amount);
      }
    },
    all: (): CodeSums[] =>
      [...sums].toSorted(([left], [right]) => (left < right ? -1 : 1)).map(([, ofCode]) => ofCode),
  };
}

/** In words, where two lists of sums are not the same; a code that a list does not have is zero there. */
export function differencesBetween(exported: readonly CodeSums[], expected: readonly CodeSums[]): string[] {
  const [left, right] = [exported, expected].map((list) => new Map(list.map((sums) => [keyOf(sums), sums])));
  const keys = new Set([...exported, ...expected].map(keyOf));
  return [...keys].toSorted().flatMap((key) => {
    const [found, wanted] = [left?.get(key), right?.get(key)];
    const currency = (found ?? wanted)?.currency;
    if (currency === undefined) return [];
    return (["debit", "credit"] as const).flatMap((side) => {
      const [is, shouldBe] = [found?.[side] ?? ledgerSum(0n), wanted?.[side] ?? ledgerSum(0n)];
      if (is === shouldBe) return [];
      return `${key}: ${side}s are ${majorText(is, currency)}, not ${majorText(shouldBe, currency)}`;
    });
  });
}

const keyOf = ({ currency, code }: Pick<CodeSums, "currency" | "code">) => `${currency} ${code}`;

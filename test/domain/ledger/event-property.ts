import fc from "fast-check";
import { expect } from "vitest";
import { type AccountRef, accountKey, type JournalEntryDraft } from "../../../src/domain/ledger/index.ts";
import { netDebit } from "../../../src/domain/ledger/posted-through.ts";
import { type LedgerAmount, ledgerAmountOfMoney } from "../../../src/domain/money/index.ts";
import { cents, facts } from "./facts.ts";

/** Five amounts in cents, the first more than zero, so that every entry moves something. */
export type Amounts = readonly [bigint, bigint, bigint, bigint, bigint];

export interface PropertyOfEvent {
  readonly event: string;
  readonly entry: (amounts: Amounts) => JournalEntryDraft | null;
  /** What the entry adds to accounts, debits less credits, in cents. */
  readonly moves: (amounts: Amounts) => readonly (readonly [AccountRef, bigint])[];
}

export const tax = (amount: bigint) => [{ jurisdiction: "us-ny", amount: cents(amount) }];
export const time = (amount: bigint) => [{ subscriptionId: "s", amount: cents(amount) }];
export const units = (amount: bigint): LedgerAmount => ledgerAmountOfMoney(cents(amount));

const anyCents = fc.bigInt(0n, 10n ** 12n);
const anyAmounts = fc.tuple(fc.bigInt(1n, 10n ** 12n), anyCents, anyCents, anyCents, anyCents);

/** For any amounts: postings are positive, in the entry's currency, between two accounts, and move what they should. */
export function expectProperty({ entry, moves }: PropertyOfEvent): void {
  fc.assert(
    fc.property(anyAmounts, (amounts) => {
      const made = entry(amounts) ?? { ...facts, postings: [] };
      for (const { debit, credit, amount } of made.postings) {
        expect(amount).toBeGreaterThan(0n);
        expect([debit.currency, credit.currency]).toEqual([made.currency, made.currency]);
        expect(accountKey(debit)).not.toBe(accountKey(credit));
      }
      for (const [account, net] of moves(amounts)) {
        expect(netDebit(made, account), accountKey(account)).toBe(units(1n) * net);
      }
    }),
  );
}

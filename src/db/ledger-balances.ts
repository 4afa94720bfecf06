import { inArray } from "drizzle-orm";
import { type AccountRef, accountKey } from "../domain/ledger/index.ts";
import { type LedgerAmount, ledgerAmount } from "../domain/money/index.ts";
import type { Tx } from "./database.ts";
import { balance } from "./schema/ledger.ts";

/** The balance of one account, positive on its normal side; zero when it was never posted to. */
export async function accountBalance(tx: Tx, ref: AccountRef): Promise<LedgerAmount> {
  const [amount = ledgerAmount(0n)] = await accountBalances(tx, [ref]);
  return amount;
}

/** The balances of several accounts in the order asked for, all as of one instant. */
export async function accountBalances(tx: Tx, refs: readonly AccountRef[]): Promise<LedgerAmount[]> {
  const keys = refs.map(accountKey);
  if (keys.length === 0) return [];
  const found = await tx
    .select({ key: balance.key, balance: balance.balance })
    .from(balance)
    .where(inArray(balance.key, keys));
  const byKey = new Map(found.map((row) => [row.key, row.balance]));
  return keys.map((key) => byKey.get(key) ?? ledgerAmount(0n));
}

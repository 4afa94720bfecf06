import { type AccountRef, accountKey } from "../../domain/ledger/index.ts";
import { type LedgerAmount, ledgerAmount } from "../../domain/money/index.ts";
import { arrayLiteral } from "../array-literal.ts";
import { sql, type Tx } from "../database.ts";
import { balance } from "../schema/ledger.ts";

/** The balance of one account, positive on its normal side; zero when it was never posted to. */
export async function accountBalance(tx: Tx, ref: AccountRef): Promise<LedgerAmount> {
  const [amount = ledgerAmount(0n)] = await accountBalances(tx, [ref]);
  return amount;
}

/** The balances of several accounts in the order asked for, all as of one instant. */
export async function accountBalances(tx: Tx, refs: readonly AccountRef[]): Promise<LedgerAmount[]> {
  return (await availableBalances(tx, refs)).map(({ balance }) => balance);
}

/** The same with what of each can be taken out: what open holds have set aside cannot. */
export async function availableBalances(
  tx: Tx,
  refs: readonly AccountRef[],
): Promise<{ balance: LedgerAmount; available: LedgerAmount }[]> {
  const keys = refs.map(accountKey);
  if (keys.length === 0) return [];
  const found = await tx
    .select({ key: balance.key, balance: balance.balance, held: balance.held })
    .from(balance)
    .where(sql`${balance.key} = any (${arrayLiteral(keys)}::text[])`);
  const byKey = new Map(
    found.map(({ key, balance, held }) => [
      key,
      { balance: ledgerAmount(balance), available: ledgerAmount(balance - held) },
    ]),
  );
  const nothing = { balance: ledgerAmount(0n), available: ledgerAmount(0n) };
  return keys.map((key) => byKey.get(key) ?? nothing);
}

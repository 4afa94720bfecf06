import { customerBalance } from "../../domain/ledger/index.ts";
import { type Currency, exactOfLedgerAmount, type Money, roundToMinor } from "../../domain/money/index.ts";
import type { Tx } from "../database.ts";
import { accountBalance } from "../ledger/ledger.ts";

/** What we owe the customer, to be set against coming invoices; from the ledger, in whole minor units. */
export async function balanceOfCustomer(tx: Tx, customerId: string, currency: Currency): Promise<Money> {
  const balance = await accountBalance(tx, customerBalance(customerId, currency));
  return roundToMinor(exactOfLedgerAmount(balance), currency, "down");
}
